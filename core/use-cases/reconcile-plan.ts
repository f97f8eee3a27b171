/** Makes the world follow the plan: a firing for each planned campaign, a schedule for each firing, and a start for what is due. */
import * as z from 'zod';
import { type LeftOut, serversOfCampaigns } from '../calendar/campaign-server.ts';
import { type PlanningCalendar, planningCalendar } from '../calendar/planning-calendar.ts';
import type { PlannedCampaign, PlannedWindow, QuarterPlan } from '../calendar/quarter-plan.ts';
import { lastWindows } from '../calendar/quarters-in-turn.ts';
import { reconcileSchedules, type ScheduleChanges } from '../calendar/reconcile-schedules.ts';
import { create, update } from '../entities.ts';
import { type Firing, scheduleOf } from '../firing.ts';
import { type Instant, plusSeconds } from '../instant.ts';
import { inParallel, storeParallelism } from '../parallel.ts';
import type { OneTimeSchedules, Ports } from '../ports.ts';
import { nextQuarter, type Quarter, quarterOfDay } from '../quarter.ts';
import type { Settings } from '../settings.ts';
import { workDone } from './daily-work.ts';
import {
  firingKey,
  firings,
  isDue,
  isKept,
  keptWindows,
  listFirings,
  putWindows,
  windowsObject,
} from './firings.ts';
import { type Launch, type LaunchPorts, launchCampaign } from './launch-campaign.ts';
import {
  loadFleet,
  planStoredQuarter,
  type StoredFleet,
  type StoredQuarter,
  windowsBefore,
} from './plan-stored-quarter.ts';
import { publishFeeds } from './publish-feeds.ts';
import { quarterNotice } from './quarter-notice.ts';

export const reconcilePlanInput = z.object({
  /** Whether people are told what the current quarter holds. */
  announce: z.boolean().default(false),
});

export type PlanPorts = LaunchPorts & { readonly schedules: OneTimeSchedules };

/** Calls of EventBridge Scheduler under way at once. */
const schedulesAtOnce = 8;

interface PlannedQuarter {
  readonly plan: QuarterPlan;
  /** Planned, and not patched as things are, each with what to mend. */
  readonly leftOut: readonly LeftOut[];
}

export interface ReconciledPlan {
  readonly quarters: readonly PlannedQuarter[];
  readonly changes: ScheduleChanges;
  /** Of what was due. */
  readonly launches: readonly Launch[];
  /** Campaigns that were due and about which nothing can be said but this. */
  readonly failed: readonly { readonly campaignId: string; readonly error: string }[];
  readonly feeds: { readonly feeds: number; readonly written: number };
}

/**
 * Doing it again changes nothing. Whoever dies half way leaves firings without schedules or schedules without firings:
 * the next planning makes the one, and a start asks for the other.
 */
export async function reconcilePlan(
  ports: PlanPorts,
  settings: Settings,
  input: z.input<typeof reconcilePlanInput>,
  now: Instant,
): Promise<ReconciledPlan> {
  const { announce } = reconcilePlanInput.parse(input);
  const calendar = planningCalendar(settings.calendar, settings.policies);
  const fleet = await loadFleet(ports);
  const quarters: PlannedQuarter[] = [];
  const expected: Firing[] = [];
  const around = quartersAround(now, calendar);
  let before = await windowsBefore(ports, calendar, around[0], now);
  for (const quarter of around) {
    const planned = await planWithFirings(ports, settings, calendar, fleet, { quarter, before, now });
    before = before && lastWindows(planned.plan, before);
    quarters.push(planned);
    expected.push(...planned.expected);
  }
  const changes = reconcileSchedules(expected.map(scheduleOf), await ports.schedules.list(), now);
  await carryOut(ports.schedules, changes);
  const launches: Launch[] = [];
  const failed: { campaignId: string; error: string }[] = [];
  for (const { name: campaignId, input: event } of changes.due) {
    try {
      launches.push(await launchCampaign(ports, settings, event, now));
    } catch (error) {
      // One that can not be started must not keep the others from it.
      failed.push({ campaignId, error: String(error) });
    }
  }
  const [current] = quarters.filter(({ plan }) => isNow(plan.quarter, now, calendar));
  if (announce && current) await ports.notices.send(quarterNotice(current));
  const plans = quarters.map(({ plan }) => plan);
  const feeds = await publishFeeds(ports, plans, fleet.inventory.servers, now);
  if (failed.length === 0) await workDone(ports, 'plan-schedules', now);
  return { quarters, changes, launches, failed, feeds };
}

/** Somewhere it is still the day before, or already the next; and a campaign starts weeks before its window. */
export function quartersAround(now: Instant, { quarters }: PlanningCalendar): [Quarter, ...Quarter[]] {
  const dayOf = (instant: Instant) => quarterOfDay(instant.slice(0, 10), quarters);
  const current = dayOf(now);
  const yesterday = dayOf(plusSeconds(now, -86_400));
  const next = nextQuarter(current, quarters);
  return yesterday.id === current.id ? [current, next] : [yesterday, current, next];
}

const isNow = ({ id }: Quarter, now: Instant, { quarters }: PlanningCalendar) =>
  quarterOfDay(now.slice(0, 10), quarters).id === id;

async function planWithFirings(
  ports: Pick<Ports, 'records' | 'objects'>,
  settings: Settings,
  calendar: PlanningCalendar,
  fleet: StoredFleet,
  { quarter, before: lastBefore, now }: StoredQuarter,
): Promise<PlannedQuarter & { readonly expected: readonly Firing[] }> {
  const stored = await listFirings(ports.records, quarter.id);
  const kept = await keptWindows(ports, stored, now);
  const plan = planStoredQuarter(fleet, calendar, { quarter, kept, before: lastBefore, now });
  const { patchable, leftOut } = patchableServers(plan, settings, fleet);
  const windows = new Map<string, PlannedWindow[]>();
  for (const window of plan.windows) {
    const own = windows.get(window.campaign);
    if (own) own.push(window);
    else windows.set(window.campaign, [window]);
  }
  const known = new Map(stored.map((firing) => [firing.campaignId, firing]));
  const wanted = plan.campaigns.filter((campaign) =>
    windows.get(campaign.id)?.some(({ server }) => patchable.has(server)),
  );
  const written = await inParallel(wanted, storeParallelism, async (campaign) => {
    const before = known.get(campaign.id);
    if (before && isKept(before, now)) return before;
    const own = windows.get(campaign.id) as PlannedWindow[];
    const lead = calendar.policies.get(campaign.policy)?.leadTimeHours ?? 0;
    return expect(ports, firingOf(campaign, quarter, own, lead, now), own, before);
  });
  const ids = new Set(wanted.map(({ id }) => id));
  const gone = stored.filter(({ campaignId }) => !ids.has(campaignId));
  // Due, and its servers are in the plan no more or its window has begun: whoever would start it says so.
  const [due, withdrawn] = [true, false].map((is) => gone.filter((firing) => isDue(firing, now) === is));
  await inParallel(withdrawn ?? [], storeParallelism, (firing) => withdraw(ports, firing, now));
  const open = [...written, ...(due ?? [])].filter(
    ({ state }) => state === 'expected' || state === 'refused',
  );
  return { plan, leftOut, expected: open };
}

function patchableServers(plan: QuarterPlan, settings: Settings, { inventory }: StoredFleet) {
  const make = serversOfCampaigns(inventory.servers, settings.places, settings.calendar.haGroups);
  const byName = new Map(inventory.servers.map((server) => [server.name, server]));
  const policies = new Map(plan.campaigns.map(({ id, policy }) => [id, policy]));
  const patchable = new Set<string>();
  const leftOut = new Map<string, LeftOut>();
  for (const { server: name, campaign } of plan.windows) {
    const stored = byName.get(name);
    if (stored === undefined || patchable.has(name) || leftOut.has(name)) continue;
    const server = make.of(stored, policies.get(campaign) ?? stored.environment);
    if ('why' in server) leftOut.set(name, server);
    else patchable.add(name);
  }
  return { patchable, leftOut: [...leftOut.values()] };
}

function firingOf(
  { id, policy, lane, start, end, zone }: PlannedCampaign,
  quarter: Quarter,
  windows: readonly PlannedWindow[],
  leadTimeHours: number,
  now: Instant,
): Firing {
  return {
    schema: 1,
    campaignId: id,
    policy,
    ...(lane && { lane }),
    quarter: quarter.id,
    window: { start, end, zone },
    fireAt: plusSeconds(start, -leadTimeHours * 3600),
    windowsKey: windowsObject(windows).key,
    servers: windows.length,
    plannedAt: now,
    state: 'expected',
    reason: null,
    launchedAt: null,
  };
}

/** The object first: a firing never names one that is not there. */
async function expect(
  { records, objects }: Pick<Ports, 'records' | 'objects'>,
  wanted: Firing,
  windows: readonly PlannedWindow[],
  known: Firing | undefined,
): Promise<Firing> {
  const object = windowsObject(windows);
  if (known?.windowsKey !== object.key) await putWindows(objects, object);
  if (known === undefined && (await create(records, firings, wanted))) return wanted;
  return update(records, firings, firingKey(wanted.quarter, wanted.campaignId), (current) => {
    if (current.state === 'launched' || current.state === 'missed') return undefined;
    // Why it did not start stays, so that people hear it once.
    return { ...wanted, reason: current.state === 'withdrawn' ? null : current.reason };
  });
}

async function withdraw(
  { records }: Pick<Ports, 'records'>,
  { quarter, campaignId }: Firing,
  now: Instant,
): Promise<void> {
  const reason = { code: 'not-planned', detail: `the plan of ${now} has no such campaign any more` };
  await update(records, firings, firingKey(quarter, campaignId), (current) =>
    current.state === 'expected' || current.state === 'refused'
      ? { ...current, state: 'withdrawn' as const, reason }
      : undefined,
  );
}

/** What is to come before what is to go: who dies in between leaves one schedule too many, and not one too few. */
async function carryOut(schedules: OneTimeSchedules, changes: ScheduleChanges): Promise<void> {
  await inParallel(changes.create, schedulesAtOnce, ({ name, at, input }) =>
    schedules.create({ name, at, input }),
  );
  await inParallel(changes.move, schedulesAtOnce, ({ name, at, input }) =>
    schedules.update({ name, at, input }),
  );
  await inParallel(changes.delete, schedulesAtOnce, ({ name }) => schedules.delete(name));
}
