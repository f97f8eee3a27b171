/** Owns the plan of what is stored: the servers and schedules that are known now, by the calendar of the settings. */
import { planQuarter } from '../calendar/plan-quarter.ts';
import type { PlanningCalendar } from '../calendar/planning-calendar.ts';
import type { KeptWindow, QuarterPlan } from '../calendar/quarter-plan.ts';
import { hasSecurityLane, lastWindows } from '../calendar/quarters-in-turn.ts';
import type { Schedule } from '../calendar/schedule.ts';
import type { LastWindows } from '../calendar/security-lane.ts';
import { listSchedules } from '../entities.ts';
import { type Instant, plusSeconds } from '../instant.ts';
import { pastQuarters, withPastDates } from '../inventory/past-dates.ts';
import type { Ports } from '../ports.ts';
import { previousQuarter, type Quarter } from '../quarter.ts';
import { keptWindows, listFirings } from './firings.ts';
import { loadInventory, type StoredInventory } from './stored-inventory.ts';

export interface StoredFleet {
  readonly inventory: StoredInventory;
  /** Those that hold; what was removed is not among them. */
  readonly schedules: readonly Schedule[];
}

/** Once for all quarters that are planned of it. */
export async function loadFleet(ports: Pick<Ports, 'records' | 'objects'>): Promise<StoredFleet> {
  const [inventory, schedules] = await Promise.all([loadInventory(ports), listSchedules(ports.records)]);
  return { inventory, schedules };
}

export interface StoredQuarter {
  readonly quarter: Quarter;
  /** Windows whose campaign has been started; they stay as they are. */
  readonly kept?: readonly KeptWindow[];
  /** As windowsBefore has it, or the plan of the quarter before. */
  readonly before?: LastWindows | undefined;
  readonly now: Instant;
}

export function planStoredQuarter(
  { inventory, schedules }: StoredFleet,
  calendar: PlanningCalendar,
  asked: StoredQuarter,
): QuarterPlan {
  // A date that was set a year ago is no schedule any more, beside which another would be one too many.
  const pastQuarterOf = pastQuarters(asked.now, calendar.quarters);
  const servers = inventory.servers.map((server) => withPastDates(server, pastQuarterOf));
  return planQuarter({ ...calendar, ...asked, servers, schedules });
}

/**
 * The last windows of servers in the quarter before, as far as their campaigns have been started: from there the days
 * of a security lane count.
 *
 * @returns undefined without one
 */
export async function windowsBefore(
  ports: Pick<Ports, 'records' | 'objects'>,
  calendar: PlanningCalendar,
  quarter: Quarter,
  now: Instant,
): Promise<LastWindows | undefined> {
  if (!hasSecurityLane(calendar)) return undefined;
  const { id } = previousQuarter(quarter, calendar.quarters);
  const most = Math.max(...[...calendar.policies.values()].map((policy) => policy.securityWithinDays ?? 0));
  // What is longer ago is too long ago, whenever it was.
  const since = plusSeconds(`${quarter.firstDay}T00:00:00.000Z`, -(most + 1) * 86_400);
  const recent = (await listFirings(ports.records, id)).filter(({ window }) => window.start >= since);
  return lastWindows({ windows: await keptWindows(ports, recent, now) });
}

/** The plans of quarters that follow each other, with the windows of campaigns that have been started as they are. */
export async function planStoredQuarters(
  ports: Pick<Ports, 'records' | 'objects'>,
  fleet: StoredFleet,
  calendar: PlanningCalendar,
  quarters: readonly [Quarter, ...Quarter[]],
  now: Instant,
): Promise<QuarterPlan[]> {
  let before = await windowsBefore(ports, calendar, quarters[0], now);
  const plans: QuarterPlan[] = [];
  for (const quarter of quarters) {
    const kept = await keptWindows(ports, await listFirings(ports.records, quarter.id), now);
    const plan = planStoredQuarter(fleet, calendar, { quarter, kept, before, now });
    before = before && lastWindows(plan, before);
    plans.push(plan);
  }
  return plans;
}
