/** Owns the keys of the state store and the one way to change what is stored there. */
import * as z from 'zod';
import { type Batch, batchSchema } from './batch.ts';
import { type Schedule, scheduleSchema } from './calendar/schedule.ts';
import { type Campaign, campaignSchema, isCampaignEnded, overdueAt } from './campaign.ts';
import { acknowledgementSchema, budgetEntrySchema } from './error-budget.ts';
import { exceptionSchema } from './exception.ts';
import { type Instant, plusSeconds } from './instant.ts';
import { type Job, jobSchema } from './job.ts';
import { phaseSchema } from './phase.ts';
import type { RecordKey, Records, StoredRecord } from './ports.ts';

/**
 * How an entity lies in the store. Jobs have a partition each, so that 100,000 servers heat no key; the batches of a
 * campaign share one, since one Query must find them (see docs/adr/0003).
 */
export interface Entity<T> {
  readonly schema: z.ZodType<T>;
  readonly key: (item: T) => RecordKey;
  /** When the sweeper should look at it again. */
  readonly due?: (item: T) => { shard: string; at: Instant } | undefined;
}

export const dueShards = ['0', '1', '2', '3', '4', '5', '6', '7'] as const;

/** Time after which the sweeper looks again at something that ought to have moved by itself. */
const recheckSeconds = 300;

export const campaignKey = (id: string): RecordKey => ({ partition: `campaign#${id}`, sort: 'campaign' });
export const batchKey = (campaignId: string, batchId: string): RecordKey => ({
  partition: `campaign#${campaignId}`,
  sort: `batch#${batchId}`,
});
export const jobKey = (campaignId: string, serverId: string): RecordKey => ({
  partition: `job#${campaignId}#${serverId}`,
  sort: 'job',
});
export const commandKey = (commandId: string): RecordKey => ({
  partition: `command#${commandId}`,
  sort: 'command',
});
export const budgetPartition = (policy: string, quarter: string) => `budget#${policy}#${quarter}`;
export const acknowledgementKey = (policy: string, quarter: string): RecordKey => ({
  partition: budgetPartition(policy, quarter),
  sort: 'acknowledged',
});
/**
 * One place for each server, whatever the case of its name: a second schedule finds it taken. In as many partitions as
 * there are shards, so that a plan reads all of them by Query.
 */
export const scheduleKey = (server: string): RecordKey => {
  const name = server.toLowerCase();
  return { partition: schedulesPartition(shardOf(name)), sort: name };
};
const schedulesPartition = (shard: string) => `schedules#${shard}`;
export const exceptionsPartition = 'exceptions';

export const campaigns: Entity<Campaign> = {
  schema: campaignSchema,
  key: (campaign) => campaignKey(campaign.id),
  due: (campaign) => {
    // Who closed it may have died over it.
    if (isCampaignEnded(campaign.state) && campaign.endedAt !== null) return undefined;
    const { id, state, approval, createdAt } = campaign;
    const dates = [overdueAt(campaign)];
    if (state === 'planned') dates.push(plusSeconds(createdAt, recheckSeconds));
    if (approval?.decision && !approval.answered)
      dates.push(plusSeconds(approval.decision.at, recheckSeconds));
    return { shard: shardOf(id), at: dates.toSorted()[0] as Instant };
  },
};

export const batches: Entity<Batch> = {
  schema: batchSchema,
  key: (batch) => batchKey(batch.campaignId, batch.id),
  due: (batch) => {
    const open = Object.values(batch.runs).flatMap((run) => (run && run.state !== 'answered' ? [run] : []));
    const first = open.map((run) => run.startedAt).toSorted()[0];
    if (first === undefined) return undefined;
    const seen = batch.sweptAt !== null && batch.sweptAt > first ? batch.sweptAt : first;
    return { shard: shardOf(batch.campaignId + batch.id), at: plusSeconds(seen, recheckSeconds) };
  },
};

export const jobs: Entity<Job> = {
  schema: jobSchema,
  key: (job) => jobKey(job.campaignId, job.server.id),
};

/** Finds the batch that a command serves: events name commands only. */
const commandSchema = z.object({
  schema: z.literal(1),
  commandId: z.string(),
  campaignId: z.string(),
  batchId: z.string(),
  phase: phaseSchema,
});
export const commands: Entity<z.infer<typeof commandSchema>> = {
  schema: commandSchema,
  key: (command) => commandKey(command.commandId),
};

export const exceptions: Entity<z.infer<typeof exceptionSchema>> = {
  schema: exceptionSchema,
  key: (exception) => ({ partition: exceptionsPartition, sort: exception.id }),
};

export const schedules: Entity<Schedule> = {
  schema: scheduleSchema,
  key: (schedule) => scheduleKey(schedule.server),
};

export const budgetEntries = (
  policy: string,
  quarter: string,
): Entity<z.infer<typeof budgetEntrySchema>> => ({
  schema: budgetEntrySchema,
  key: (entry) => ({
    partition: budgetPartition(policy, quarter),
    sort: `batch#${entry.campaignId}#${entry.batchId}`,
  }),
});

export const acknowledgements = (
  policy: string,
  quarter: string,
): Entity<z.infer<typeof acknowledgementSchema>> => ({
  schema: acknowledgementSchema,
  key: () => acknowledgementKey(policy, quarter),
});

/** The schedules that hold, in no particular order. */
export async function listSchedules(records: Records): Promise<Schedule[]> {
  const shards = await Promise.all(
    dueShards.map((shard) => listAll(records, schedules, schedulesPartition(shard), '')),
  );
  return shards.flat().filter(({ removed }) => removed === undefined);
}

export class StoredItemError extends Error {
  constructor(key: RecordKey, cause: unknown) {
    super(`stored item ${key.partition}/${key.sort} is not what its schema says: ${String(cause)}`, {
      cause,
    });
    this.name = 'StoredItemError';
  }
}

export class MissingItemError extends Error {
  constructor(key: RecordKey) {
    super(`no stored item ${key.partition}/${key.sort}`);
    this.name = 'MissingItemError';
  }
}

export function parseRecord<T>(entity: Entity<T>, record: StoredRecord): T {
  const parsed = entity.schema.safeParse(record.body);
  if (!parsed.success) throw new StoredItemError(record.key, z.prettifyError(parsed.error));
  return parsed.data;
}

/** @throws MissingItemError */
export async function load<T>(records: Records, entity: Entity<T>, key: RecordKey): Promise<T> {
  const record = await records.get(key);
  if (record === undefined) throw new MissingItemError(key);
  return parseRecord(entity, record);
}

export async function listAll<T>(
  records: Records,
  entity: Entity<T>,
  partition: string,
  prefix: string,
): Promise<T[]> {
  const all: T[] = [];
  let after: string | undefined;
  do {
    const page = await records.list(partition, after === undefined ? { prefix } : { prefix, after });
    all.push(...page.records.map((record) => parseRecord(entity, record)));
    after = page.next;
  } while (after !== undefined);
  return all;
}

/** @returns false when it was there already; the stored one stays */
export function create<T>(records: Records, entity: Entity<T>, item: T): Promise<boolean> {
  return records.create(recordOf(entity, item));
}

/**
 * Reads, lets `change` decide, and writes on condition that nobody wrote between; otherwise again. `change` must be
 * pure: it returns undefined when there is nothing to do, which is how doubled and late events end.
 *
 * @returns the item as it is stored now
 * @throws MissingItemError
 */
export async function update<T>(
  records: Records,
  entity: Entity<T>,
  key: RecordKey,
  change: (current: T) => T | undefined,
): Promise<T> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const record = await records.get(key);
    if (record === undefined) throw new MissingItemError(key);
    const current = parseRecord(entity, record);
    const next = change(current);
    if (next === undefined) return current;
    if (await records.replace(recordOf(entity, next), record.revision)) return next;
  }
  // Twenty lost races in a row are no race: the caller's retry, later, is the better wait.
  throw new Error(`stored item ${key.partition}/${key.sort} changes too often to be written`);
}

export function recordOf<T>(entity: Entity<T>, item: T): Omit<StoredRecord, 'revision'> {
  const due = entity.due?.(item);
  return { key: entity.key(item), body: item, ...(due && { due }) };
}

/** One of `dueShards`. */
export function shardOf(text: string): string {
  let sum = 0;
  for (const char of text) sum = (sum * 31 + char.charCodeAt(0)) % 997;
  return dueShards[sum % dueShards.length] as string;
}
