/** Owns a window from its local start: it ends after its length or at the policy's local end, whichever is earlier. */
import { minuteMillis, timeText } from './civil-day.ts';
import { localOf, resolveLocal } from './local-time.ts';
import type { ZoneClock } from './zone-clock.ts';

export interface LocalWindow {
  /** Epoch milliseconds. */
  readonly start: number;
  /** Exclusive; not after `start` when the clocks leave nothing of the window. */
  readonly end: number;
  /** What the clocks did to it, in words. */
  readonly notes: readonly string[];
}

/**
 * @param day number of the local day, and the minutes since its midnight at which the window starts
 * @param length minutes that pass
 * @param until minutes since the midnight of the same day, at which the allowed hours end on the local clock
 */
export function localWindow(
  clock: ZoneClock,
  { day, minutes, length, until }: { day: number; minutes: number; length: number; until?: number },
): LocalWindow {
  const start = resolveLocal(clock, day, minutes);
  const elapsed = start.at + length * minuteMillis;
  const local = until === undefined ? undefined : resolveLocal(clock, day, until).at;
  const end = local === undefined ? elapsed : Math.min(elapsed, local);
  const notes = start.note === undefined ? [] : [start.note];
  const lasts = Math.round((end - start.at) / minuteMillis);
  const ends = timeText(localOf(clock, end).minutes);
  if (end > start.at && clock.offsetAt(start.at) !== clock.offsetAt(end)) {
    notes.push(`the clocks change meanwhile: it lasts ${lengthWords(lasts)} and ends at ${ends}`);
  } else if (lasts < length) {
    notes.push(`ends at ${ends}, after ${lengthWords(Math.max(0, lasts))}, with the allowed hours`);
  }
  return { start: start.at, end, notes };
}

/** `4 h`, `1 h 30 min` */
export function lengthWords(minutes: number): string {
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  if (hours === 0) return `${rest} min`;
  return rest === 0 ? `${hours} h` : `${hours} h ${rest} min`;
}
