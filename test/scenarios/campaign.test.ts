import { describe, expect, it } from 'vitest';
import { createWorld, readReport, serversOf } from '../support/campaign-world.ts';

describe('a campaign', () => {
  it('patches every server, canary first, and verifies each of them', async () => {
    const world = createWorld({ servers: serversOf(6) });
    const end = await world.run();
    expect(world.errors).toEqual([]);
    expect(end).toMatchObject({ status: 'SUCCEEDED', state: 'completed', reason: undefined });
    expect(new Set(Object.values(end.states))).toEqual(new Set(['succeeded']));
    const { report, jobs } = await readReport(world.objects);
    expect(report.counts).toEqual({ succeeded: 6 });
    expect(jobs[0]?.packages[0]).toMatchObject({ name: 'openssl', from: '3.0.1-1', to: '3.0.2-1' });
  });
});
