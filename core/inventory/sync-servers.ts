/** Owns the rule of synchronisation: what AWS says fills in and follows, and never overwrites what a person set. */
import { readZone } from '../time-zone.ts';
import { environmentName } from './inventory-server.ts';
import { yesOrNo } from './yes-or-no.ts';

export const syncedFields = [
  'environment',
  'zone',
  'hostGroup',
  'operatingSystem',
  'location',
  'primaryOwner',
  'secondaryOwner',
  'haGroup',
  'metal',
] as const;
export type SyncedField = (typeof syncedFields)[number];
export type Facts = Readonly<Partial<Record<SyncedField, string>>>;

/** A server of the inventory, as far as AWS can speak about it. */
export interface RecordedServer {
  readonly name: string;
  readonly instanceId?: string;
  readonly account?: string;
  readonly region?: string;
  readonly facts: Facts;
  /** The facts that an earlier sync wrote; a person set all others. */
  readonly bySync: readonly SyncedField[];
}

/** A node as EC2's tags and SSM's DescribeInstanceInformation show it. */
export interface SeenServer {
  readonly instanceId: string;
  readonly account: string;
  readonly region: string;
  /** The tag Name, else the host's own name. */
  readonly name?: string;
  readonly facts: Facts;
}

interface FieldChange {
  readonly server: string;
  readonly field: SyncedField | 'instanceId' | 'account' | 'region';
  /** Absent when there was nothing. */
  readonly from?: string;
  readonly to: string;
}

/** What a person set and AWS says otherwise. */
interface Difference {
  readonly server: string;
  readonly field: SyncedField;
  readonly set: string;
  readonly seen: string;
}

interface SyncProblem {
  readonly server: string;
  readonly message: string;
}

export interface SyncResult {
  /** In the order of the inventory; all of it, changed or not. */
  readonly servers: readonly RecordedServer[];
  /** What was filled in or followed. */
  readonly changes: readonly FieldChange[];
  /** Kept as a person set them, for a person to settle. */
  readonly differences: readonly Difference[];
  /** Nodes that the inventory does not know. They are not planned before a person adds them. */
  readonly found: readonly SeenServer[];
  /** Servers that were looked for and not seen. They stay active: SSM leaves out nodes that are stopped. */
  readonly missing: readonly string[];
  readonly problems: readonly SyncProblem[];
}

/**
 * @param places `123456789012/eu-central-1` of each account and Region whose pages were all read; servers of other
 *   places cannot be missed
 */
export function syncServers(
  recorded: readonly RecordedServer[],
  seen: readonly SeenServer[],
  places: ReadonlySet<string>,
): SyncResult {
  const changes: FieldChange[] = [];
  const differences: Difference[] = [];
  const problems: SyncProblem[] = [];
  const missing: string[] = [];
  const matched = new Set<SeenServer>();
  const find = finder(recorded, seen);

  const servers = recorded.map((server) => {
    const node = find(server);
    if (node && 'unclear' in node) {
      problems.push({ server: server.name, message: node.unclear });
      return server;
    }
    if (node === undefined) {
      if (places.has(`${server.account}/${server.region}`)) missing.push(server.name);
      return server;
    }
    matched.add(node);
    const merged = mergeFacts(server, node.facts);
    changes.push(...merged.changes);
    differences.push(...merged.differences);
    problems.push(...merged.problems);
    const identity = { instanceId: node.instanceId, account: node.account, region: node.region };
    for (const field of ['instanceId', 'account', 'region'] as const) {
      if (server[field] === undefined) changes.push({ server: server.name, field, to: identity[field] });
    }
    return { ...server, ...identity, facts: merged.facts, bySync: merged.bySync };
  });
  const found = seen.filter((node) => !matched.has(node));
  return { servers, changes, differences, found, missing, problems };
}

interface MergedFacts extends Pick<SyncResult, 'changes' | 'differences' | 'problems'> {
  readonly facts: Facts;
  readonly bySync: readonly SyncedField[];
}

function mergeFacts({ name: server, facts: set, bySync: before }: RecordedServer, seen: Facts): MergedFacts {
  const facts: Partial<Record<SyncedField, string>> = { ...set };
  const bySync = new Set(before);
  const changes: FieldChange[] = [];
  const differences: Difference[] = [];
  const problems: SyncProblem[] = [];
  for (const field of syncedFields) {
    const raw = seen[field]?.trim() ?? '';
    if (raw === '') continue;
    const reading = readFact(field, raw);
    if ('problem' in reading) {
      problems.push({ server, message: reading.problem });
      continue;
    }
    const { to } = reading;
    const from = facts[field];
    // Nearly every instance is none, and nobody needs to be told.
    if (field === 'metal' && from === undefined && to === 'no') continue;
    if (from?.toLowerCase() === to.toLowerCase()) continue;
    if (from !== undefined && !bySync.has(field)) {
      differences.push({ server, field, set: from, seen: to });
      continue;
    }
    changes.push({ server, field, ...(from !== undefined && { from }), to });
    facts[field] = to;
    bySync.add(field);
  }
  return { facts, bySync: syncedFields.filter((field) => bySync.has(field)), changes, differences, problems };
}

/** As the inventory writes it, or what is wrong with it. */
function readFact(field: SyncedField, raw: string): { readonly to: string } | { readonly problem: string } {
  switch (field) {
    case 'zone': {
      const reading = readZone(raw);
      return 'problem' in reading
        ? { problem: `its time zone in AWS: ${reading.problem}` }
        : { to: reading.zone };
    }
    case 'environment':
      return { to: environmentName(raw) };
    case 'metal': {
      const to = yesOrNo(raw);
      return to ? { to } : { problem: `its tag Metal in AWS: ${JSON.stringify(raw)} is neither yes nor no` };
    }
    default:
      return { to: raw };
  }
}

/** By instance id where one is recorded; else by name, if but one node has it that no other server is. */
function finder(recorded: readonly RecordedServer[], seen: readonly SeenServer[]) {
  const byId = new Map(seen.map((node) => [node.instanceId, node]));
  const claimed = new Set(recorded.flatMap(({ instanceId }) => instanceId ?? []));
  const byName = new Map<string, SeenServer[]>();
  for (const node of seen) {
    if (node.name === undefined || claimed.has(node.instanceId)) continue;
    const name = node.name.toLowerCase();
    byName.set(name, [...(byName.get(name) ?? []), node]);
  }
  return (server: RecordedServer): SeenServer | { readonly unclear: string } | undefined => {
    const { name, instanceId, account, region } = server;
    if (instanceId !== undefined) return byId.get(instanceId);
    const nodes = (byName.get(name.toLowerCase()) ?? []).filter(
      (node) => (account ?? node.account) === node.account && (region ?? node.region) === node.region,
    );
    if (nodes.length <= 1) return nodes[0];
    const ids = nodes.map((node) => node.instanceId).join(', ');
    return { unclear: `${nodes.length} nodes have the name ${name}: write the instance id of one of ${ids}` };
  };
}
