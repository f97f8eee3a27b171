/** Owns how lists and tags say yes and no. */

const words = new Map([
  ...['yes', 'y', 'true', '1'].map((word) => [word, 'yes'] as const),
  ...['no', 'n', 'false', '0'].map((word) => [word, 'no'] as const),
]);

/** @returns undefined for any other word */
export function yesOrNo(text: string): 'yes' | 'no' | undefined {
  return words.get(text.trim().toLowerCase());
}
