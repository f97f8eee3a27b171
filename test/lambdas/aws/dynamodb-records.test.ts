import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type EmbeddedDynamoDb, startEmbeddedDynamoDb } from '../../../apps/local/embedded-dynamodb.ts';
import {
  createDynamoDbCalls,
  createDynamoDbRecords,
  type DynamoDbCalls,
} from '../../../lambdas/aws/dynamodb-records.ts';
import { describeRecords } from '../../contracts/records.contract.ts';

describeRecords('DynamoDB, over the wire', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'quarterdeck-records-'));
  const database = await startEmbeddedDynamoDb(folder);
  return {
    records: createDynamoDbRecords({ table: database.table, calls: database.calls, wait: async () => {} }),
    close: async () => {
      await database.close();
      await rm(folder, { recursive: true });
    },
  };
});

describe('the DynamoDB adapter', () => {
  const key = { partition: 'campaign', sort: 'batch' };
  const noWait = async () => {};
  let folder: string;
  let database: EmbeddedDynamoDb;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'quarterdeck-records-'));
    database = await startEmbeddedDynamoDb(folder);
  });
  afterAll(async () => {
    await database.close();
    await rm(folder, { recursive: true });
  });

  const recordsOver = (calls: DynamoDbCalls, wait: (millis: number) => Promise<void> = noWait) =>
    createDynamoDbRecords({ table: database.table, calls, wait });

  /** Records reached through a relay that passes the next write on, and cuts the line instead of its answer. */
  const loseAnswers = async (after: () => Promise<unknown> = async () => {}) => {
    let lost = 0;
    const relay = createServer((request, response) => {
      const upstream = httpRequest(
        new URL(database.location.endpoint as string),
        { method: request.method ?? 'POST', headers: request.headers },
        async (answer) => {
          if (lost === 0 && request.headers['x-amz-target']?.includes('PutItem')) {
            lost++;
            answer.resume();
            await after();
            response.socket?.destroy();
            return;
          }
          response.writeHead(answer.statusCode ?? 500, answer.headers);
          answer.pipe(response);
        },
      );
      request.pipe(upstream);
    });
    await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
    const { port } = relay.address() as AddressInfo;
    const calls = createDynamoDbCalls({ ...database.location, endpoint: `http://127.0.0.1:${port}` });
    return {
      records: recordsOver(calls),
      lost: () => lost,
      close: async () => {
        calls.close();
        await new Promise((resolve) => relay.close(resolve));
      },
    };
  };

  test('a write whose answer was lost is not taken for a conflict', async () => {
    const relay = await loseAnswers();
    const own = { ...key, partition: 'lost-answer' };
    expect(await relay.records.create({ key: own, body: 'claimed' })).toBe(true);
    expect(relay.lost()).toBe(1);
    expect((await relay.records.get(own))?.revision).toBe(1);
    await relay.close();
  });

  test('nor is it when it replaced something', async () => {
    const own = { ...key, partition: 'lost-replacement' };
    await recordsOver(database.calls).create({ key: own, body: 'open' });
    const relay = await loseAnswers();
    expect(await relay.records.replace({ key: own, body: 'claimed' }, 1)).toBe(true);
    expect(await relay.records.get(own)).toEqual({ key: own, body: 'claimed', revision: 2 });
    await relay.close();
  });

  test('a write of another process in the same words is a conflict, also after a lost answer', async () => {
    const own = { ...key, partition: 'same-words' };
    const direct = recordsOver(database.calls);
    await direct.create({ key: own, body: 'claimed' });
    const relay = await loseAnswers();
    expect(await relay.records.create({ key: own, body: 'claimed' })).toBe(false);
    expect(relay.lost()).toBe(1);
    await relay.close();
  });

  test('a lost write that another has followed is a conflict: the caller reads what is there now', async () => {
    const own = { ...key, partition: 'followed' };
    const direct = recordsOver(database.calls);
    const relay = await loseAnswers(() => direct.replace({ key: own, body: 'followed' }, 1));
    expect(await relay.records.create({ key: own, body: 'claimed' })).toBe(false);
    expect(await relay.records.get(own)).toEqual({ key: own, body: 'followed', revision: 2 });
    await relay.close();
  });

  test('an ordinary conflict costs no read', async () => {
    const own = { ...key, partition: 'ordinary' };
    const calls: DynamoDbCalls = {
      ...database.calls,
      getItem: () => Promise.reject(new Error('read although it was an ordinary conflict')),
    };
    await recordsOver(calls).create({ key: own, body: 1 });
    expect(await recordsOver(calls).create({ key: own, body: 2 })).toBe(false);
  });

  test('keys that DynamoDB leaves unprocessed are asked for again, after a wait only if nothing came', async () => {
    const own = 'unprocessed';
    const keys = Array.from({ length: 150 }, (_, index) => ({ partition: own, sort: String(index) }));
    await Promise.all(keys.map((key) => recordsOver(database.calls).create({ key, body: key.sort })));
    const waits: number[] = [];
    let round = 0;
    const calls: DynamoDbCalls = {
      ...database.calls,
      batchGetItem: (input) => {
        const asked = input.RequestItems?.[database.table]?.Keys ?? [];
        // Every third round brings nothing, the others bring half.
        const served = round++ % 3 === 1 ? [] : asked.slice(0, Math.ceil(asked.length / 2));
        const left = asked.slice(served.length);
        const rest = { UnprocessedKeys: { [database.table]: { Keys: left } } };
        if (served.length === 0) return Promise.resolve({ ...rest, $metadata: {} });
        return database.calls
          .batchGetItem({ RequestItems: { [database.table]: { Keys: served, ConsistentRead: true } } })
          .then((answer) => ({ ...answer, ...rest }));
      },
    };
    const records = recordsOver(calls, async (millis) => {
      waits.push(millis);
    });
    expect((await records.getMany(keys)).map((record) => record?.body)).toEqual(keys.map(({ sort }) => sort));
    expect(waits.length).toBe(Math.floor((round + 1) / 3));
    expect(Math.max(...waits)).toBeLessThanOrEqual(100);
  });

  test('a table that serves nothing is given up on with growing, bounded waits', async () => {
    const waits: number[] = [];
    const calls: DynamoDbCalls = {
      ...database.calls,
      batchGetItem: async (input) => ({
        UnprocessedKeys: { [database.table]: { Keys: input.RequestItems?.[database.table]?.Keys } },
        $metadata: {},
      }),
    };
    const records = recordsOver(calls, async (millis) => {
      waits.push(millis);
    });
    await expect(records.getMany([key])).rejects.toThrow(/left 1 of 1 keys unread 8 times: it is throttled/);
    expect(waits).toHaveLength(7);
    expect(waits.every((wait, round) => wait <= Math.min(100 * 2 ** round, 2000))).toBe(true);
  });

  test('what only the lagging index still calls due is left out', async () => {
    const records = recordsOver(database.calls);
    const shard = 'lagging';
    for (const sort of ['1', '2', '3']) {
      const due = { shard, at: `2026-11-21T01:0${sort}:00.000Z` };
      await records.create({ key: { partition: shard, sort }, body: sort, due });
    }
    const lagging: DynamoDbCalls = {
      ...database.calls,
      query: async (input) => {
        const answer = await database.calls.query(input);
        const now = await records.get({ partition: shard, sort: '1' });
        if (now?.revision === 1) await records.replace({ key: now.key, body: 'answered' }, 1);
        return answer;
      },
    };
    const found = await recordsOver(lagging).listDue(shard, '2026-11-21T02:00:00.000Z', 2);
    expect(found.map(({ body }) => body)).toEqual(['2', '3']);
  });
});
