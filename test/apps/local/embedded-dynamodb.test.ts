import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type EmbeddedDynamoDb, startEmbeddedDynamoDb } from '../../../apps/local/embedded-dynamodb.ts';
import { createDynamoDbRecords } from '../../../lambdas/aws/dynamodb-records.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quarterdeck-dynamodb-'));
});
afterEach(() => rm(folder, { recursive: true }));

const recordsOf = ({ table, calls }: EmbeddedDynamoDb) =>
  createDynamoDbRecords({ table, calls, wait: async () => {} });
const record = { key: { partition: 'campaign', sort: 'a' }, body: { state: 'open' } };

test('what was written is there after a stop and a new start', async () => {
  const first = await startEmbeddedDynamoDb(folder);
  await recordsOf(first).create(record);
  await first.close();
  const second = await startEmbeddedDynamoDb(folder);
  expect(await recordsOf(second).get(record.key)).toEqual({ ...record, revision: 1 });
  await second.close();
});

test('a folder in use is refused with what to do, and neither side suffers', async () => {
  const first = await startEmbeddedDynamoDb(folder);
  await expect(startEmbeddedDynamoDb(folder)).rejects.toThrow(
    `folder ${folder} is in use by another run: end that run, or choose another folder`,
  );
  expect(await recordsOf(first).create(record)).toBe(true);
  await first.close();
});

test('after closing, its port is closed and closing again does nothing', async () => {
  const database = await startEmbeddedDynamoDb(folder);
  const { port } = new URL(database.location.endpoint as string);
  await database.close();
  await database.close();
  const socket = connect({ host: '127.0.0.1', port: Number(port) });
  await expect(once(socket, 'connect')).rejects.toThrow('ECONNREFUSED');
});

test('closing lets writes under way end, and refuses the next', async () => {
  const database = await startEmbeddedDynamoDb(folder);
  const records = recordsOf(database);
  const writes = Array.from({ length: 40 }, (_, index) =>
    records.create({ key: { partition: 'large', sort: String(index) }, body: 'x'.repeat(200_000) }),
  );
  await database.close();
  expect(await Promise.all(writes)).toEqual(writes.map(() => true));
  await expect(records.get(record.key)).rejects.toThrow('the embedded dynamodb is closed: start it again');
});

test('what was written survives the death of its process, which leaves the folder free', async () => {
  const script = `
    import { startEmbeddedDynamoDb } from './apps/local/embedded-dynamodb.ts';
    import { createDynamoDbRecords } from './lambdas/aws/dynamodb-records.ts';
    const { table, calls } = await startEmbeddedDynamoDb(${JSON.stringify(folder)});
    await createDynamoDbRecords({ table, calls, wait: async () => {} }).create(${JSON.stringify(record)});
    process.stdout.write('written');`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await once(child.stdout, 'data');
  await expect(startEmbeddedDynamoDb(folder)).rejects.toThrow('is in use by another run');
  child.kill('SIGKILL');
  await once(child, 'exit');
  const database = await startEmbeddedDynamoDb(folder);
  expect(await recordsOf(database).get(record.key)).toEqual({ ...record, revision: 1 });
  await database.close();
});
