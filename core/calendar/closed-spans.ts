/** Owns what closes days of the calendar in a zone: freezes, which no window may overlap, and holidays. */
import { dateOf, dayNumber, firstOfMonth, minutesOf } from './civil-day.ts';
import { resolveLocal } from './local-time.ts';
import type { Freeze, Holiday } from './team-calendar.ts';
import type { ZoneClock } from './zone-clock.ts';

export interface FrozenSpan {
  /** Epoch milliseconds. */
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  readonly reason: string;
}

/**
 * The spans of all freezes that may touch the days, by the clock of the zone or of the freeze itself, in order.
 *
 * @param first number of a local day
 * @param last still within
 */
export function frozenSpans(
  freezes: readonly Freeze[],
  environment: string,
  zone: string,
  clockOf: (zone: string) => ZoneClock,
  { first, last }: { readonly first: number; readonly last: number },
): FrozenSpan[] {
  return freezes
    .filter(({ environments }) => environments === undefined || environments.includes(environment))
    .flatMap((freeze) => {
      const clock = clockOf(freeze.zone ?? zone);
      return daySpans(freeze, first, last).map(([from, to]) => ({
        start: resolveLocal(clock, ...from).at,
        end: resolveLocal(clock, ...to).at,
        reason: freeze.reason,
      }));
    })
    .toSorted((a, b) => a.start - b.start || a.end - b.end);
}

export function freezeOver(
  spans: readonly FrozenSpan[],
  { start, end }: { readonly start: number; readonly end: number },
): FrozenSpan | undefined {
  return spans.find((span) => span.start < end && start < span.end);
}

/** Holidays of a zone by the number of the day. */
export function holidaysIn(
  holidays: readonly Holiday[],
  zone: string,
  { first, last }: { readonly first: number; readonly last: number },
): ReadonlyMap<number, string> {
  const years = yearsOf(first, last);
  return new Map(
    holidays
      .filter(({ zones }) => zones === undefined || zones.includes(zone))
      .flatMap(({ date, name }) => {
        const days = date.length === 5 ? years.map((year) => dayInYear(year, date)) : [dayNumber(date)];
        return days.map((day) => [day, name] as const);
      }),
  );
}

type Moment = readonly [day: number, minutes: number];

/** By the schema `from` and `to` are texts, but for those of a month. */
function daySpans({ every, from, to }: Freeze, first: number, last: number): [from: Moment, to: Moment][] {
  if (every === undefined) return [[momentOf(String(from), 0), momentOf(String(to), 1440)]];
  if (every === 'year') {
    // From the year before: a freeze over New Year began in it.
    return yearsOf(first, last).map((year) =>
      wholeDays(dayInYear(year, String(from)), dayInYear(to < from ? year + 1 : year, String(to))),
    );
  }
  const { year, month } = dateOf(first);
  const months = Math.ceil((last - first) / 28) + 2;
  return Array.from({ length: months }, (_, index) => {
    const start = dayInMonth(year, month - 1 + index, Number(from));
    const same = dayInMonth(year, month - 1 + index, Number(to));
    return wholeDays(start, same < start ? dayInMonth(year, month + index, Number(to)) : same);
  });
}

function wholeDays(from: number, to: number): [from: Moment, to: Moment] {
  return [
    [from, 0],
    [to, 1440],
  ];
}

function momentOf(text: string, minutesOfDay: number): Moment {
  const time = text.slice(11);
  return [dayNumber(text.slice(0, 10)), time === '' ? minutesOfDay : minutesOf(time)];
}

/** 29 February of other years is the 28th. */
function dayInYear(year: number, yearDay: string): number {
  const leap = new Date(Date.UTC(year, 1, 29)).getUTCMonth() === 1;
  return dayNumber(`${year}-${yearDay === '02-29' && !leap ? '02-28' : yearDay}`);
}

/** @param day 1 to 31, or -1 for the last; what a month has not is its last or first day */
function dayInMonth(year: number, month: number, day: number): number {
  const [start, next] = [firstOfMonth(year, month), firstOfMonth(year, month + 1)];
  return day > 0 ? Math.min(start + day - 1, next - 1) : Math.max(next + day, start);
}

function yearsOf(first: number, last: number): number[] {
  const [from, to] = [dateOf(first).year - 1, dateOf(last).year];
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
