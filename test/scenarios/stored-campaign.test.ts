import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type EmbeddedDynamoDb, startEmbeddedDynamoDb } from '../../apps/local/embedded-dynamodb.ts';
import { campaignKey, campaigns, load } from '../../core/entities.ts';
import { plusSeconds } from '../../core/instant.ts';
import type { Records } from '../../core/ports.ts';
import { createDynamoDbRecords } from '../../lambdas/aws/dynamodb-records.ts';
import { campaignId, createWorld, serversOf, windowStart } from '../support/campaign-world.ts';

let folder: string;
let database: EmbeddedDynamoDb;
let store: Promise<Records>;
let restarts: number;

async function open(): Promise<Records> {
  database = await startEmbeddedDynamoDb(folder);
  return createDynamoDbRecords({ table: database.table, calls: database.calls, wait: async () => {} });
}

/** Ends the store as its process would end, and starts it on what that had written; callers wait meanwhile. */
async function restart(): Promise<void> {
  restarts++;
  store = database.close().then(open);
  await store;
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quarterdeck-scenario-'));
  restarts = 0;
  store = open();
  await store;
});
afterEach(async () => {
  await database.close();
  await rm(folder, { recursive: true });
});

const records: Records = {
  get: async (...call) => (await store).get(...call),
  getMany: async (...call) => (await store).getMany(...call),
  create: async (...call) => (await store).create(...call),
  replace: async (...call) => (await store).replace(...call),
  list: async (...call) => (await store).list(...call),
  listDue: async (...call) => (await store).listDue(...call),
};

it('a campaign in DynamoDB ends well over lost, doubled and late events, and over restarts of its store', async () => {
  const world = createWorld({
    servers: serversOf(6),
    records,
    faults: { lose: 0.4, double: 0.4, delaySeconds: 300 },
  });
  // While its servers prepare, while it waits for its window, and while its canary is being patched.
  for (const instant of [
    plusSeconds(world.now(), 20),
    plusSeconds(windowStart, -3600),
    plusSeconds(windowStart, 20),
  ])
    world.at(instant, restart);
  const end = await world.run();
  expect(world.errors).toEqual([]);
  expect(restarts).toBe(3);
  expect(end).toMatchObject({ status: 'SUCCEEDED', state: 'completed' });
  expect(new Set(Object.values(end.states))).toEqual(new Set(['succeeded']));
  expect([...world.fleet.patched.values()]).toEqual(Array(6).fill(1));
  await restart();
  expect((await load(records, campaigns, campaignKey(campaignId))).state).toBe('completed');
});
