/** Owns the text of an instant, as the context object and the result files write it. */
import { DateTime } from 'luxon';

let last: { millis: number; text: string } | undefined;

/** ISO 8601 in UTC. A simulation asks for the same instant thousands of times in a row. */
export function isoInstant(millis: number): string {
  if (last?.millis !== millis) {
    last = { millis, text: DateTime.fromMillis(millis, { zone: 'utc' }).toISO() ?? '' };
  }
  return last.text;
}
