/** Owns the reading of a command line into flags and words: what is wrong is said with the way out of it. */
import { parseArgs } from 'node:util';
import { nearest } from '../../core/near-match.ts';

/** By name, without the dashes; every program has `help`, `-h`. */
export type FlagKinds = Readonly<Record<string, 'text' | 'switch'>>;

export interface ReadFlags {
  /** A switch that is there has the empty text. */
  readonly given: ReadonlyMap<string, string>;
  /** What is no flag, in order. */
  readonly words: readonly string[];
}

/**
 * Not strict: the errors of `parseArgs` itself name no way out.
 *
 * @param argv without the program's own name
 * @param refuse makes the error that is thrown
 */
export function readFlags(
  argv: readonly string[],
  kinds: FlagKinds,
  refuse: (message: string) => Error,
): ReadFlags {
  const { tokens } = parseArgs({
    args: [...argv],
    options: Object.fromEntries(
      Object.entries(kinds).map(([name, kind]) => [
        name,
        { type: kind === 'text' ? 'string' : 'boolean', ...(name === 'help' && { short: 'h' }) },
      ]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const given = new Map<string, string>();
  const words: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue;
    if (token.kind === 'positional') {
      words.push(token.value);
      continue;
    }
    const kind = Object.hasOwn(kinds, token.name) ? kinds[token.name] : undefined;
    if (kind === undefined) {
      const near = nearest(token.name, Object.keys(kinds));
      throw refuse(`unknown option ${token.rawName}${near ? `: did you mean --${near}?` : ''}`);
    }
    if (given.has(token.name)) throw refuse(`--${token.name} is given twice: give it once`);
    given.set(token.name, checkedValue(token.name, kind, token.value, refuse));
  }
  return { given, words };
}

function checkedValue(
  name: string,
  kind: FlagKinds[string],
  value: string | undefined,
  refuse: (message: string) => Error,
): string {
  if (kind === 'switch') {
    if (value !== undefined) throw refuse(`--${name} takes no value, not ${JSON.stringify(value)}`);
    return '';
  }
  if (value === undefined || value === '' || value.startsWith('--')) throw refuse(`--${name} needs a value`);
  return value;
}
