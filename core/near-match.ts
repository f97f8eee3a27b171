/** Finds the word that somebody most likely meant. */

/** The nearest candidate, or undefined when all are too far away for a guess to help. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  return nearMatches(word, candidates)[0];
}

/**
 * Candidates that are near enough for a guess to help, the nearest first.
 *
 * @param candidates in lower case
 * @param share the part of its letters in which a candidate may differ
 */
export function nearMatches(word: string, candidates: readonly string[], share = 1 / 2): string[] {
  const lower = word.toLowerCase();
  return candidates
    .map((candidate) => ({ candidate, distance: distance(lower, candidate) }))
    .filter((near) => near.distance <= Math.max(1, Math.floor(near.candidate.length * share)))
    .toSorted((a, b) => a.distance - b.distance)
    .map(({ candidate }) => candidate);
}

/** Letters to add, remove, replace or swap with their neighbour to make one word the other; a cut word counts as one. */
function distance(a: string, b: string): number {
  if (a.length >= 2 && b.startsWith(a)) return Math.min(1, b.length - a.length);
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = Math.min(
        (last[j] as number) + 1,
        (row[j - 1] as number) + 1,
        (last[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1),
        swapped ? (before[j - 2] as number) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    before = last;
    last = row;
  }
  return last[b.length] as number;
}
