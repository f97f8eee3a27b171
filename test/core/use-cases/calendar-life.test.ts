/** Lets weeks pass over a fleet that the calendar drives, whatever happens in them, and holds what must never be. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { campaignKey, campaigns, load } from '../../../core/entities.ts';
import { latestLaunch } from '../../../core/firing.ts';
import { plusSeconds } from '../../../core/instant.ts';
import type { Settings } from '../../../core/settings.ts';
import { checkFirings } from '../../../core/use-cases/check-firings.ts';
import { launchCampaign } from '../../../core/use-cases/launch-campaign.ts';
import { readServers } from '../../../core/use-cases/lay-out.ts';
import { pauseAll, resumeAll } from '../../../core/use-cases/pause-all.ts';
import { type PlanPorts, reconcilePlan } from '../../../core/use-cases/reconcile-plan.ts';
import type { Window } from '../../../core/window.ts';
import { type PlannedFleet, plannedFleet, settingsOf, storedServer } from '../../support/planned-fleet.ts';

const weekly = settingsOf({
  policies: {
    production: {
      schema: 1,
      name: 'production',
      mode: 'all',
      calendar: { cadence: 'weekly', days: ['saturday', 'sunday'] },
    },
  },
});

/** Of a month one window, and between them the security lane. */
const withLane = settingsOf({
  policies: {
    production: {
      schema: 1,
      name: 'production',
      mode: 'all',
      calendar: { cadence: 'monthly', days: ['wednesday', 'saturday', 'sunday'], securityWithinDays: 5 },
    },
  },
});

const kindOf = <Kind extends string>(kind: Kind, n: fc.Arbitrary<number>) =>
  fc.record({ kind: fc.constant(kind), n });
/** Calls after which a process dies; most live. */
const death = fc.oneof(
  { weight: 2, arbitrary: fc.constant(Number.POSITIVE_INFINITY) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 160 }) },
);
const event = fc.oneof(
  { weight: 6, arbitrary: kindOf('hours', fc.integer({ min: 1, max: 60 })) },
  { weight: 4, arbitrary: kindOf('plan', death) },
  { weight: 1, arbitrary: kindOf('check', death) },
  { weight: 1, arbitrary: kindOf('pause', fc.constant(0)) },
  { weight: 1, arbitrary: kindOf('resume', fc.constant(0)) },
  { weight: 1, arbitrary: kindOf('servers', fc.integer({ min: 1, max: 6 })) },
  { weight: 1, arbitrary: kindOf('deaf', fc.integer({ min: 0, max: 1 })) },
);
type Event = { readonly kind: string; readonly n: number };

class Died extends Error {}

/** @param calls after which nothing answers any more; most plannings make fewer */
function mortal(ports: PlanPorts, calls: number): PlanPorts {
  let left = calls;
  const wrap = <T extends object>(port: T): T =>
    new Proxy(port, {
      get(target, property) {
        const value: unknown = Reflect.get(target, property);
        if (typeof value !== 'function') return value;
        return async (...args: unknown[]) => {
          if (left-- <= 0) throw new Died();
          return Reflect.apply(value, target, args);
        };
      },
    });
  return Object.fromEntries(
    Object.entries(ports).map(([name, port]) => [name, wrap(port)]),
  ) as unknown as PlanPorts;
}

/** Every schedule that fires by then does, at its moment; nobody hears it while the function can not be called. */
async function pass(fleet: PlannedFleet, hours: number, isDeaf: boolean): Promise<void> {
  const { settings } = fleet;
  const until = plusSeconds(fleet.now(), hours * 3600);
  for (;;) {
    const [next] = [...fleet.schedules.values()]
      .filter(({ at }) => at <= until)
      .toSorted((a, b) => (a.at < b.at ? -1 : 1));
    if (next === undefined) break;
    fleet.sleepUntil(next.at);
    await fleet.ports.schedules.delete(next.name);
    if (!isDeaf) {
      // Twice, as Scheduler may.
      await launchCampaign(fleet.ports, settings, next.input, fleet.now());
      await launchCampaign(fleet.ports, settings, next.input, fleet.now());
    }
  }
  fleet.sleepUntil(until);
}

async function live(events: readonly Event[], settings: Settings): Promise<PlannedFleet> {
  const fleet = await plannedFleet(
    [1, 2].map((n) => storedServer(n)),
    settings,
  );
  let isDeaf = false;
  const change = { by: 'ann', reason: 'as the test has it' };
  const survive = (work: Promise<unknown>) =>
    work.catch((error: unknown) => {
      if (!(error instanceof Died)) throw error;
      seen.died++;
    });
  for (const { kind, n } of events) {
    const now = fleet.now();
    if (kind === 'hours') await pass(fleet, n, isDeaf);
    if (kind === 'plan') await survive(reconcilePlan(mortal(fleet.ports, n), settings, {}, now));
    if (kind === 'check') await survive(checkFirings(mortal(fleet.ports, n), settings, now));
    if (kind === 'pause') await pauseAll(fleet.ports, change, now);
    if (kind === 'resume') await resumeAll(fleet.ports, change, now);
    if (kind === 'servers')
      await fleet.inventory(
        Array.from({ length: n }, (_, index) =>
          storedServer(index + 1, index % 2 ? { zone: 'America/New_York' } : {}),
        ),
      );
    if (kind === 'deaf') isDeaf = n === 1;
  }
  return fleet;
}

const quarters = ['2027-Q1', '2027-Q2'];
const seen = { started: 0, late: 0, missed: 0, died: 0 };

/** @returns by server, the windows of campaigns that were started */
async function startedWindows(fleet: PlannedFleet): Promise<Map<string, Window[]>> {
  const all = (await Promise.all(quarters.map((id) => fleet.firings(id)))).flat();
  seen.started += new Set(fleet.started).size;
  seen.late += all.filter(({ reason }) => reason?.code === 'launched-late').length;
  seen.missed += all.filter(({ state }) => state === 'missed').length;
  const byServer = new Map<string, Window[]>();
  for (const id of new Set(fleet.started)) {
    const campaign = await load(fleet.ports.records, campaigns, campaignKey(id));
    const firing = all.find(({ campaignId }) => campaignId === id);
    expect(firing).toBeDefined();
    if (firing) expect(campaign.createdAt < latestLaunch(firing)).toBe(true);
    if (firing) expect(campaign.policy.mode).toBe(firing.lane ?? 'all');
    for (const { name } of await readServers(fleet.ports.objects, campaign))
      byServer.set(name, [...(byServer.get(name) ?? []), campaign.window]);
  }
  return byServer;
}

async function expectAgreement(fleet: PlannedFleet): Promise<void> {
  await resumeAll(fleet.ports, { by: 'ann', reason: 'at the end' }, fleet.now());
  await fleet.plan();
  const after = (await Promise.all(quarters.map((id) => fleet.firings(id)))).flat();
  const expected = after.filter(({ state }) => state === 'expected');
  const ahead = expected.filter(({ fireAt }) => fireAt > plusSeconds(fleet.now(), 120));
  expect([...fleet.schedules.keys()].toSorted()).toEqual(
    ahead.map(({ campaignId }) => campaignId).toSorted(),
  );
  expect(after.filter(({ state, fireAt }) => state === 'expected' && fireAt <= fleet.now())).toEqual([]);
}

const lives = fc.array(event, { minLength: 20, maxLength: 50 });

test('no campaign starts into its window or twice, no server has two in a week, and plans and schedules agree', async () => {
  await fc.assert(
    fc.asyncProperty(lives, async (events) => {
      const fleet = await live(events, weekly);
      for (const windows of (await startedWindows(fleet)).values()) {
        // Saturday and Sunday are of one week, which begins on Monday.
        const weeks = windows.map(({ start }) => Math.floor((Date.parse(start) / 86_400_000 + 3) / 7));
        expect(new Set(weeks).size).toBe(weeks.length);
      }
      await expectAgreement(fleet);
    }),
    // The same lives each time: what they come through is counted below.
    { numRuns: 40, seed: 2027 },
  );
  // What does not happen in these lives is not held by them.
  for (const times of Object.values(seen)) expect(times).toBeGreaterThan(0);
}, 120_000);

test('the same holds for the security lane: no server has two windows at a time, and plans and schedules agree', async () => {
  let ofLane = 0;
  await fc.assert(
    fc.asyncProperty(lives, async (events) => {
      const fleet = await live(events, withLane);
      for (const windows of (await startedWindows(fleet)).values()) {
        const inOrder = windows.toSorted((a, b) => (a.start < b.start ? -1 : 1));
        for (const [index, { start }] of inOrder.entries()) {
          const before = inOrder[index - 1];
          if (before) expect(before.end <= start).toBe(true);
        }
      }
      const firings = (await Promise.all(quarters.map((id) => fleet.firings(id)))).flat();
      ofLane += firings.filter(({ lane, state }) => lane && state === 'launched').length;
      await expectAgreement(fleet);
    }),
    { numRuns: 40, seed: 2027 },
  );
  expect(ofLane).toBeGreaterThan(20);
}, 120_000);
