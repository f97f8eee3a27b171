/** Owns what an imported list does to the inventory: a column that the list has is taken, all else stays. */
import type { QuarterColumn } from '../calendar/server-to-plan.ts';
import { fields as allFields, type Field, headers } from './columns.ts';
import { type InventoryServer, quarterColumns } from './inventory-server.ts';
import { joined, type PastQuarterOf, withPastDates } from './past-dates.ts';
import type { Inventory, InventoryError } from './read-inventory.ts';
import { factsOf, withFacts } from './server-facts.ts';
import type { StoredServer } from './stored-server.ts';
import { type SyncedField, syncedFields } from './sync-servers.ts';
import { cellsOfServer } from './write-inventory.ts';

export interface ListChange {
  readonly server: string;
  /** Header of the column. */
  readonly column: string;
  /** Empty when there was nothing. */
  readonly from: string;
  /** Empty when it is taken away. */
  readonly to: string;
}

export interface ListMerge {
  readonly servers: readonly StoredServer[];
  readonly added: readonly string[];
  readonly changes: readonly ListChange[];
  /** In the inventory and not in the list. */
  readonly absent: readonly string[];
}

export interface MergeOptions {
  /** Whether the list is the whole inventory: servers that it does not have are taken out. */
  readonly replace: boolean;
  readonly pastQuarterOf: PastQuarterOf;
}

export function mergeList(
  stored: readonly StoredServer[],
  list: Pick<Inventory, 'servers' | 'fields' | 'unknownColumns'>,
  { replace, pastQuarterOf }: MergeOptions,
): ListMerge {
  const known = new Map(stored.map((server) => [server.name.toLowerCase(), server]));
  const listed = new Set(list.servers.map(({ name }) => name.toLowerCase()));
  const absent = stored.filter(({ name }) => !listed.has(name.toLowerCase()));
  const extras = new Set(list.unknownColumns.map(({ header }) => header));
  const added: string[] = [];
  const changes: ListChange[] = [];
  const merged = new Map<string, StoredServer>();
  for (const row of list.servers) {
    const key = row.name.toLowerCase();
    const before = known.get(key);
    const after = before === undefined ? newServer(row) : mergeRow(before, row, list.fields, extras);
    if (before === undefined) added.push(row.name);
    else changes.push(...differences(withPastDates(before, pastQuarterOf), after));
    merged.set(key, after);
  }
  const kept = replace ? [] : stored.map((server) => merged.get(server.name.toLowerCase()) ?? server);
  const rest = [...merged].filter(([key]) => replace || !known.has(key)).map(([, server]) => server);
  const servers = [...kept, ...rest].map((server) => withPastDates(server, pastQuarterOf));
  return { servers, added, changes, absent: absent.map(({ name }) => name) };
}

/** Instance ids of the list that servers outside of it have: two names for one server would be two patches of it. */
export function takenIds(
  stored: readonly StoredServer[],
  listed: readonly InventoryServer[],
): InventoryError[] {
  const names = new Set(listed.map(({ name }) => name.toLowerCase()));
  const owners = new Map(
    stored.flatMap(({ instanceId, name }) =>
      instanceId === undefined || names.has(name.toLowerCase()) ? [] : [[instanceId, name]],
    ),
  );
  return listed.flatMap(({ row, instanceId }) => {
    const owner = instanceId === undefined ? undefined : owners.get(instanceId);
    if (owner === undefined) return [];
    const message = `${instanceId} is that of ${owner} already, which is not in this list: correct the id, or list all servers with --replace`;
    return [{ row, column: headers.instanceId, message }];
  });
}

function newServer({ row: _, ...server }: InventoryServer): StoredServer {
  return { ...server, bySync: [] };
}

function mergeRow(
  before: StoredServer,
  { row: _, ...row }: InventoryServer,
  fields: ReadonlySet<Field>,
  extras: ReadonlySet<string>,
): StoredServer {
  const { facts, bySync } = mergeFacts(before, row, fields);
  const merged = {
    ...before,
    name: row.name,
    ...(fields.has('active') && { active: row.active }),
    ...mergeDates(before, row, fields),
    // Who leaves a cell empty does not say that the server has no id: a sync has filled it in.
    ...(row.instanceId !== undefined && { instanceId: row.instanceId }),
    ...(row.account !== undefined && { account: row.account }),
    ...(row.region !== undefined && { region: row.region }),
    extra: { ...withoutKeys(before.extra, extras), ...row.extra },
    bySync,
  };
  for (const field of ['cron', 'dependsOn', 'currentQuarterStatus'] as const) {
    if (!fields.has(field)) continue;
    delete merged[field];
    if (row[field] !== undefined) Object.assign(merged, { [field]: row[field] });
  }
  return withFacts(merged, facts);
}

/** What a sync wrote and a list repeats, or says nothing of, is still what a sync wrote. */
function mergeFacts(
  before: StoredServer,
  row: Omit<InventoryServer, 'row'>,
  fields: ReadonlySet<Field>,
): { facts: ReturnType<typeof factsOf>; bySync: readonly SyncedField[] } {
  const [old, said] = [factsOf(before), factsOf(row)];
  const facts: Partial<Record<SyncedField, string>> = { ...old };
  const bySync = new Set(before.bySync);
  for (const field of syncedFields) {
    const to = said[field];
    if (!fields.has(field) || to === old[field] || (to === undefined && bySync.has(field))) continue;
    if (to === undefined) delete facts[field];
    else facts[field] = to;
    bySync.delete(field);
  }
  return { facts, bySync: syncedFields.filter((field) => bySync.has(field)) };
}

/** The dates that a server has once the row is taken: what the list has no columns for stays. */
export function mergeDates(
  before: StoredServer,
  row: Omit<InventoryServer, 'row'>,
  fields: ReadonlySet<Field>,
): Pick<StoredServer, 'explicit' | 'history'> {
  const isListed = (column: QuarterColumn) =>
    (['date', 'time', 'approval'] as const).some((part) => fields.has(`${column} ${part}`));
  const kept = quarterColumns.filter((column) => !isListed(column) && before.explicit[column] !== undefined);
  return {
    explicit: {
      ...Object.fromEntries(kept.map((column) => [column, before.explicit[column]])),
      ...row.explicit,
    },
    history: joined(before.history, row.history),
  };
}

function differences(before: StoredServer, after: StoredServer): ListChange[] {
  const [old, now] = [cellsByColumn(before), cellsByColumn(after)];
  return [...new Set([...old.keys(), ...now.keys()])].flatMap((column) => {
    const [from, to] = [old.get(column) ?? '', now.get(column) ?? ''];
    return from === to ? [] : [{ server: after.name, column, from, to }];
  });
}

function cellsByColumn(server: StoredServer): Map<string, string | undefined> {
  const cells = cellsOfServer(server);
  const known = allFields.map((field): [string, string | undefined] => [headers[field], cells[field]]);
  return new Map([...known, ...Object.entries(server.extra)]);
}

function withoutKeys(
  record: Readonly<Record<string, string>>,
  keys: ReadonlySet<string>,
): Record<string, string> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => !keys.has(key)));
}
