/** Owns how servers and campaigns on AWS are asked for on the command line, and what is said when it is done wrongly. */
import { rollbackToSchema } from '../../core/rehearsal.ts';
import { serverIdSchema } from '../../core/server.ts';
import type { FlagKinds } from '../local/flags.ts';
import type { CommonArguments } from './asked.ts';
import type { BackupsArguments, JobCommandLine } from './asked-jobs.ts';
import { instantOfText } from './instant-text.ts';

type JobCommand = JobCommandLine['kind'];

/** What each takes beside the common flags, and the word after its name. */
export const jobCommands: Readonly<Record<JobCommand, { flags: FlagKinds; word?: string }>> = {
  'reboot request': {
    flags: { reason: 'text', always: 'switch', start: 'text', minutes: 'text' },
    word: 'the server, by id or name',
  },
  'reboot show': { flags: {}, word: 'the id of the server' },
  'reboot cancel': { flags: { reason: 'text' }, word: 'the id of the server' },
  'backups list': { flags: { campaign: 'text', server: 'text' } },
  'backups verify': { flags: { campaign: 'text', server: 'text' } },
  'backups test': { flags: { count: 'text' } },
  'root-volume request': { flags: { campaign: 'text', reason: 'text' }, word: 'the id of the server' },
  'root-volume decide': {
    flags: { campaign: 'text', snapshot: 'text', approve: 'switch', deny: 'switch', reason: 'text' },
    word: 'the id of the server',
  },
  'rollback request': {
    flags: { servers: 'text', to: 'text', 'dry-run': 'switch', reason: 'text' },
    word: 'the id of the campaign',
  },
  'rollback show': { flags: {}, word: 'the id of the campaign' },
  'zones ask': { flags: { servers: 'text' } },
  'zones show': { flags: { all: 'switch' } },
  'campaign stop': { flags: { reason: 'text' }, word: 'the id of the campaign' },
  'campaign approve': { flags: { root: 'text', reason: 'text' }, word: 'the id of the campaign' },
  'campaign deny': { flags: { root: 'text', reason: 'text' }, word: 'the id of the campaign' },
};

interface Said {
  readonly shared: CommonArguments;
  readonly given: ReadonlyMap<string, string>;
  readonly word: string;
  readonly refuse: (message: string) => Error;
}

export function isJobCommand(name: string): name is JobCommand {
  return Object.hasOwn(jobCommands, name);
}

/** @throws what `refuse` makes */
export function jobArgumentsOf(kind: JobCommand, said: Said): JobCommandLine {
  const { shared, given, word, refuse } = said;
  switch (kind) {
    case 'reboot request': {
      const start = instantOfText('start', given.get('start'), refuse);
      const minutes = wholeNumber('minutes', [15, 1440], said);
      const mode = given.has('always') ? 'always' : 'if-needed';
      return { kind, arguments: { ...shared, server: word, reason: reasonOf(said), mode, start, minutes } };
    }
    case 'reboot show':
      return { kind, arguments: { ...shared, serverId: serverIdOf(word, refuse) } };
    case 'reboot cancel':
      return { kind, arguments: { ...shared, serverId: serverIdOf(word, refuse), reason: reasonOf(said) } };
    case 'backups list':
    case 'backups verify':
      return { kind, arguments: { ...shared, ...whoseBackups(said) } };
    case 'backups test':
      return { kind, arguments: { ...shared, count: wholeNumber('count', [1, 100], said) } };
    case 'root-volume request': {
      const [serverId, campaignId] = [serverIdOf(word, refuse), needed('campaign', 'the id of one', said)];
      return { kind, arguments: { ...shared, serverId, campaignId, reason: reasonOf(said) } };
    }
    case 'root-volume decide': {
      const [serverId, campaignId] = [serverIdOf(word, refuse), needed('campaign', 'the id of one', said)];
      const snapshotId = needed('snapshot', 'the one that the notice names', said);
      const approved = given.has('approve');
      if (approved === given.has('deny'))
        throw refuse('a decision is one of --approve, --deny: give one of them');
      return {
        kind,
        arguments: { ...shared, serverId, campaignId, snapshotId, ...decisionOf(approved, said) },
      };
    }
    case 'rollback request': {
      const servers = listedServers(said);
      const [to, dryRun] = [rungOf(said), given.has('dry-run')];
      return {
        kind,
        arguments: { ...shared, campaignId: word, servers, to, dryRun, reason: reasonOf(said) },
      };
    }
    case 'rollback show':
      return { kind, arguments: { ...shared, campaignId: word } };
    case 'zones ask':
      return { kind, arguments: { ...shared, servers: listedServers(said) } };
    case 'zones show':
      return { kind, arguments: { ...shared, all: given.has('all') } };
    case 'campaign stop':
      return { kind, arguments: { ...shared, campaignId: word, reason: reasonOf(said) } };
    case 'campaign approve':
    case 'campaign deny': {
      const decision = decisionOf(kind === 'campaign approve', said);
      return { kind, arguments: { ...shared, campaignId: word, root: rootOf(said), ...decision } };
    }
  }
}

function listedServers({ given, refuse }: Said): readonly string[] | undefined {
  const text = given.get('servers');
  if (text === undefined) return undefined;
  const names = text.split(',').map((name) => name.trim());
  if (!names.includes('')) return names;
  throw refuse(`--servers ${JSON.stringify(text)} has a name that is empty: write them like web-1,web-2`);
}

function reasonOf({ given, refuse }: Said): string {
  const reason = given.get('reason')?.trim() ?? '';
  if (reason === '') throw refuse('--reason is missing: others will want to know why');
  return reason;
}

/** Who is logged in may be written otherwise than who asked, and so would approve what they asked for themselves. */
function decisionOf(approved: boolean, said: Said): { readonly approved: boolean; readonly reason: string } {
  if (!approved) return { approved, reason: reasonOf(said) };
  if (said.shared.by === undefined)
    throw said.refuse('--by is missing: an approval says who gives it, in the form in which people ask');
  return { approved, reason: said.given.get('reason') ?? '' };
}

function needed(flag: string, what: string, { given, refuse }: Said): string {
  const text = given.get(flag);
  if (text === undefined) throw refuse(`--${flag} is missing: ${what}`);
  return text;
}

function rootOf(said: Said): string {
  const root = needed('root', 'the hash of the plans that you have looked at, as the notice has it', said);
  if (/^[0-9a-f]{64}$/.test(root)) return root;
  throw said.refuse(
    `--root ${JSON.stringify(root)} is not a hash of plans: it has 64 digits from 0 to f, as in the notice`,
  );
}

/** Names are for people, and servers that have gone have none: what is kept of them is kept by id. */
function serverIdOf(text: string, refuse: Said['refuse']): string {
  if (serverIdSchema.safeParse(text).success) return text;
  throw refuse(
    `${JSON.stringify(text)} is not the id of a server: write it like i-0123456789abcdef0 or mi-0123456789abcdef0`,
  );
}

function whoseBackups({ given, refuse }: Said): Pick<BackupsArguments, 'campaignId' | 'serverId'> {
  const [campaignId, server] = [given.get('campaign'), given.get('server')];
  if ((campaignId === undefined) === (server === undefined))
    throw refuse('backups are those of a campaign or of a server: give one of --campaign ID, --server ID');
  return { campaignId, serverId: server === undefined ? undefined : serverIdOf(server, refuse) };
}

function wholeNumber(
  flag: string,
  [least, most]: readonly [number, number],
  { given, refuse }: Said,
): number | undefined {
  const text = given.get(flag);
  if (text === undefined) return undefined;
  const number = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw refuse(`--${flag} ${JSON.stringify(text)} is not a number from ${least} to ${most}`);
}

function rungOf({ given, refuse }: Said): string {
  const to = given.get('to') ?? 'packages';
  const rungs = rollbackToSchema.options;
  if (rungs.some((rung) => rung === to)) return to;
  throw refuse(`--to ${JSON.stringify(to)} is no rung: write one of ${rungs.join(', ')}`);
}
