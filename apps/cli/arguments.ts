/** Owns what may be asked for on the command line, and what is said when it is asked for wrongly. */
import { isDay } from '../../core/calendar/civil-day.ts';
import { nearest } from '../../core/near-match.ts';
import { type FlagKinds, readFlags } from '../local/flags.ts';
import type { AskedRule, CommandLine, CommonArguments, FeedArguments, ListArguments } from './asked.ts';
import { instantOfText } from './instant-text.ts';
import { isJobCommand, jobArgumentsOf, jobCommands } from './job-arguments.ts';

type Command = Exclude<CommandLine, { kind: 'help' }>['kind'];

export class UsageError extends Error {
  constructor(message: string, command?: string) {
    super(`${message}\nquarterdeck ${command ? `${command} ` : ''}--help shows all options`);
    this.name = 'UsageError';
  }
}

const defaultState = '.quarterdeck/state';

const common = {
  config: 'text',
  aws: 'switch',
  state: 'text',
  now: 'text',
  json: 'switch',
  by: 'text',
  help: 'switch',
} as const satisfies FlagKinds;
const filters = {
  environment: 'text',
  owner: 'text',
  group: 'text',
  name: 'text',
  all: 'switch',
} as const satisfies FlagKinds;

/** What each takes beside the common flags, and the word after its name. */
const commands: Readonly<Record<Command, { flags: FlagKinds; word?: string; mayBeLeftOut?: true }>> = {
  plan: {
    flags: { servers: 'text', quarter: 'text', reasons: 'switch', 'skip-bad-rows': 'switch' },
  },
  'servers import': {
    flags: { replace: 'switch', 'skip-bad-rows': 'switch', 'dry-run': 'switch', force: 'switch' },
    word: 'the server list, servers.csv',
  },
  'servers export': { flags: {}, word: 'a file', mayBeLeftOut: true },
  'servers list': { flags: filters },
  'servers sync': { flags: { found: 'text' } },
  'schedule set': {
    flags: {
      cron: 'text',
      date: 'text',
      time: 'text',
      approved: 'switch',
      policy: 'switch',
      change: 'switch',
      force: 'switch',
    },
    word: 'the server',
  },
  'schedule remove': { flags: { force: 'switch' }, word: 'the server' },
  'schedule show': { flags: {}, word: 'the server' },
  'schedule list': { flags: filters },
  feed: { flags: { owner: 'text', group: 'text', out: 'text' } },
  pause: { flags: { reason: 'text' } },
  resume: { flags: { reason: 'text' } },
  ...jobCommands,
};
const names = Object.keys(commands) as Command[];

/**
 * @param argv without the program's own name
 * @throws UsageError
 */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const { name, rest } = commandOf(argv);
  if (name === undefined) {
    if (rest.length === 0 || rest.includes('--help') || rest.includes('-h'))
      return { kind: 'help', command: argv.find((word) => !word.startsWith('-')) };
    throw new UsageError(`no command: write quarterdeck ${names.join(', ')}`);
  }
  const { flags, word, mayBeLeftOut } = commands[name];
  const refuse = (message: string) => new UsageError(message, name);
  const { given, words } = readFlags(rest, { ...common, ...flags }, refuse);
  if (given.has('help')) return { kind: 'help', command: name };
  const most = word === undefined ? 0 : 1;
  if (words.length > most) throw refuse(`unexpected argument ${JSON.stringify(words[most])}`);
  if (word !== undefined && words.length === 0 && !mayBeLeftOut)
    throw refuse(`${name} needs a word more: ${word}`);
  return argumentsOf(name, given, words[0] as string, refuse);
}

type Given = ReadonlyMap<string, string>;
type Refuse = (message: string) => UsageError;

function argumentsOf(kind: Command, given: Given, word: string, refuse: Refuse): CommandLine {
  const shared = commonArguments(given, refuse);
  const has = (flag: string) => given.has(flag);
  if (isJobCommand(kind)) return jobArgumentsOf(kind, { shared, given, word, refuse });
  switch (kind) {
    case 'plan': {
      const [servers, quarter] = [given.get('servers'), given.get('quarter') ?? 'current'];
      if (servers === undefined && has('skip-bad-rows'))
        throw refuse('--skip-bad-rows is of a list: add --servers FILE, or leave it out');
      if (servers !== undefined && (has('aws') || has('state')))
        throw refuse(
          `--servers plans a file, and --${has('aws') ? 'aws' : 'state'} what is stored: leave one out`,
        );
      const [reasons, skipBadRows] = [has('reasons'), has('skip-bad-rows')];
      return { kind, arguments: { ...shared, servers, quarter, reasons, skipBadRows } };
    }
    case 'servers import': {
      const [replace, skipBadRows] = [has('replace'), has('skip-bad-rows')];
      if (replace && skipBadRows)
        throw refuse(
          '--replace with --skip-bad-rows would take out servers whose rows are wrong: leave one out',
        );
      const [dryRun, force] = [has('dry-run'), has('force')];
      return { kind, arguments: { ...shared, file: word, replace, skipBadRows, dryRun, force } };
    }
    case 'servers export':
      return { kind, arguments: { ...shared, file: word } };
    case 'servers sync':
      return { kind, arguments: { ...shared, file: given.get('found') } };
    case 'servers list':
    case 'schedule list':
      return { kind, arguments: { ...shared, filter: filterOf(given), all: has('all') } };
    case 'schedule show':
      return { kind, arguments: { ...shared, server: word } };
    case 'schedule set': {
      const [change, force] = [has('change'), has('force')];
      return { kind, arguments: { ...shared, server: word, rule: ruleOf(given, refuse), change, force } };
    }
    case 'schedule remove':
      return {
        kind,
        arguments: { ...shared, server: word, rule: null, change: true, force: has('force') },
      };
    case 'feed':
      return { kind, arguments: { ...shared, audience: audienceOf(given, refuse), file: given.get('out') } };
    case 'pause':
    case 'resume': {
      const reason = given.get('reason')?.trim() ?? '';
      if (reason === '') throw refuse('--reason is missing: others will want to know why');
      return { kind, arguments: { ...shared, reason } };
    }
  }
}

/** One word, or two: `plan`, `servers import`. Flags may stand before, between and after them. */
function commandOf(argv: readonly string[]): { name: Command | undefined; rest: readonly string[] } {
  const [first, second] = argv.filter((word) => !word.startsWith('-'));
  if (first === undefined || argv[0]?.startsWith('-')) return { name: undefined, rest: argv };
  const one = names.find((name) => name === first);
  if (one !== undefined) return { name: one, rest: without(argv, [first]) };
  const within = names.filter((name) => name.startsWith(`${first} `));
  const two = within.find((name) => name === `${first} ${second}`);
  if (two !== undefined && second !== undefined) return { name: two, rest: without(argv, [first, second]) };
  const verbs = within.map((name) => name.slice(first.length + 1));
  if (verbs.length > 0) {
    if (argv.includes('--help') || argv.includes('-h')) return { name: undefined, rest: ['--help'] };
    if (second === undefined) throw new UsageError(`${first} what? Write one of ${verbs.join(', ')}`, first);
    throw new UsageError(unknown(`${first} ${second}`, second, verbs), first);
  }
  throw new UsageError(
    unknown(first, first, [...new Set(names.map((name) => name.split(' ')[0] as string))]),
  );
}

function without(argv: readonly string[], words: readonly string[]): string[] {
  const rest = [...argv];
  for (const word of words) rest.splice(rest.indexOf(word), 1);
  return rest;
}

function unknown(written: string, word: string, choices: readonly string[]): string {
  const near = nearest(word, choices);
  const mend = near ? `did you mean ${near}?` : `there is ${choices.join(', ')}`;
  return `unknown command ${JSON.stringify(written)}: ${mend}`;
}

function commonArguments(given: Given, refuse: Refuse): CommonArguments {
  const [aws, state] = [given.has('aws'), given.get('state')];
  if (aws && state !== undefined) throw refuse('--state is on this machine and --aws is not: leave one out');
  if (aws && given.has('now'))
    throw refuse('--now is for this machine: functions on AWS have their own clock');
  return {
    config: given.get('config'),
    place: aws ? { aws } : { aws, state: state ?? defaultState },
    now: instantOfText('now', given.get('now'), refuse),
    json: given.has('json'),
    by: given.get('by'),
  };
}

function filterOf(given: Given): ListArguments['filter'] {
  const keys = ['environment', 'owner', 'group', 'name'] as const;
  return Object.fromEntries(
    keys.flatMap((key) => (given.get(key) === undefined ? [] : [[key, given.get(key) as string]])),
  );
}

function ruleOf(given: Given, refuse: Refuse): AskedRule {
  const [expression, date, time] = [given.get('cron'), given.get('date'), given.get('time')];
  const said = ['cron', 'date', 'policy'].filter((flag) => given.has(flag));
  if (said.length !== 1) {
    throw refuse(
      said.length === 0
        ? 'a schedule needs one of --cron "0 2 * * sat", --date 2027-01-09, --policy'
        : `a server has one schedule: leave out ${said
            .slice(1)
            .map((flag) => `--${flag}`)
            .join(' and ')}`,
    );
  }
  if (date === undefined && (time !== undefined || given.has('approved')))
    throw refuse(
      `--${time === undefined ? 'approved' : 'time'} is of a date: add --date 2027-01-09, or leave it out`,
    );
  if (expression !== undefined) return { kind: 'cron', expression };
  if (date === undefined) return { kind: 'policy' };
  if (!isDay(date)) throw refuse(`--date ${JSON.stringify(date)} is not a day: write it like 2027-01-09`);
  if (time !== undefined && !/^([01]\d|2[0-3]):[0-5]\d$/.test(time))
    throw refuse(
      `--time ${JSON.stringify(time)} is not a time: write it like 02:00, on the server's own clock`,
    );
  return {
    kind: 'date',
    date,
    ...(time !== undefined && { time }),
    ...(given.has('approved') && { approval: 'Approved' }),
  };
}

function audienceOf(given: Given, refuse: Refuse): FeedArguments['audience'] {
  const [owner, group] = [given.get('owner'), given.get('group')];
  if (owner !== undefined && group !== undefined)
    throw refuse('a feed is of an owner or of a group: leave out --owner or --group');
  if (owner !== undefined) return { kind: 'owner', owner };
  return group === undefined ? { kind: 'fleet' } : { kind: 'group', group };
}
