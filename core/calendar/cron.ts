/** Owns cron expressions: the standard five fields, read on the clock of the server's zone. */
import { dateOf, type Weekday, weekdayOf, weekdays } from './civil-day.ts';
import { localOf, resolveLocal } from './local-time.ts';
import type { ZoneClock } from './zone-clock.ts';

export interface Cron {
  readonly text: string;
  /** Minutes since midnight, rising. */
  readonly times: readonly number[];
  runsOn(day: number): boolean;
  /** Day of month and weekday are both given: cron runs on the days of either, which surprises people. */
  readonly eitherDay: boolean;
}

export class CronError extends Error {
  constructor(text: string, problem: string) {
    super(`cron expression ${JSON.stringify(text.slice(0, 100))} ${problem}`);
    this.name = 'CronError';
  }
}

interface Field {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  /** Words for the numbers from `from` on. */
  readonly words?: readonly string[];
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
/** Days of each month in a leap year. */
const longest = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const fields = [
  { name: 'minute', from: 0, to: 59 },
  { name: 'hour', from: 0, to: 23 },
  { name: 'day of month', from: 1, to: 31 },
  { name: 'month', from: 1, to: 12, words: months },
  // Sunday is 0 and 7.
  { name: 'weekday', from: 0, to: 7, words: weekdays.map((name) => name.slice(0, 3)) },
] as const satisfies readonly Field[];

/** @throws CronError */
export function parseCron(text: string): Cron {
  const parts = text.trim().split(/\s+/);
  if (parts.length !== fields.length) {
    const found = text.trim() === '' ? 'no fields' : `${parts.length} field${parts.length === 1 ? '' : 's'}`;
    throw new CronError(text, `has ${found}: write five, minute hour day month weekday, as in 0 2 * * sat`);
  }
  const [minutes, hours, days, inMonths, onWeekdays] = fields.map((field, index) =>
    numbersOf(parts[index] as string, field, text),
  ) as [Set<number>, Set<number>, Set<number>, Set<number>, Set<number>];
  const names = new Set<Weekday>([...onWeekdays].map((number) => weekdays[number % 7] as Weekday));
  // A field that begins with a star restricts nothing here, as in Vixie cron, from which all others come.
  const eitherDay = !parts[2]?.startsWith('*') && !parts[4]?.startsWith('*');
  const comes = [...inMonths].some((month) => [...days].some((day) => day <= (longest[month - 1] as number)));
  if (!eitherDay && !comes) {
    throw new CronError(
      text,
      `never runs: no month that it names has a day ${parts[2]}, write one that comes`,
    );
  }
  return {
    text: parts.join(' '),
    eitherDay,
    times: [...hours]
      .flatMap((hour) => [...minutes].map((minute) => hour * 60 + minute))
      .toSorted((a, b) => a - b),
    runsOn(day) {
      const { month, dayOfMonth } = dateOf(day);
      if (!inMonths.has(month)) return false;
      const [byDay, byWeekday] = [days.has(dayOfMonth), names.has(weekdayOf(day))];
      return eitherDay ? byDay || byWeekday : byDay && byWeekday;
    },
  };
}

export interface CronRun {
  /** Epoch milliseconds. */
  readonly at: number;
  /** Number of the local day, and the minutes since its midnight that the expression names. */
  readonly day: number;
  readonly minutes: number;
}

/** Longest wait for a day: 29 February on a given weekday, across a century without a leap year. */
const mostDays = 366 * 41;

/** Runs after an instant, in order and no moment twice. */
export function* runsAfter(cron: Cron, clock: ZoneClock, after: number): Generator<CronRun> {
  // From the day before: where a gap moved it, a run of yesterday may still lie ahead.
  const first = localOf(clock, after).day - 1;
  let last = after;
  let barren = 0;
  for (let day = first; barren < mostDays; day++, barren++) {
    if (!cron.runsOn(day)) continue;
    for (const minutes of cron.times) {
      const { at } = resolveLocal(clock, day, minutes);
      if (at <= last) continue;
      last = at;
      barren = 0;
      yield { at, day, minutes };
    }
  }
}

/** @param count of runs, five for people */
export function nextRuns(cron: Cron, clock: ZoneClock, after: number, count = 5): CronRun[] {
  const runs: CronRun[] = [];
  for (const run of runsAfter(cron, clock, after)) {
    if (runs.push(run) >= count) break;
  }
  return runs;
}

function numbersOf(part: string, field: Field, text: string): Set<number> {
  const numbers = new Set<number>();
  for (const item of part.split(',')) {
    const [, range, step] = /^([^/]*)(?:\/(\d{1,4}))?$/.exec(item) ?? [];
    if (range === undefined || step === '0' || (step !== undefined && Number(step) < 1)) {
      throw new CronError(text, `has ${JSON.stringify(item)} as ${field.name}: write */2 or 1-5/2 for steps`);
    }
    const [low, high] = boundsOf(range, step !== undefined, field, text);
    for (let number = low; number <= high; number += Number(step ?? 1)) numbers.add(number);
  }
  return numbers;
}

function boundsOf(range: string, hasStep: boolean, field: Field, text: string): [number, number] {
  if (range === '*') return [field.from, field.name === 'weekday' ? 6 : field.to];
  const ends = range.split('-');
  const numbers = ends.map((end) => numberOf(end, field, text));
  const [low, high] = numbers as [number, number | undefined];
  if (numbers.length > 2 || (high !== undefined && high < low)) {
    throw new CronError(
      text,
      `has the range ${JSON.stringify(range)} as ${field.name}: write it rising, like ${field.from}-${field.to}`,
    );
  }
  if (high === undefined && hasStep) {
    throw new CronError(text, `has a step on one ${field.name}, ${range}: write ${range}-${field.to} or *`);
  }
  return [low, high ?? low];
}

function numberOf(word: string, field: Field, text: string): number {
  const named = field.words?.indexOf(word.toLowerCase()) ?? -1;
  const number = /^\d{1,2}$/.test(word) ? Number(word) : named >= 0 ? named + field.from : Number.NaN;
  if (number >= field.from && number <= field.to) return number;
  const words = field.words ? `, or ${field.words[0]} and the like` : '';
  throw new CronError(
    text,
    `has ${JSON.stringify(word.slice(0, 30))} as ${field.name}: write ${field.from} to ${field.to}${words}`,
  );
}
