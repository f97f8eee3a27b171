/** Owns how a moment is written on the command line. */
import { type Instant, instantSchema } from '../../core/instant.ts';

/**
 * ISO 8601 with Z or an offset; seconds may be left out, and a day alone is its midnight in UTC.
 *
 * @throws what `refuse` makes
 */
export function instantOfText(
  flag: string,
  text: string | undefined,
  refuse: (message: string) => Error,
): Instant | undefined {
  if (text === undefined) return undefined;
  const form = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:?\d\d))?$/;
  const millis = form.test(text) ? Date.parse(text) : Number.NaN;
  const instant = Number.isNaN(millis) ? undefined : new Date(millis).toISOString();
  // 30 February is read as 2 March.
  const sameDay = text.length > 10 || instant?.startsWith(text);
  if (instant !== undefined && sameDay && instantSchema.safeParse(instant).success) return instant;
  throw refuse(`--${flag} ${JSON.stringify(text)} is not an instant: write it like 2026-11-21T12:00:00Z`);
}
