/** Owns how dates and times are written in server lists; what can be read in two ways is refused. */
import { isDay } from '../calendar/civil-day.ts';
import { quoted } from './csv-text.ts';

export type Reading<T> = T | { readonly problem: string };

/** A date may bring its time, as spreadsheets keep both in one cell. */
export interface PatchDate {
  /** `2027-01-09` */
  readonly date: string;
  /** `02:00`; midnight is what a spreadsheet shows when nobody set a time, and left out. */
  readonly time?: string;
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const two = (value: number | string) => String(value).padStart(2, '0');

/**
 * @param text trimmed and not empty: `2027-03-25`, `2027-03-25 02:00`, `46106` (a date of Excel), `25 Mar 2027`, or
 *   `25/03/2027 02:00`, since there is no month 25. `03/07/2027` is refused.
 */
export function readDate(text: string): Reading<PatchDate> {
  if (/^\d{1,7}(\.\d+)?$/.test(text)) return dateOfSerial(text);
  const [, year, month, day, clock] =
    /^(\d{4})([-/.]\d{1,2})([-/.]\d{1,2})(?:[T ]+(\d.*))?$/i.exec(text) ?? [];
  if (year && month && day) {
    return withTime(text, checked(text, year, month.slice(1), day.slice(1)), clock);
  }
  const [, first, second, yearLast, time] =
    /^(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})(?: +(\d.*))?$/.exec(text) ?? [];
  if (first && second && yearLast) return withTime(text, dayAndMonth(text, first, second, yearLast), time);
  return dateInWords(text);
}

/** Excel's day 1 is 1 January 1900, and its day 60 the 29 February 1900, which never was. */
export function dayOfSerial(serial: number): string | undefined {
  if (!Number.isInteger(serial) || serial < 1 || serial === 60 || serial > 2_958_465) return undefined;
  const sinceDecember31 = serial > 60 ? serial - 1 : serial;
  return new Date(Date.UTC(1899, 11, 31 + sinceDecember31)).toISOString().slice(0, 10);
}

/** @param text trimmed and not empty: `02:00`, `2:30 PM`, `2 am`, or `0.0833`, the part of a day that Excel keeps */
export function readTime(text: string): Reading<{ readonly time: string }> {
  if (/^0?\.\d+$|^0(\.0*)?$/.test(text)) return timeOfFraction(text, Number(text));
  const [, hours, minutes = '00', seconds = '00', half] =
    /^(\d{1,2})(?::(\d\d))?(?::(\d\d)(?:\.0+)?)?\s*([ap]\.?\s?m\.?)?$/i.exec(text) ?? [];
  const afternoon = half && /^p/i.test(half) ? 12 : 0;
  const hour = half === undefined ? Number(hours) : (Number(hours) % 12) + afternoon;
  const isClock =
    half === undefined ? text.includes(':') && hour <= 23 : /^(0?[1-9]|1[0-2])$/.test(hours ?? '');
  if (hours === undefined || !isClock || Number(minutes) > 59 || Number(seconds) > 59) {
    return { problem: `${quoted(text)} is not a time: write it like 02:00 or 2:00 AM` };
  }
  if (seconds !== '00') return { problem: `${quoted(text)} has seconds: windows begin on a minute` };
  return { time: `${two(hour)}:${minutes}` };
}

function dateOfSerial(text: string): Reading<PatchDate> {
  const date = dayOfSerial(Math.floor(Number(text)));
  // 20270109 without dashes, 2027 or a lone 9 would be days of other centuries.
  if (date === undefined || date < '2000' || date >= '2100') {
    return {
      problem: `${quoted(text)} is not a date of this century as Excel counts days: write it like 2027-01-09`,
    };
  }
  const clock = timeOfFraction(text, Number(text) % 1);
  return 'problem' in clock ? clock : { date, ...unlessMidnight(clock.time) };
}

function timeOfFraction(text: string, fraction: number): Reading<{ readonly time: string }> {
  const minutes = Math.round(fraction * 1440);
  // Excel shows as many digits as fit: 0.0833 is 02:00. What is off by more was no whole minute.
  if (Math.abs(fraction * 1440 - minutes) > 0.2 || minutes >= 1440) {
    return { problem: `${quoted(text)} is not a whole minute of a day: write the time like 02:00` };
  }
  return { time: `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}` };
}

function dayAndMonth(
  text: string,
  first: string,
  second: string,
  year: string,
): Reading<{ readonly date: string }> {
  const dayFirst = checked(text, year, second, first);
  const monthFirst = checked(text, year, first, second);
  if ('date' in dayFirst && 'date' in monthFirst && dayFirst.date !== monthFirst.date) {
    return {
      problem: `${quoted(text)} can be read in two ways: write ${dayFirst.date} or ${monthFirst.date}`,
    };
  }
  return 'date' in dayFirst ? dayFirst : monthFirst;
}

function dateInWords(text: string): Reading<PatchDate> {
  const dayFirst = /^(\d{1,2})[\s-]([a-z]{3,9})\.?[\s,-]+(\d{4})$/i.exec(text);
  const monthFirst = /^([a-z]{3,9})\.?\s+(\d{1,2}),?\s+(\d{4})$/i.exec(text);
  const [day, name, year] = dayFirst
    ? dayFirst.slice(1)
    : monthFirst
      ? [monthFirst[2], monthFirst[1], monthFirst[3]]
      : [];
  const month = months.findIndex((short) => name !== undefined && isMonthName(name.toLowerCase(), short)) + 1;
  if (day === undefined || year === undefined || month === 0) {
    return { problem: `${quoted(text)} is not a date: write it like 2027-01-09, or leave the cell empty` };
  }
  return checked(text, year, String(month), day);
}

const longMonths =
  /^(january|february|march|april|may|june|july|august|sept(ember)?|october|november|december)$/;

function isMonthName(name: string, short: string): boolean {
  return name === short || (name.startsWith(short) && longMonths.test(name));
}

function checked(text: string, year: string, month: string, day: string): Reading<{ readonly date: string }> {
  const date = `${year}-${two(month)}-${two(day)}`;
  if (!isDay(date)) return { problem: `${quoted(text)} is not on the calendar: write a day like 2027-01-09` };
  if (date < '2000' || date >= '2100') {
    return { problem: `${quoted(text)} is not of this century: write a day like 2027-01-09` };
  }
  return { date };
}

function withTime(
  text: string,
  day: Reading<{ readonly date: string }>,
  clock: string | undefined,
): Reading<PatchDate> {
  if ('problem' in day || clock === undefined) return day;
  const { date } = day;
  if (/z$|[+-]\d\d:?\d\d$/i.test(clock)) {
    return {
      problem: `${quoted(text)} has an offset: dates are local, write ${date} and the server's own time`,
    };
  }
  const reading = readTime(clock);
  return 'problem' in reading ? reading : { date, ...unlessMidnight(reading.time) };
}

function unlessMidnight(time: string): { time?: string } {
  return time === '00:00' ? {} : { time };
}
