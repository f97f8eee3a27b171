import { describe, expect, it } from 'vitest';
import { reportKey } from '../../core/report.ts';
import { campaignId, createWorld, serversOf } from '../support/campaign-world.ts';

describe('a campaign whose policy only scans', () => {
  const scan = { mode: 'scan' as const };

  it('says what could be installed and installs nothing, without asking anybody', async () => {
    const world = createWorld({
      servers: serversOf(4),
      policy: { ...scan, approval: { required: true, timeoutSeconds: 3600 } },
    });
    const end = await world.run();
    expect(end).toMatchObject({ status: 'SUCCEEDED', state: 'scanned', reason: 'scan-only' });
    expect(new Set(end.jobs.map(({ state }) => state))).toEqual(new Set(['not-started']));
    expect(end.jobs.every(({ plan, phases }) => plan !== null && phases.patch === undefined)).toBe(true);
    expect(world.notices.map(({ kind }) => kind)).toEqual(['campaign-opened', 'campaign-closed']);
    expect(world.notices.at(-1)?.subject).toBe('Scanned 4 servers: 4 have updates to install');
    expect(await world.objects.get(reportKey(campaignId))).toBeDefined();
  });

  it('has nothing to do where there are no updates', async () => {
    const world = createWorld({
      servers: serversOf(2),
      policy: scan,
      behave: () => ({ result: 'nothing-to-do', facts: { compliant: true } }),
    });
    expect(await world.run()).toMatchObject({ state: 'nothing-to-do', reason: 'nothing-sealed' });
  });

  it('opens in a window that is too short to patch in', async () => {
    const options = { servers: serversOf(1), windowEnd: '2026-11-21T01:30:00.000Z' };
    const world = createWorld({ ...options, policy: scan });
    expect(await world.run()).toMatchObject({ state: 'scanned' });
  });
});
