/** Owns quarters: the team's own division of the year, and which of them a day belongs to. */
import { DateTime } from 'luxon';
import type { Instant } from './instant.ts';

/** Quarters in the order of the cycle; together their months are twelve in a row. */
export interface QuarterCalendar {
  readonly quarters: readonly {
    /** What the team calls it: `Q1`, or `winter`. */
    readonly name: string;
    /** 1 to 12, in order. */
    readonly months: readonly number[];
  }[];
  /** Whether a quarter's year is that in which its cycle ends or that in which it starts. */
  readonly year: 'cycle-end' | 'cycle-start';
}

export interface Quarter {
  /** `2027-Q1`: year and place in the cycle, whatever the team calls it. */
  readonly id: string;
  readonly name: string;
  readonly year: number;
  /** Place in the cycle, from 1. */
  readonly number: number;
  /** `2026-11-01`, on the calendar of each server. */
  readonly firstDay: string;
  /** Still in the quarter. */
  readonly lastDay: string;
}

/** The text is no quarter of the calendar; the message says which there are. */
export class QuarterError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'QuarterError';
  }
}

export const defaultQuarters: QuarterCalendar = {
  quarters: [
    { name: 'Q1', months: [11, 12, 1] },
    { name: 'Q2', months: [2, 3, 4] },
    { name: 'Q3', months: [5, 6, 7] },
    { name: 'Q4', months: [8, 9, 10] },
  ],
  year: 'cycle-end',
};

/**
 * The quarter of a window that starts at `start`, by the local date in `zone`. By default its year is the year in
 * which the cycle ends, so that November 2026 to January 2027 is 2027-Q1.
 *
 * @param zone IANA name
 * @returns `2027-Q1`
 */
export function quarterOf(start: Instant, zone: string, calendar = defaultQuarters): string {
  const local = DateTime.fromISO(start, { zone });
  if (!local.isValid) throw new Error(`no quarter for ${start} in ${zone}: ${local.invalidExplanation}`);
  return quarterOfDay(local.toISODate(), calendar).id;
}

/** @param day `2027-01-09` */
export function quarterOfDay(day: string, calendar = defaultQuarters): Quarter {
  const [year, month] = day.split('-').map(Number) as [number, number];
  const index = calendar.quarters.findIndex(({ months }) => months.includes(month));
  const cycleStart = month >= firstMonthOf(calendar) ? year : year - 1;
  return quarterAt(cycleStart, index, calendar);
}

/**
 * @param text `2027-Q1`, or the year with the team's own name, `2027-winter`, in any case
 * @throws QuarterError
 */
export function parseQuarter(text: string, calendar = defaultQuarters): Quarter {
  const [, year, word = ''] = /^(\d{4})-(.+)$/.exec(text) ?? [];
  const names = calendar.quarters.map(({ name }) => name);
  const ids = names.map((_, index) => `Q${index + 1}`);
  const isWord = (name: string) => name.toLowerCase() === word.toLowerCase();
  const index = names.findIndex(isWord) < 0 ? ids.findIndex(isWord) : names.findIndex(isWord);
  if (year === undefined || index < 0) {
    throw new QuarterError(
      `${JSON.stringify(text)} is not a quarter: they are ${names.join(', ')}, write one like ${year ?? 2027}-${names[0]}`,
    );
  }
  return quarterAt(Number(year) - yearsAhead(calendar), index, calendar);
}

/**
 * @param text `current`, `next` or `previous`, by UTC: which quarter it is is asked of the team and not of a server; or
 *   as parseQuarter reads it
 * @throws QuarterError
 */
export function quarterAsked(text: string, now: Instant, calendar = defaultQuarters): Quarter {
  const current = quarterOfDay(now.slice(0, 10), calendar);
  switch (text.toLowerCase()) {
    case 'current':
      return current;
    case 'next':
      return nextQuarter(current, calendar);
    case 'previous':
      return previousQuarter(current, calendar);
    default:
      return parseQuarter(text, calendar);
  }
}

export function nextQuarter(quarter: Quarter, calendar = defaultQuarters): Quarter {
  return quarterOfDay(dayAfter(quarter.lastDay, 1), calendar);
}

export function previousQuarter(quarter: Quarter, calendar = defaultQuarters): Quarter {
  return quarterOfDay(dayAfter(quarter.firstDay, -1), calendar);
}

/** @param day `2027-01-09` */
export function isInQuarter(quarter: Quarter, day: string): boolean {
  return quarter.firstDay <= day && day <= quarter.lastDay;
}

function quarterAt(cycleStart: number, index: number, calendar: QuarterCalendar): Quarter {
  const { name, months } = calendar.quarters[index] as QuarterCalendar['quarters'][number];
  const before = calendar.quarters.slice(0, index).reduce((sum, { months: all }) => sum + all.length, 0);
  const first = Date.UTC(cycleStart, firstMonthOf(calendar) - 1 + before, 1);
  const last = Date.UTC(cycleStart, firstMonthOf(calendar) - 1 + before + months.length, 0);
  const year = cycleStart + yearsAhead(calendar);
  const number = index + 1;
  return { id: `${year}-Q${number}`, name, year, number, firstDay: dayOf(first), lastDay: dayOf(last) };
}

/** Years from the start of a cycle to the year that names its quarters. */
function yearsAhead(calendar: QuarterCalendar): number {
  return calendar.year === 'cycle-end' && firstMonthOf(calendar) > 1 ? 1 : 0;
}

function firstMonthOf(calendar: QuarterCalendar): number {
  return calendar.quarters[0]?.months[0] as number;
}

function dayAfter(day: string, days: number): string {
  return dayOf(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000);
}

function dayOf(millis: number): string {
  return new Date(millis).toISOString().slice(0, 10);
}
