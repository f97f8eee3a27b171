/** Owns the one form in which points in time are stored and compared. */
import * as z from 'zod';

/**
 * A point in time as ISO 8601 UTC with milliseconds, `2026-11-21T01:00:00.000Z`. One form, so that comparing
 * strings compares instants and the same text sorts rightly as a DynamoDB key.
 */
export type Instant = string;

export const instantSchema = z
  .string()
  .regex(
    // No 24:00, which luxon would read: a moment with two texts would sort as two.
    /^\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):\d\d:\d\d\.\d{3}Z$/,
    'is not an instant: write it like 2026-11-21T01:00:00.000Z',
  )
  .refine(isOnTheCalendar, 'names a moment that does not exist');

/** Date.parse alone would take 30 February for 2 March. */
function isOnTheCalendar(text: string): boolean {
  const millis = Date.parse(text);
  return !Number.isNaN(millis) && instantOf(millis) === text;
}

/** @param millis epoch milliseconds */
export function instantOf(millis: number): Instant {
  return new Date(millis).toISOString();
}

export function millisOf(instant: Instant): number {
  return Date.parse(instant);
}

/** @param seconds may be negative */
export function plusSeconds(instant: Instant, seconds: number): Instant {
  return instantOf(millisOf(instant) + Math.round(seconds * 1000));
}

/** Seconds from `from` to `to`; negative when `to` is earlier. */
export function secondsBetween(from: Instant, to: Instant): number {
  return (millisOf(to) - millisOf(from)) / 1000;
}

export function isBefore(a: Instant, b: Instant): boolean {
  return a < b;
}
