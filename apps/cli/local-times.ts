/** Owns local times as people read them, with the name of their zone beside them. */

import { createZoneClock } from '../../core/calendar/zone-clock.ts';
import { type Instant, instantOf, millisOf } from '../../core/instant.ts';

/** @param localStart ISO 8601 with the offset that holds then */
export function localWords(localStart: string, zone: string): string {
  return `${localStart.slice(0, 16).replace('T', ' ')} ${zone}`;
}

/** `Sat 2027-01-09 02:00` */
export function dayAndTime(localStart: string): string {
  const day = new Date(`${localStart.slice(0, 10)}T00:00:00Z`).getUTCDay();
  const name = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'][day];
  return `${name} ${localStart.slice(0, 16).replace('T', ' ')}`;
}

/** The same of an instant, as the clocks of a zone show it. @param zone IANA name */
export function localDayAndTime(instant: Instant, zone: string): string {
  const millis = millisOf(instant);
  return dayAndTime(instantOf(millis + createZoneClock(zone).offsetAt(millis)));
}
