/** Owns the command line of the embedded host: what may be asked for, and what is said when it is asked for wrongly. */
import { nearest } from '../../core/near-match.ts';
import type { Server } from '../../core/server.ts';
import { readFlags } from './flags.ts';
import { parseServerList } from './server-list.ts';

const hostChoices = ['shim', 'sandbox', 'debian'] as const;
export type HostChoice = (typeof hostChoices)[number];

export interface Arguments {
  /** Undefined: the best that this machine can run. */
  readonly hosts: HostChoice | undefined;
  readonly servers: { readonly count: number } | { readonly list: readonly Server[] } | undefined;
  readonly json: boolean;
  /** Whose patch is made to fail. */
  readonly fail: 'canary' | undefined;
  /** Folder for the report. */
  readonly out: string | undefined;
}

export type CommandLine =
  | { readonly kind: 'run'; readonly arguments: Arguments }
  | { readonly kind: 'help'; readonly text: string };

/** The command line can not be followed; the message names the argument and what to write instead. */
export class UsageError extends Error {
  readonly exitCode = 2;

  constructor(message: string) {
    super(`${message}\nnpm start -- --help shows all options`);
    this.name = 'UsageError';
  }
}

export const mostServers = 1000;

export const helpText = `Runs one patch campaign, end to end, on this machine.

Usage: npm start -- [options]

  --hosts KIND     What the servers are. Default: the best this machine can run.
                     sandbox  real root file systems and systemd, with apt, dnf,
                              zypper and pacman in turn
                     debian   Debian 12 with its own pending security updates
                     shim     the same scripts, package managers stood in for
  --servers N      How many servers, 1 to ${mostServers}.
  --servers FILE   A JSON or YAML list of servers: [{"name": "web-1"}, ...]
  --fail canary    Let the patch of the canary fail, to see the campaign stop.
  --json           Print one JSON object on stdout, and progress on stderr.
  --out FOLDER     Where the report goes. Default: a new folder in .quarterdeck.
  --help           Show this text.

Exit: 0 every server is as it should be, 1 some are not, 2 wrong arguments,
      3 the campaign was stopped or not carried out.
`;

const flags = {
  hosts: 'text',
  servers: 'text',
  fail: 'text',
  out: 'text',
  json: 'switch',
  help: 'switch',
} as const;

/**
 * @param argv without the program's own name
 * @param readText reads a file; throws when it can not
 * @throws UsageError
 */
export function parseCommandLine(argv: readonly string[], readText: (path: string) => string): CommandLine {
  const { given, words } = readFlags(argv, flags, (message) => new UsageError(message));
  if (words.length > 0) throw new UsageError(`unexpected argument ${quoted(words[0] as string)}`);
  if (given.has('help')) return { kind: 'help', text: helpText };
  const value = (flag: keyof typeof flags) => given.get(flag);
  return {
    kind: 'run',
    arguments: {
      hosts: oneOf('--hosts', value('hosts'), hostChoices),
      servers: serversOf(value('servers'), readText),
      json: given.has('json'),
      fail: oneOf('--fail', value('fail'), ['canary']),
      out: value('out'),
    },
  };
}

function oneOf<T extends string>(
  option: string,
  value: string | undefined,
  choices: readonly T[],
): T | undefined {
  if (value === undefined) return undefined;
  const found = choices.find((choice) => choice === value);
  if (found !== undefined) return found;
  const near = nearest(value, choices);
  const mend = near ? `did you mean ${near}?` : `choose one of ${choices.join(', ')}`;
  throw new UsageError(`${option} ${quoted(value)} is not to be had: ${mend}`);
}

function serversOf(value: string | undefined, readText: (path: string) => string): Arguments['servers'] {
  if (value === undefined) return undefined;
  if (/^[+-]?\d+(\.\d+)?$/.test(value)) {
    const count = Number(value);
    if (Number.isInteger(count) && count >= 1 && count <= mostServers) return { count };
    throw new UsageError(`--servers ${value} is not a number of servers: give 1 to ${mostServers}`);
  }
  let text: string;
  try {
    text = readText(value);
  } catch (error) {
    throw new UsageError(`--servers ${quoted(value)} can not be read: ${(error as Error).message}`);
  }
  const parsed = parseServerList(text, mostServers);
  if ('problems' in parsed) {
    throw new UsageError(`--servers ${value}:\n${parsed.problems.map((line) => `  ${line}`).join('\n')}`);
  }
  return { list: parsed.servers };
}

function quoted(value: string): string {
  return JSON.stringify(value);
}
