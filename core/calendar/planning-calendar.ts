/** Owns what a plan takes from the configuration: quarters, policies, freezes, holidays and HA groups. */
import { defaultQuarters, type QuarterCalendar } from '../quarter.ts';
import { readZone } from '../time-zone.ts';
import { type CalendarPolicyInput, calendarPolicies, defaultEnvironments } from './calendar-policy.ts';
import type { PlanInput } from './plan-quarter.ts';
import { quartersOf, type TeamCalendar } from './team-calendar.ts';

export interface PlanningCalendar
  extends Required<Pick<PlanInput, 'policies' | 'freezes' | 'holidays' | 'haGroups'>> {
  readonly quarters: QuarterCalendar;
}

/** Without a configuration: the default quarters, and the policies of production, uat and development. */
export const defaultCalendar: PlanningCalendar = {
  quarters: defaultQuarters,
  policies: calendarPolicies(Object.fromEntries(defaultEnvironments.map((name) => [name, undefined])))
    .policies,
  freezes: [],
  holidays: [],
  haGroups: {},
};

/**
 * Of a configuration or of settings that were checked: nothing of their calendar is wrong any more.
 *
 * @param environments by name, with what each says of its calendar
 */
export function planningCalendar(
  calendar: TeamCalendar,
  environments: Readonly<Record<string, { readonly calendar?: CalendarPolicyInput | undefined }>>,
): PlanningCalendar {
  const quarters = quartersOf(calendar);
  if ('problem' in quarters) throw new Error(`of the quarters ${quarters.problem}`);
  const given = Object.fromEntries(Object.entries(environments).map(([name, all]) => [name, all.calendar]));
  const { haGroups } = calendar;
  // Servers have the one name that we keep for a zone; a person may have written another.
  const freezes = calendar.freezes.map((freeze) =>
    freeze.zone === undefined ? freeze : { ...freeze, zone: canonical(freeze.zone) },
  );
  const holidays = calendar.holidays.map((holiday) =>
    holiday.zones === undefined ? holiday : { ...holiday, zones: holiday.zones.map(canonical) },
  );
  return {
    quarters: quarters.calendar,
    policies: calendarPolicies(given).policies,
    freezes,
    holidays,
    haGroups,
  };
}

function canonical(zone: string): string {
  const reading = readZone(zone);
  if ('problem' in reading) throw new Error(reading.problem);
  return reading.zone;
}
