/** Owns the plan of what is stored: the servers and schedules that are known now, by the calendar of the settings. */
import { planQuarter } from '../calendar/plan-quarter.ts';
import type { PlanningCalendar } from '../calendar/planning-calendar.ts';
import type { PlannedWindow, QuarterPlan } from '../calendar/quarter-plan.ts';
import type { Schedule } from '../calendar/schedule.ts';
import { listSchedules } from '../entities.ts';
import type { Instant } from '../instant.ts';
import { pastQuarters, withPastDates } from '../inventory/past-dates.ts';
import type { Ports } from '../ports.ts';
import type { Quarter } from '../quarter.ts';
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
  readonly kept?: readonly PlannedWindow[];
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
