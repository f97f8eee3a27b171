/** Owns how long the agent lets a step run. */

const fallback = 3_600;

/** What the agent makes of `timeoutSeconds`: outside of 5–172,800, or no number, it silently takes an hour. */
export function stepTimeout(given: string | number | undefined): number {
  const seconds = Math.trunc(Number(given ?? Number.NaN));
  return seconds >= 5 && seconds <= 172_800 ? seconds : fallback;
}
