import { describe, expect, test } from 'vitest';
import type { QuarterPlan } from '../../../core/calendar/quarter-plan.ts';
import { create, schedules } from '../../../core/entities.ts';
import type { Firing } from '../../../core/firing.ts';
import { launchCampaign } from '../../../core/use-cases/launch-campaign.ts';
import { pauseAll, resumeAll } from '../../../core/use-cases/pause-all.ts';
import { reconcilePlan } from '../../../core/use-cases/reconcile-plan.ts';
import { type PlannedFleet, plannedFleet, settingsOf, storedServer } from '../../support/planned-fleet.ts';
import { serverId } from '../../support/samples.ts';

const weekly = (calendar: object = {}) =>
  settingsOf({
    policies: {
      production: {
        schema: 1,
        name: 'production',
        mode: 'all',
        calendar: { cadence: 'weekly', ...calendar },
      },
    },
  });
const nothingChanged = { create: [], move: [], delete: [], due: [] };
const [saturday, eve] = ['2026-11-27T23:00:00.000Z', '2026-11-26T23:00:00.000Z'];
const first = async (fleet: PlannedFleet): Promise<Firing> => (await fleet.firings())[0] as Firing;

describe('a planning', () => {
  test('schedules each campaign of this quarter and the next its lead time before the window, in UTC', async () => {
    const fleet = await plannedFleet([storedServer(1)]);
    const { changes } = await fleet.plan();
    const [firing] = await fleet.firings('2027-Q1');
    expect(firing).toMatchObject({
      state: 'expected',
      window: { start: saturday, zone: 'Europe/Berlin' },
      fireAt: eve,
      servers: 1,
    });
    const [next] = await fleet.firings('2027-Q2');
    expect([...fleet.schedules.values()]).toEqual(
      [firing, next].map((each) => ({
        name: each?.campaignId,
        at: each?.fireAt,
        input: { campaignId: each?.campaignId, quarter: each?.quarter },
      })),
    );
    expect(changes.create.map(({ name }) => name.length <= 64)).toEqual([true, true]);
  });

  test('of the same again changes nothing', async () => {
    const fleet = await plannedFleet([storedServer(1), storedServer(2, { zone: 'Asia/Tokyo' })], weekly());
    await fleet.plan();
    fleet.sleep(3600);
    expect((await fleet.plan()).changes).toMatchObject(nothingChanged);
  });

  test('moves schedules when the lead time changes, and deletes those of servers that are gone', async () => {
    const fleet = await plannedFleet([storedServer(1)]);
    await fleet.plan();
    const longer = { ...fleet, settings: settingsOf() };
    longer.settings.policies.production = {
      ...(longer.settings.policies.production as NonNullable<typeof longer.settings.policies.production>),
      calendar: { leadTimeHours: 48 },
    };
    const moved = await reconcilePlan(fleet.ports, longer.settings, {}, fleet.now());
    expect(moved.changes.move).toHaveLength(2);
    expect(fleet.schedules.get((await first(fleet)).campaignId)?.at).toBe('2026-11-25T23:00:00.000Z');
    await fleet.inventory([]);
    const { changes } = await fleet.plan();
    expect(changes.delete).toHaveLength(2);
    expect(fleet.schedules.size).toBe(0);
    expect(await first(fleet)).toMatchObject({ state: 'withdrawn', reason: { code: 'not-planned' } });
  });

  test('keeps the windows of campaigns that are due or started, whatever else moves', async () => {
    const fleet = await plannedFleet([storedServer(1)]);
    await fleet.plan();
    const planned = await first(fleet);
    for (const at of [eve, '2026-11-27T10:00:00.000Z', saturday, '2026-12-01T00:00:00.000Z']) {
      fleet.sleepUntil(at);
      const { quarters } = await fleet.plan();
      expect(quarters[0]?.plan.windows.map(({ campaign, start }) => [campaign, start])).toEqual([
        [planned.campaignId, saturday],
      ]);
    }
    expect(fleet.started).toEqual([planned.campaignId]);
  });

  test('starts what is due and was not started, and says that it is late', async () => {
    const fleet = await plannedFleet([storedServer(1)]);
    await fleet.plan();
    fleet.sleepUntil('2026-11-27T10:00:00.000Z');
    const { launches } = await fleet.plan();
    expect(launches).toMatchObject([{ started: true, late: true }]);
    expect(await first(fleet)).toMatchObject({ state: 'launched', reason: { code: 'launched-late' } });
    expect(fleet.notices.map(({ subject }) => subject)).toEqual([
      'Started late: patching of 1 servers of production',
    ]);
  });

  test('never starts into a window: what was missed is said, and its servers get the next one', async () => {
    const fleet = await plannedFleet([storedServer(1)], weekly());
    await fleet.plan();
    const [missed, after] = await fleet.firings();
    // An hour into it: the window of the day after is nearer than the lead time, too.
    fleet.sleepUntil('2026-11-28T00:00:00.000Z');
    const { launches } = await fleet.plan();
    expect(launches).toMatchObject([{ started: false, reason: { code: 'launch-missed' } }]);
    expect(fleet.started).toEqual([]);
    expect(fleet.notices.map(({ kind, campaignId }) => [kind, campaignId])).toEqual([
      ['campaign-not-started', missed?.campaignId],
    ]);
    await fleet.plan();
    expect(fleet.notices).toHaveLength(1);
    expect(fleet.schedules.get(after?.campaignId ?? '')?.at).toBe(after?.fireAt);
    expect((await first(fleet)).state).toBe('missed');
  });

  test('starts at once what was planned within its lead time', async () => {
    const fleet = await plannedFleet([
      storedServer(1, { explicit: { Q1: { date: '2026-11-24', time: '02:00', approval: 'approved' } } }),
    ]);
    const { launches } = await fleet.plan();
    expect(launches).toMatchObject([{ started: true, late: true }]);
  });

  test('names servers that it can not patch, and plans no campaign of them alone', async () => {
    const { instanceId: _, ...unknown } = storedServer(2, { zone: 'Asia/Tokyo' });
    const fleet = await plannedFleet([
      storedServer(1),
      unknown,
      storedServer(3, { operatingSystem: 'Windows 2022' }),
      storedServer(4, { region: 'us-east-1' }),
    ]);
    const { quarters } = await fleet.plan(true);
    expect(quarters[0]?.leftOut).toEqual(
      [
        { server: 'web-2', why: expect.stringContaining('has no instance id') },
        { server: 'web-3', why: expect.stringContaining('of no known family') },
        { server: 'web-4', why: expect.stringContaining('none of the places') },
      ].map((each) => expect.objectContaining(each)),
    );
    expect((await fleet.firings()).map(({ servers, window }) => [servers, window.zone])).toEqual([
      [3, 'Europe/Berlin'],
    ]);
    expect(fleet.notices[0]).toMatchObject({ kind: 'quarter-planned', id: '2027-q1-planned' });
    expect(fleet.notices[0]?.text).toContain('web-2 has no instance id');
  });

  test('across the border of two quarters forgets none of their windows', async () => {
    // Honolulu is ten hours behind: its last evening of the quarter is the first day of the next in UTC.
    const fleet = await plannedFleet(
      [storedServer(1, { zone: 'Pacific/Honolulu', cron: '0 20 31 1 *' })],
      weekly({ days: ['sunday'], hours: { from: '20:00', to: '24:00' }, leadTimeHours: 4 }),
    );
    fleet.sleepUntil('2027-02-01T00:30:00.000Z');
    await fleet.plan();
    const [last] = (await fleet.firings('2027-Q1')).toReversed();
    expect(last).toMatchObject({
      window: { start: '2027-02-01T06:00:00.000Z' },
      fireAt: '2027-02-01T02:00:00.000Z',
    });
    expect(fleet.schedules.has(last?.campaignId ?? '')).toBe(true);
  });

  test('lets nobody join a campaign that was started, although its window is far enough ahead', async () => {
    const fleet = await plannedFleet([storedServer(1)], weekly());
    await fleet.plan();
    fleet.sleepUntil(eve);
    const firing = await first(fleet);
    await fleet.launch(firing);
    const date = { Q1: { date: '2026-11-28', time: '00:00' } };
    await fleet.inventory([storedServer(1), storedServer(2), storedServer(3, { explicit: date })]);
    const { plan } = (await fleet.plan()).quarters[0] as { plan: QuarterPlan };
    const joined = plan.windows.filter(({ campaign }) => campaign === firing.campaignId);
    expect(joined.map(({ server }) => server)).toEqual(['web-1']);
    expect(plan.windows.find(({ server }) => server === 'web-2')?.start).toBe('2026-11-28T23:00:00.000Z');
    expect(plan.conflicts).toMatchObject([
      { server: 'web-3', code: 'past-date', message: expect.stringContaining('was started already') },
    ]);
  });

  test('tries again with what could not be made a campaign, tells it once, and moves nobody meanwhile', async () => {
    const fleet = await plannedFleet([storedServer(1)], weekly());
    await fleet.plan();
    const firing = await first(fleet);
    fleet.sleepUntil(eve);
    const { production } = fleet.settings.policies;
    const timeouts = production?.timeouts;
    // Patching would take longer than the window is.
    Object.assign(production ?? {}, { timeouts: { ...timeouts, patch: 20_000 } });
    for (let time = 0; time < 2; time++) {
      const { launches, quarters } = await fleet.plan();
      expect(launches).toMatchObject([{ started: false, reason: { code: 'campaign-refused' } }]);
      expect(quarters[0]?.plan.windows[0]?.campaign).toBe(firing.campaignId);
      fleet.sleep(3600);
    }
    expect(fleet.notices).toMatchObject([
      { kind: 'campaign-not-started', id: `${firing.campaignId}-campaign-refused` },
    ]);
    Object.assign(production ?? {}, { timeouts });
    expect((await fleet.plan()).launches).toMatchObject([{ started: true, late: true }]);
  });

  test('goes on with the others when one can not be started', async () => {
    const fleet = await plannedFleet([storedServer(1), storedServer(2, { zone: 'Europe/London' })]);
    await fleet.plan();
    const [berlin, london] = await fleet.firings();
    fleet.sleepUntil('2026-11-27T10:00:00.000Z');
    const executions = {
      async start(name: string) {
        if (name === berlin?.campaignId) throw new Error('no such machine');
        fleet.started.push(name);
      },
    };
    const { failed } = await reconcilePlan({ ...fleet.ports, executions }, fleet.settings, {}, fleet.now());
    expect(failed).toEqual([{ campaignId: berlin?.campaignId, error: 'Error: no such machine' }]);
    expect(fleet.started).toEqual([london?.campaignId]);
  });
});

describe('a firing', () => {
  const due = async (...servers: Parameters<typeof plannedFleet>[0]) => {
    const fleet = await plannedFleet(servers.length > 0 ? servers : [storedServer(1), storedServer(2)]);
    await fleet.plan();
    fleet.sleepUntil(eve);
    return { fleet, firing: await first(fleet) };
  };

  test('starts the campaign under the name of its schedule, with the servers of the plan', async () => {
    const { fleet, firing } = await due(storedServer(1, { haGroup: 'orders', metal: true }), storedServer(2));
    expect(await fleet.launch(firing)).toMatchObject({
      started: true,
      already: false,
      late: false,
      leftOut: [],
    });
    expect(fleet.started).toEqual([firing.campaignId]);
    const record = await fleet.ports.records.get({
      partition: `campaign#${firing.campaignId}`,
      sort: 'campaign',
    });
    const campaign = record?.body as { serversKey: string };
    expect(campaign).toMatchObject({
      quarter: '2027-Q1',
      window: firing.window,
      requestedBy: 'calendar',
      metal: true,
    });
    const servers = JSON.parse(
      Buffer.from((await fleet.ports.objects.get(campaign.serversKey)) ?? '').toString(),
    );
    expect(servers).toMatchObject([
      {
        id: 'i-00000000000000001',
        place: { account: '111111111111' },
        family: 'debian',
        haGroups: ['orders'],
        metal: true,
      },
      { id: 'i-00000000000000002', name: 'web-2' },
    ]);
    expect(fleet.notices).toEqual([]);
  });

  test('that comes twice starts one campaign, also when the inventory changed in between', async () => {
    const { fleet, firing } = await due();
    await fleet.launch(firing);
    await fleet.inventory([storedServer(1)]);
    expect(await fleet.launch(firing)).toMatchObject({ started: true, already: true });
    expect(fleet.started).toEqual([firing.campaignId]);
  });

  test('whose first attempt died before it was recorded goes on with the campaign that is there', async () => {
    const { fleet, firing } = await due();
    const executions = { start: () => Promise.reject(new Error('died')) };
    await expect(
      launchCampaign({ ...fleet.ports, executions }, fleet.settings, firing, fleet.now()),
    ).rejects.toThrow('died');
    await fleet.inventory([storedServer(1)]);
    fleet.sleepUntil(saturday);
    expect(await fleet.launch(firing)).toMatchObject({ started: true, already: true });
    expect(await first(fleet)).toMatchObject({ state: 'launched', servers: 2 });
  });

  test('leaves out who is gone, inactive, has another schedule since, or a doubled id, and says so', async () => {
    const all = [1, 2, 3, 4, 5].map((n) => storedServer(n));
    const { fleet, firing } = await due(...all);
    const [one, , three, four, five] = all as [
      (typeof all)[0],
      (typeof all)[0],
      (typeof all)[0],
      (typeof all)[0],
      (typeof all)[0],
    ];
    await fleet.inventory([one, { ...three, active: false }, four, { ...five, instanceId: serverId(1) }]);
    await create(fleet.ports.records, schedules, {
      schema: 1,
      server: 'web-4',
      rule: { kind: 'cron', expression: '0 2 * * sun' },
      by: 'ann',
      at: fleet.now(),
    });
    expect(await fleet.launch(firing)).toMatchObject({
      started: true,
      leftOut: [
        { server: 'web-2', why: 'is no longer in the inventory' },
        { server: 'web-3', why: 'is not active any more' },
        { server: 'web-4', why: expect.stringContaining('had its schedule changed') },
        { server: 'web-5', why: expect.stringContaining('has the instance id of web-1') },
      ],
    });
    expect(fleet.notices).toMatchObject([
      { kind: 'campaign-started', subject: 'Started without 4 servers: patching of 1 servers of production' },
    ]);
    // Who was left out has a window still to come.
    const { quarters } = await fleet.plan();
    const later = quarters[0]?.plan.windows.filter(({ campaign }) => campaign !== firing.campaignId);
    expect(new Set(later?.map(({ server }) => server))).toEqual(new Set(['web-4', 'web-5']));
  });

  test('while everything is paused starts nothing, and the planning after it does', async () => {
    const { fleet, firing } = await due();
    await pauseAll(fleet.ports, { by: 'bob', reason: 'an incident' }, fleet.now());
    expect(await fleet.launch(firing)).toMatchObject({ started: false, reason: { code: 'paused' } });
    expect(await first(fleet)).toMatchObject({ state: 'expected', reason: { code: 'paused' } });
    fleet.sleep(3600);
    await resumeAll(fleet.ports, { by: 'bob', reason: 'over' }, fleet.now());
    expect((await fleet.plan()).launches).toMatchObject([{ started: true, late: true }]);
  });

  test.each([
    ['not-planned', async (_: PlannedFleet) => ({ campaignId: 'production-unknown', quarter: '2027-Q1' })],
    [
      'not-planned',
      async (fleet: PlannedFleet) => {
        const firing = await first(fleet);
        fleet.sleepUntil('2026-11-26T12:00:00.000Z');
        await fleet.inventory([]);
        await fleet.plan();
        return firing;
      },
    ],
    ['not-due', async (fleet: PlannedFleet) => first(fleet)],
    [
      'launch-missed',
      async (fleet: PlannedFleet) => {
        fleet.sleepUntil(saturday);
        return first(fleet);
      },
    ],
  ])('that is %s starts nothing', async (code, come) => {
    const fleet = await plannedFleet([storedServer(1)]);
    await fleet.plan();
    expect(await fleet.launch(await come(fleet))).toMatchObject({ started: false, reason: { code } });
    expect(fleet.started).toEqual([]);
  });
});

describe('the nightly check', () => {
  test('finds nothing where all is as planned', async () => {
    const fleet = await plannedFleet([storedServer(1)]);
    await fleet.plan();
    fleet.sleepUntil(eve);
    await fleet.launch(await first(fleet));
    fleet.sleep(3600);
    expect(await fleet.check()).toEqual({ due: 0, startedLate: [], notStarted: [], unscheduled: [] });
  });

  test('starts what did not fire while its window is ahead, and tells what can not be started any more', async () => {
    const fleet = await plannedFleet([storedServer(1)]);
    await fleet.plan();
    const firing = await first(fleet);
    fleet.sleepUntil('2026-11-27T00:00:00.000Z');
    expect(await fleet.check()).toMatchObject({ due: 1, startedLate: [firing.campaignId], notStarted: [] });
    const other = await plannedFleet([storedServer(1)]);
    await other.plan();
    other.sleepUntil('2026-11-28T00:00:00.000Z');
    expect(await other.check()).toMatchObject({
      due: 1,
      startedLate: [],
      notStarted: [{ reason: { code: 'launch-missed' } }],
    });
    expect(other.notices.map(({ kind }) => kind)).toEqual(['campaign-not-started']);
    expect(await other.check()).toMatchObject({ due: 0, notStarted: [] });
  });

  test('names campaigns whose schedule is gone or is another', async () => {
    const fleet = await plannedFleet([storedServer(1)]);
    await fleet.plan();
    const [name, next] = [...fleet.schedules.keys()] as [string, string];
    await fleet.ports.schedules.delete(name);
    await fleet.ports.schedules.update({ name: next, at: '2027-03-01T00:00:00.000Z', input: {} });
    expect((await fleet.check()).unscheduled.toSorted()).toEqual([name, next].toSorted());
  });
});
