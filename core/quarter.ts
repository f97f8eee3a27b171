/** Owns the default calendar of quarters: Q1 November to January, and so on. */
import { DateTime } from 'luxon';
import type { Instant } from './instant.ts';

/**
 * The quarter of a window that starts at `start`, by the local date in `zone`. Its year is the year in which the
 * cycle of four quarters ends, so that November 2026 to January 2027 is 2027-Q1.
 *
 * @param zone IANA name
 * @returns `2027-Q1`
 */
export function quarterOf(start: Instant, zone: string): string {
  const local = DateTime.fromISO(start, { zone });
  if (!local.isValid) throw new Error(`no quarter for ${start} in ${zone}: ${local.invalidExplanation}`);
  // Counted from November as month 0, the cycle and the calendar year part only there.
  const sinceNovember = (local.month + 1) % 12;
  const year = local.month >= 11 ? local.year + 1 : local.year;
  return `${year}-Q${Math.floor(sinceNovember / 3) + 1}`;
}
