/** Owns when a date that was set is history: its quarter is over where the server is. */
import { DateTime } from 'luxon';
import type { ExplicitDate, QuarterColumn } from '../calendar/server-to-plan.ts';
import type { Instant } from '../instant.ts';
import { type QuarterCalendar, quarterOfDay } from '../quarter.ts';
import { type PastDate, quarterColumns } from './inventory-server.ts';

/** The quarter of a local day, `2026-Q4`, when it is over in the zone. */
export type PastQuarterOf = (day: string, zone: string) => string | undefined;

export function pastQuarters(now: Instant, quarters: QuarterCalendar): PastQuarterOf {
  const firstDays = new Map<string, string>();
  return (day, zone) => {
    const firstDay = firstDays.get(zone) ?? quarterOfDay(dayIn(now, zone), quarters).firstDay;
    firstDays.set(zone, firstDay);
    return day < firstDay ? quarterOfDay(day, quarters).id : undefined;
  };
}

type Dates = Readonly<Partial<Record<QuarterColumn, ExplicitDate>>>;

export function splitPast(
  dates: Dates,
  zone: string,
  pastQuarterOf: PastQuarterOf,
): { readonly explicit: Dates; readonly history: PastDate[] } {
  const explicit: Partial<Record<QuarterColumn, ExplicitDate>> = {};
  const history: PastDate[] = [];
  for (const column of quarterColumns) {
    const given = dates[column];
    if (given === undefined) continue;
    const quarter = given.date === undefined ? undefined : pastQuarterOf(given.date, zone);
    if (quarter === undefined || given.date === undefined) explicit[column] = given;
    else history.push({ ...given, date: given.date, quarter, column });
  }
  return { explicit, history };
}

/** A server whose dates were set a while ago, as it is now. */
export function withPastDates<
  T extends { readonly zone: string; readonly explicit: Dates; readonly history: readonly PastDate[] },
>(server: T, pastQuarterOf: PastQuarterOf): T {
  const { explicit, history } = splitPast(server.explicit, server.zone, pastQuarterOf);
  return history.length === 0 ? server : { ...server, explicit, history: joined(server.history, history) };
}

/** Each date of a column once; what was said of it last holds. */
export function joined(before: readonly PastDate[], added: readonly PastDate[]): PastDate[] {
  const all = new Map([...before, ...added].map((past) => [`${past.column} ${past.date}`, past]));
  return [...all.values()].toSorted((a, b) => (a.date < b.date ? -1 : a.date > b.date ? 1 : 0));
}

function dayIn(now: Instant, zone: string): string {
  const local = DateTime.fromISO(now, { zone });
  if (!local.isValid) throw new Error(`no day for ${now} in ${zone}: ${local.invalidExplanation}`);
  return local.toISODate();
}
