/** The calendar drives campaigns: what is stored is planned, fires by the clock, and is patched in its window. */
import { describe, expect, it } from 'vitest';
import { createLocalSchedules } from '../../apps/local/local-schedules.ts';
import { campaignKey, campaigns, jobKey, jobs, load } from '../../core/entities.ts';
import { type Instant, millisOf } from '../../core/instant.ts';
import { checkFirings } from '../../core/use-cases/check-firings.ts';
import { listFirings } from '../../core/use-cases/firings.ts';
import { launchCampaign } from '../../core/use-cases/launch-campaign.ts';
import { pauseAll, resumeAll } from '../../core/use-cases/pause-all.ts';
import { reconcilePlan } from '../../core/use-cases/reconcile-plan.ts';
import { loadInventory, saveInventory } from '../../core/use-cases/stored-inventory.ts';
import { createWorld, serversOf, start } from '../support/campaign-world.ts';
import { settingsOf, storedServer } from '../support/planned-fleet.ts';

/** Midnight in Berlin: the Saturday before the first is nearer than the lead time when the planning comes. */
const [sunday, saturday] = ['2026-11-21T23:00:00.000Z', '2026-11-27T23:00:00.000Z'];

/** Two servers that are no HA group, and two that are one; as the planning of the first day finds them. */
async function planned() {
  const servers = serversOf(4);
  const world = createWorld({ servers });
  const settings = settingsOf({
    policies: {
      production: {
        schema: 1,
        name: 'production',
        mode: 'all',
        approval: { required: false },
        waves: { canary: 1, percentages: [100], soakSeconds: 600 },
        calendar: { hours: { from: '00:00', to: '04:00' } },
      },
    },
  });
  const givenUp: unknown[] = [];
  const schedules = createLocalSchedules({
    clock: world.clock,
    target: (input) => launchCampaign(world.host.ports, settings, input, world.now()),
    onGivenUp: (_, error) => givenUp.push(error),
  });
  const ports = { ...world.host.ports, schedules };
  const inventory = servers.map(({ id, name }, index) =>
    storedServer(index, { name, instanceId: id, ...(index > 1 && { haGroup: 'orders' }) }),
  );
  const store = async () => {
    const { revision } = await loadInventory(ports);
    await saveInventory(ports, inventory, { by: 'ann', now: world.now(), expected: revision });
  };
  const plan = () => world.clock.busy(() => reconcilePlan(ports, settings, {}, world.now()));
  const until = (at: Instant) => new Promise<void>((resolve) => void world.clock.at(millisOf(at), resolve));
  const firings = async () =>
    (await listFirings(world.records, '2027-Q1')).toSorted((a, b) => (a.fireAt < b.fireAt ? -1 : 1));
  const state = async (campaignId: string, name: string) => {
    const { id = '' } = servers.find((server) => server.name === name) ?? {};
    return (await load(world.records, jobs, jobKey(campaignId, id))).state;
  };
  await world.clock.busy(store);
  await plan();
  return { world, settings, ports, plan, until, firings, state, givenUp };
}

describe('what is stored', () => {
  it('is planned, fires a day before its window, and is patched in it, members of an HA group one by one', async () => {
    const { world, settings, ports, until, firings, state, givenUp } = await planned();
    const [first, second] = await firings();
    expect([first?.window.start, second?.window.start]).toEqual([sunday, saturday]);
    expect([first?.servers, second?.servers]).toEqual([3, 1]);
    await until(first?.fireAt ?? start);
    expect(await load(world.records, campaigns, campaignKey(first?.campaignId ?? ''))).toMatchObject({
      quarter: '2027-Q1',
      requestedBy: 'calendar',
      createdAt: first?.fireAt,
    });
    for (const firing of [first, second]) {
      await until(firing?.fireAt ?? start);
      const { status } = await world.host.finish(firing?.campaignId ?? '');
      expect(status).toBe('SUCCEEDED');
    }
    const windowOf = (at: number) =>
      [first, second].findIndex(
        (firing) => firing && millisOf(firing.window.start) <= at && at < millisOf(firing.window.end),
      );
    const began = world.fleet.log.filter(({ phase }) => phase === 'patch');
    const windows = new Map(began.map(({ server, at }) => [server, windowOf(at)]));
    expect([windows.get('server-1'), windows.get('server-2')]).toEqual([0, 0]);
    expect([windows.get('server-3'), windows.get('server-4')].toSorted()).toEqual([0, 1]);
    const ids = [first, second].map((firing) => firing?.campaignId ?? '');
    for (const [name, window] of windows) expect(await state(ids[window] ?? '', name)).toBe('succeeded');
    expect(await checkFirings(ports, settings, world.now())).toMatchObject({ due: 0, notStarted: [] });
    expect([givenUp, world.errors]).toEqual([[], []]);
  });

  it('that is paused when it is due waits, and is patched in its window when it is resumed in time', async () => {
    const { world, plan, until, firings, state } = await planned();
    const [first] = await firings();
    const change = { by: 'bob', reason: 'an incident' };
    await world.clock.busy(() => pauseAll(world.host.ports, change, world.now()));
    await until('2026-11-21T12:00:00.000Z');
    expect((await firings())[0]).toMatchObject({ state: 'expected', reason: { code: 'paused' } });
    await world.clock.busy(() => resumeAll(world.host.ports, change, world.now()));
    expect((await plan()).launches).toMatchObject([{ started: true, late: true }]);
    await world.host.finish(first?.campaignId ?? '');
    expect(await state(first?.campaignId ?? '', 'server-1')).toBe('succeeded');
  });

  it('that is paused in its window goes on when that is over, and is missed when it is not', async () => {
    for (const [resumes, ending] of [
      [true, 'completed'],
      [false, 'missed'],
    ] as const) {
      const { world, until, firings } = await planned();
      const [first] = await firings();
      await until('2026-11-21T22:00:00.000Z');
      const change = { by: 'bob', reason: 'an incident' };
      await world.clock.busy(() => pauseAll(world.host.ports, change, world.now()));
      if (resumes)
        world.at('2026-11-22T00:30:00.000Z', () => resumeAll(world.host.ports, change, world.now()));
      await world.host.finish(first?.campaignId ?? '');
      const campaign = await load(world.records, campaigns, campaignKey(first?.campaignId ?? ''));
      expect(campaign).toMatchObject({ state: ending, ...(!resumes && { reason: { code: 'paused' } }) });
      const patched = world.fleet.log.filter(({ phase }) => phase === 'patch').map(({ at }) => at);
      expect(patched.length > 0).toBe(resumes);
      for (const at of patched) expect(at).toBeGreaterThanOrEqual(millisOf('2026-11-22T00:30:00.000Z'));
    }
  });
});
