/** Owns the state store on DynamoDB: conditional writes, strongly consistent reads, and the sparse index of due items. */
import { randomUUID } from 'node:crypto';
import {
  type AttributeValue,
  BatchGetItemCommand,
  type BatchGetItemCommandInput,
  type BatchGetItemCommandOutput,
  ConditionalCheckFailedException,
  DynamoDBClient,
  GetItemCommand,
  type GetItemCommandInput,
  type GetItemCommandOutput,
  PutItemCommand,
  type PutItemCommandInput,
  QueryCommand,
  type QueryCommandInput,
  type QueryCommandOutput,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { instantSchema } from '../../core/instant.ts';
import type { RecordKey, Records, StoredRecord } from '../../core/ports.ts';
import { storable } from '../../core/storable.ts';
import { dueIndex } from './table-shape.ts';

/** The calls of DynamoDB that this adapter makes, and so the actions that its role needs. */
export interface DynamoDbCalls {
  getItem(input: GetItemCommandInput): Promise<GetItemCommandOutput>;
  batchGetItem(input: BatchGetItemCommandInput): Promise<BatchGetItemCommandOutput>;
  putItem(input: PutItemCommandInput): Promise<unknown>;
  query(input: QueryCommandInput): Promise<QueryCommandOutput>;
}

export interface DynamoDbLocation {
  readonly region: string;
  /** Elsewhere than AWS: the embedded engine. */
  readonly endpoint?: string;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** Make one per process: it holds the connections, and what adaptive retry has learnt of throttling. */
export function createDynamoDbCalls(location: DynamoDbLocation): DynamoDbCalls & { close(): void } {
  const client = new DynamoDBClient({ ...location, retryMode: 'adaptive', maxAttempts: 6 });
  return {
    getItem: (input) => client.send(new GetItemCommand(input)),
    batchGetItem: (input) => client.send(new BatchGetItemCommand(input)),
    putItem: (input) => client.send(new PutItemCommand(input)),
    query: (input) => client.send(new QueryCommand(input)),
    close: () => client.destroy(),
  };
}

export interface DynamoDbRecordsOptions {
  readonly table: string;
  readonly calls: DynamoDbCalls;
  /** Waits real milliseconds between attempts at keys that DynamoDB left unprocessed. */
  readonly wait: (millis: number) => Promise<void>;
}

type Item = Record<string, AttributeValue>;

/** BatchGetItem takes no more keys. */
const batchSize = 100;
/** Rounds in a row in which a batch brought nothing at all; with the waits below about six seconds. */
const mostFruitless = 8;

export function createDynamoDbRecords({ table, calls, wait }: DynamoDbRecordsOptions): Records {
  const read = async (key: RecordKey): Promise<Item | undefined> =>
    (await calls.getItem({ TableName: table, Key: toKey(key), ConsistentRead: true })).Item;

  /**
   * A write whose answer is lost is sent again by the SDK, and then fails upon what it wrote itself. Reported as a
   * conflict, a claim would be held by nobody. So each write carries an id of its own, and a refusal after more
   * than one attempt is looked into: if the stored item has our id, we wrote it. Equal content is no proof, since
   * two processes may claim the same thing in the same words. If another write has followed ours by then, ours is
   * reported as a conflict: the caller reads again and decides upon what is there now.
   */
  const put = async (
    record: Omit<StoredRecord, 'revision'>,
    revision: number,
    condition: Pick<
      PutItemCommandInput,
      'ConditionExpression' | 'ExpressionAttributeNames' | 'ExpressionAttributeValues'
    >,
  ): Promise<boolean> => {
    const { bytes: _, ...kept } = storable(record);
    const writeId = randomUUID();
    try {
      await calls.putItem({ TableName: table, Item: toItem({ ...kept, revision }, writeId), ...condition });
      return true;
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      if (error.$metadata.attempts === 1) return false;
      return (await read(record.key))?.writeId?.S === writeId;
    }
  };

  const getBatch = async (keys: readonly RecordKey[], into: Map<string, StoredRecord>): Promise<void> => {
    let pending: Item[] = keys.map(toKey);
    for (let fruitless = 0; pending.length > 0; ) {
      const answer = await calls.batchGetItem({
        RequestItems: { [table]: { Keys: pending, ConsistentRead: true } },
      });
      for (const item of answer.Responses?.[table] ?? []) {
        const record = fromItem(item);
        into.set(idOf(record.key), record);
      }
      const left = answer.UnprocessedKeys?.[table]?.Keys ?? [];
      // Less than asked for is what 16 MB of items look like too; only no progress at all is throttling.
      fruitless = left.length < pending.length ? 0 : fruitless + 1;
      if (fruitless === mostFruitless) {
        throw new Error(
          `table ${table} left ${left.length} of ${keys.length} keys unread ${fruitless} times: it is throttled, try again later`,
        );
      }
      if (fruitless > 0) await wait(Math.random() * Math.min(50 * 2 ** fruitless, 2000));
      pending = left;
    }
  };

  const getMany = async (keys: readonly RecordKey[]) => {
    const found = new Map<string, StoredRecord>();
    // A key that is named twice makes BatchGetItem refuse the whole call.
    const wanted = [...new Map(keys.map((key) => [idOf(key), key])).values()];
    for (let start = 0; start < wanted.length; start += batchSize) {
      await getBatch(wanted.slice(start, start + batchSize), found);
    }
    return keys.map((key) => found.get(idOf(key)));
  };

  return {
    async get(key) {
      const item = await read(key);
      return item && fromItem(item);
    },

    getMany,

    create: (record) => put(record, 1, { ConditionExpression: 'attribute_not_exists(pk)' }),

    replace: (record, expected) =>
      put(record, expected + 1, {
        ConditionExpression: '#revision = :expected',
        ExpressionAttributeNames: { '#revision': 'revision' },
        ExpressionAttributeValues: { ':expected': { N: String(expected) } },
      }),

    async list(partition, { prefix = '', after, limit } = {}) {
      const answer = await calls.query({
        TableName: table,
        ConsistentRead: true,
        KeyConditionExpression: prefix ? 'pk = :pk AND begins_with(sk, :prefix)' : 'pk = :pk',
        ExpressionAttributeValues: { ':pk': { S: partition }, ...(prefix && { ':prefix': { S: prefix } }) },
        ...(after !== undefined && { ExclusiveStartKey: toKey({ partition, sort: after }) }),
        ...(limit !== undefined && { Limit: limit }),
      });
      const records = (answer.Items ?? []).map(fromItem);
      const next = answer.LastEvaluatedKey?.sk?.S;
      return next === undefined ? { records } : { records, next };
    },

    async listDue(shard, before, limit) {
      const due: StoredRecord[] = [];
      let start: Item | undefined;
      do {
        const answer: QueryCommandOutput = await calls.query({
          TableName: table,
          IndexName: dueIndex,
          KeyConditionExpression: 'dueShard = :shard AND dueAt <= :before',
          ExpressionAttributeValues: { ':shard': { S: shard }, ':before': { S: before } },
          Limit: limit,
          ...(start && { ExclusiveStartKey: start }),
        });
        // The index lags: what is no longer due in the item itself is left out.
        const current = await getMany((answer.Items ?? []).map((item) => keySchema.parse(item)));
        due.push(...current.filter((record) => isDue(record, shard, before)));
        start = answer.LastEvaluatedKey;
      } while (start && due.length < limit);
      return due.toSorted(byDueTime).slice(0, limit);
    },
  };
}

function isDue(record: StoredRecord | undefined, shard: string, before: string): record is StoredRecord {
  return record?.due?.shard === shard && record.due.at <= before;
}

/** The index may have remembered another order than the items themselves have by now. */
function byDueTime(a: StoredRecord, b: StoredRecord): number {
  const [left, right] = [a.due?.at ?? '', b.due?.at ?? ''];
  return left < right ? -1 : left > right ? 1 : 0;
}

const idOf = (key: RecordKey) => JSON.stringify([key.partition, key.sort]);

const toKey = (key: RecordKey): Item => ({ pk: { S: key.partition }, sk: { S: key.sort } });

function toItem(record: StoredRecord, writeId: string): Item {
  return {
    ...toKey(record.key),
    revision: { N: String(record.revision) },
    writeId: { S: writeId },
    // Whole numbers beyond 2^53 come back as they went in: they were doubles before, and their digits are kept.
    body: marshall(record.body, { allowImpreciseNumbers: true, convertTopLevelContainer: true }),
    ...(record.due && { dueShard: { S: record.due.shard }, dueAt: { S: record.due.at } }),
  };
}

const keySchema = z
  .object({ pk: z.object({ S: z.string() }), sk: z.object({ S: z.string() }) })
  .transform(({ pk, sk }): RecordKey => ({ partition: pk.S, sort: sk.S }));

const itemSchema = z.object({
  pk: z.string(),
  sk: z.string(),
  revision: z.number().int().positive(),
  body: z.unknown(),
  dueShard: z.string().optional(),
  dueAt: instantSchema.optional(),
});

function fromItem(item: Item): StoredRecord {
  const { pk, sk, revision, body, dueShard, dueAt } = itemSchema.parse(
    unmarshall(item, { wrapNumbers: Number }),
  );
  return {
    key: { partition: pk, sort: sk },
    revision,
    body,
    ...(dueShard !== undefined && dueAt !== undefined && { due: { shard: dueShard, at: dueAt } }),
  };
}
