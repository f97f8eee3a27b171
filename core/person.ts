/** Owns when two names are one person, who can not approve what they asked for. */

/** Mail addresses and user names of one person come in more than one spelling. */
export function isSamePerson(a: string, b: string): boolean {
  return a.trim().toLowerCase() === b.trim().toLowerCase();
}
