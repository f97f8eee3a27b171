/** Owns how instants are written in the zone that a window was planned in. */
import { DateTime } from 'luxon';
import type { Instant } from '../../../core/instant.ts';

export interface LocalTime {
  /** `Europe/Berlin`. */
  readonly zone: string;
  /** `Sat 21 Nov 2026, 23:00`. */
  minute(at: Instant): string;
  /** `23:00:12`. */
  second(at: Instant): string;
  /** `Sat 21 Nov`. */
  day(at: Instant): string;
  /** `Sat 21 Nov 2026, 23:00–23:45`, and both days where there are two. */
  span(from: Instant, to: Instant): string;
  /** `UTC+01:00`. */
  offset(at: Instant): string;
}

/** An unknown zone gives UTC, and says so: a report must never fail over the name of a zone. */
export function localTime(zone: string): LocalTime {
  const isKnown = DateTime.fromMillis(0, { zone }).isValid;
  const known = isKnown ? zone : 'utc';
  const write = (at: Instant, format: string) =>
    DateTime.fromISO(at, { zone: known, locale: 'en-GB' }).toFormat(format);
  return {
    zone: isKnown
      ? zone.toLowerCase() === 'utc'
        ? 'UTC'
        : zone
      : `UTC (${zone} is not a zone that is known here)`,
    minute: (at) => write(at, 'ccc d LLL yyyy, HH:mm'),
    second: (at) => write(at, 'HH:mm:ss'),
    day: (at) => write(at, 'ccc d LLL'),
    offset: (at) => write(at, "'UTC'ZZ"),
    span(from, to) {
      const isOneDay = write(from, 'yyyyLLdd') === write(to, 'yyyyLLdd');
      return isOneDay
        ? `${write(from, 'ccc d LLL yyyy, HH:mm')}–${write(to, 'HH:mm')}`
        : `${write(from, 'ccc d LLL yyyy, HH:mm')} – ${write(to, 'ccc d LLL, HH:mm')}`;
    },
  };
}
