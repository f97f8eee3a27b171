/** Owns the way from a local date and time to an instant, where clocks are set forward or back, and says what it did. */
import { dayMillis, dayText, minuteMillis, timeText } from './civil-day.ts';
import type { ZoneClock } from './zone-clock.ts';

export interface ResolvedTime {
  /** Epoch milliseconds. */
  readonly at: number;
  /** What daylight saving time did to it, in words. */
  readonly note?: string;
}

/** Offsets lie between 12 hours behind and 14 ahead of UTC; Apia and Manila have jumped over a whole day. */
const furthest = 28 * 3_600_000;

/**
 * A local time that does not exist is the first instant after the gap; one that comes twice is the first.
 *
 * @param day number of the local day
 * @param minutes since its midnight; 1440 and more run into the next day
 */
export function resolveLocal(clock: ZoneClock, day: number, minutes: number): ResolvedTime {
  const local = day * dayMillis + minutes * minuteMillis;
  const changes = clock.changesBetween(local - furthest, local + furthest);
  const offsets = [clock.offsetAt(local - furthest), ...changes.map(({ after }) => after)];
  const instants = [...new Set(offsets)]
    .map((offset) => local - offset)
    .filter((at) => at + clock.offsetAt(at) === local)
    .toSorted((a, b) => a - b);
  const [first] = instants;
  if (first !== undefined) {
    if (instants.length === 1) return { at: first };
    return {
      at: first,
      note: `${placeWords('comes twice', local, clock.zone)}: taken once, the first`,
    };
  }
  const gap = changes.find(({ at, before, after }) => at + before <= local && local < at + after);
  if (gap === undefined)
    throw new Error(`${dayText(day)} ${timeText(minutes)} has no place in ${clock.zone}`);
  const moved = wallTime(gap.at + gap.after);
  const landed =
    moved.day === Math.floor(local / dayMillis) ? moved.time : `${dayText(moved.day)} ${moved.time}`;
  return { at: gap.at, note: `${placeWords('does not exist', local, clock.zone)}: moved to ${landed}` };
}

/** `2027-01-09T00:00:00+01:00`: what the clock of the zone shows at an instant. */
export function localIso(clock: ZoneClock, at: number): string {
  const offset = clock.offsetAt(at);
  const minutes = Math.round(Math.abs(offset) / minuteMillis);
  const wall = new Date(at + offset).toISOString().slice(0, 19);
  return `${wall}${offset < 0 ? '-' : '+'}${timeText(minutes)}`;
}

/** Number of the local day, and minutes since its midnight. */
export function localOf(clock: ZoneClock, at: number): { day: number; minutes: number } {
  const local = at + clock.offsetAt(at);
  const day = Math.floor(local / dayMillis);
  return { day, minutes: Math.floor((local - day * dayMillis) / minuteMillis) };
}

function placeWords(what: string, local: number, zone: string): string {
  const { day, time } = wallTime(local);
  return `${time} ${what} on ${dayText(day)} in ${zone}`;
}

function wallTime(local: number): { day: number; time: string } {
  const day = Math.floor(local / dayMillis);
  return { day, time: timeText(Math.floor((local - day * dayMillis) / minuteMillis)) };
}
