/** Owns what may be asked for on the command line, and what is said when it is asked for wrongly. */
import { parseArgs } from 'node:util';
import { instantSchema } from '../../core/instant.ts';
import { nearest } from '../../core/near-match.ts';

export interface PlanArguments {
  /** Path of the server list. */
  readonly servers: string;
  /** Undefined: `quarterdeck.yaml`, where there is one. */
  readonly config: string | undefined;
  /** `2027-Q1`, `current`, `next` or `previous`. */
  readonly quarter: string;
  /** Undefined: the clock of this machine. */
  readonly now: string | undefined;
  readonly json: boolean;
  /** Whether every window is listed with its reason. */
  readonly reasons: boolean;
  readonly skipBadRows: boolean;
}

export type CommandLine =
  | { readonly kind: 'plan'; readonly arguments: PlanArguments }
  | { readonly kind: 'help' };

export class UsageError extends Error {
  constructor(message: string) {
    super(`${message}\nquarterdeck --help shows all commands and options`);
    this.name = 'UsageError';
  }
}

export const helpText = `Says when each server is patched, and why then.

Usage: quarterdeck plan --servers FILE [options]

  --servers FILE     A list of servers (CSV): Server Name, Environment, Server Timezone, and
                     what else there is to say.
  --quarter QUARTER  2027-Q1, current, next or previous. Default: current.
  --config FILE      Quarters, freezes and the policy of each environment. Default:
                     quarterdeck.yaml, and without it policies for production, uat, development.
  --now INSTANT      Plan as if it were 2026-11-21T12:00:00Z.
  --reasons          List every window with its reason.
  --skip-bad-rows    Plan the servers whose rows are right; the others are listed.
  --json             Print one JSON object: quarter, windows, conflicts, errors.
  --help             Show this text.

Exit: 0 every server has its windows, 4 there are conflicts, 1 something can not be read.
`;

const commands = ['plan'];
const flags = {
  servers: { type: 'string' },
  quarter: { type: 'string' },
  config: { type: 'string' },
  now: { type: 'string' },
  reasons: { type: 'boolean' },
  'skip-bad-rows': { type: 'boolean' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;
type Flag = keyof typeof flags;
const flagNames = Object.keys(flags) as Flag[];

/**
 * @param argv without the program's own name
 * @throws UsageError
 */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const { command, given } = read(argv);
  if (given.has('help') || (command === undefined && given.size === 0)) return { kind: 'help' };
  if (command === undefined) throw new UsageError(`no command: write quarterdeck ${commands.join(' or ')}`);
  const servers = given.get('servers');
  if (servers === undefined)
    throw new UsageError('--servers is missing: name a list of servers, servers.csv');
  return {
    kind: 'plan',
    arguments: {
      servers,
      config: given.get('config'),
      quarter: given.get('quarter') ?? 'current',
      now: instantOfText(given.get('now')),
      json: given.has('json'),
      reasons: given.has('reasons'),
      skipBadRows: given.has('skip-bad-rows'),
    },
  };
}

/** Not strict: the errors of `parseArgs` itself name no way out. */
function read(argv: readonly string[]): { command: string | undefined; given: Map<Flag, string> } {
  const { tokens } = parseArgs({
    args: [...argv],
    options: flags,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const given = new Map<Flag, string>();
  let command: string | undefined;
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue;
    if (token.kind === 'positional') {
      if (command !== undefined) throw new UsageError(`unexpected argument ${JSON.stringify(token.value)}`);
      command = token.value;
      if (!commands.includes(command)) throw new UsageError(unknownCommand(command));
      continue;
    }
    const flag = flagNames.find((name) => name === token.name);
    if (flag === undefined) {
      const near = nearest(token.name, flagNames);
      throw new UsageError(`unknown option ${token.rawName}${near ? `: did you mean --${near}?` : ''}`);
    }
    if (given.has(flag)) throw new UsageError(`--${flag} is given twice: give it once`);
    const takesValue = flags[flag].type === 'string';
    if (!takesValue && token.value !== undefined) throw new UsageError(`--${flag} takes no value`);
    if (takesValue && (token.value === undefined || token.value === '' || token.value.startsWith('--'))) {
      throw new UsageError(`--${flag} needs a value`);
    }
    given.set(flag, token.value ?? '');
  }
  return { command, given };
}

function unknownCommand(command: string): string {
  const near = nearest(command, commands);
  const mend = near ? `did you mean ${near}?` : `there is ${commands.join(', ')}`;
  return `unknown command ${JSON.stringify(command)}: ${mend}`;
}

/** ISO 8601 with Z or an offset; seconds may be left out, and a day alone is its midnight in UTC. */
function instantOfText(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const form = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:?\d\d))?$/;
  const millis = form.test(text) ? Date.parse(text) : Number.NaN;
  const instant = Number.isNaN(millis) ? undefined : new Date(millis).toISOString();
  // 30 February is read as 2 March.
  const sameDay = text.length > 10 || instant?.startsWith(text);
  if (instant !== undefined && sameDay && instantSchema.safeParse(instant).success) return instant;
  throw new UsageError(`--now ${JSON.stringify(text)} is not an instant: write it like 2026-11-21T12:00:00Z`);
}
