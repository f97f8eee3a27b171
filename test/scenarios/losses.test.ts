import { describe, expect, it } from 'vitest';
import { overdueAt } from '../../core/campaign.ts';
import { campaignKey, campaigns, load } from '../../core/entities.ts';
import { plusSeconds } from '../../core/instant.ts';
import { type Commands, PortError, type PortErrorCode, type Records } from '../../core/ports.ts';
import { sweep } from '../../core/use-cases/sweep.ts';
import { campaignId, createWorld, readReport, serversOf, windowStart } from '../support/campaign-world.ts';

/** A Run Command that takes no patch, and finds none either. */
const withoutPatches = (code: PortErrorCode) => (commands: Commands) => ({
  ...commands,
  send: async (...[place, request]: Parameters<Commands['send']>) => {
    if (request.document.name.endsWith('-Patch')) throw new PortError(code, `as the test has it: ${code}`);
    return commands.send(place, request);
  },
  find: async () => [],
});

/** Another campaign of the same policy and quarter, on a day on which all goes well. */
const later = (records: Records) =>
  createWorld({ servers: serversOf(2), records, campaignId: 'campaign-0002' }).run();
const held = { state: 'stopped', reason: 'error-budget', states: { 'server-1': 'not-started' } };
const done = { state: 'completed', states: { 'server-1': 'succeeded' } };

describe('a campaign', () => {
  it('whose execution died is closed by the sweeper, and its losses hold the later campaigns', async () => {
    const world = createWorld({ servers: serversOf(3) });
    // While its canary soaks: patched well, and never to be verified.
    world.at(plusSeconds(windowStart, 300), () => world.host.engine.stopExecution(campaignId));
    expect(await world.run()).toMatchObject({ status: 'ABORTED', state: 'patching' });
    const { ports } = world.host;
    const overdue = overdueAt(await load(world.records, campaigns, campaignKey(campaignId)));
    await sweep(ports, plusSeconds(overdue, -1));
    expect((await load(world.records, campaigns, campaignKey(campaignId))).state).toBe('patching');
    expect((await sweep(ports, overdue)).failed).toEqual([]);
    const { report, jobs } = await readReport(world.objects);
    expect(report).toMatchObject({ state: 'broken', reason: { code: 'execution-lost' } });
    expect(jobs.map(({ state }) => state)).toEqual(['lost', 'not-started', 'not-started']);
    expect(world.notices.at(-1)?.kind).toBe('campaign-stopped');
    expect(await later(world.records)).toMatchObject(held);
  });

  it('whose patch Run Command refuses starts none of its servers, and holds no later campaign', async () => {
    const world = createWorld({ servers: serversOf(3), commands: withoutPatches('refused') });
    const end = await world.run();
    expect(end).toMatchObject({ status: 'FAILED', state: 'stopped', reason: 'wave-cut-short' });
    expect(end.jobs.map(({ state, dispatched }) => [state, dispatched])).toEqual(
      Array(3).fill(['not-started', null]),
    );
    expect(end.jobs[0]?.reasons[0]).toMatchObject({
      code: 'batch-broke-off',
      detail: expect.stringContaining('CommandRefused'),
    });
    expect(await later(world.records)).toMatchObject(done);
  });

  it('whose patch may have been sent loses those servers, and holds the later campaigns', async () => {
    const world = createWorld({ servers: serversOf(3), commands: withoutPatches('ambiguous') });
    const end = await world.run();
    expect(end).toMatchObject({ status: 'FAILED', state: 'stopped', reason: 'error-budget' });
    expect(end.jobs.map(({ state }) => state)).toEqual(['lost', 'not-started', 'not-started']);
    expect(end.jobs[0]?.dispatched).toMatchObject({ online: true });
    expect(await later(world.records)).toMatchObject(held);
  });
});
