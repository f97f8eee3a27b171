/** Owns the bench of the state store: how it grows in memory, and how fast it is over the wire. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startEmbeddedDynamoDb } from '../../apps/local/embedded-dynamodb.ts';
import { createMemoryRecords } from '../../apps/local/memory-records.ts';
import type { Records } from '../../core/ports.ts';
import { createDynamoDbRecords } from '../../lambdas/aws/dynamodb-records.ts';
import { type Bench, type BenchRow, millisOf } from './bench.ts';

const batchSize = 50;

/** As a campaign writes them: jobs under their batch, created once and replaced twice. */
function keyOf(job: number) {
  const batch = String(Math.floor(job / batchSize)).padStart(6, '0');
  return { partition: `campaign#1/batch#${batch}`, sort: `job#i-${job.toString(16).padStart(17, '0')}` };
}

async function inLanes(
  count: number,
  lanes: number,
  work: (index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

async function passage(records: Records, jobs: number, lanes: number): Promise<number> {
  return millisOf(async () => {
    await inLanes(jobs, lanes, (job) =>
      records.create({ key: keyOf(job), body: { state: 'planned', reasons: [] } }),
    );
    for (const [revision, state] of ['patching', 'succeeded'].entries()) {
      await inLanes(jobs, lanes, (job) =>
        records.replace({ key: keyOf(job), body: { state, reasons: [] } }, revision + 1),
      );
    }
    await inLanes(Math.ceil(jobs / batchSize), lanes, (batch) =>
      records.list(keyOf(batch * batchSize).partition),
    );
  });
}

async function inMemory(): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  let before: number | undefined;
  for (const jobs of [1000, 10_000, 100_000]) {
    const millis = await passage(createMemoryRecords(), jobs, 1);
    rows.push({ what: `memory, ${jobs} jobs created, replaced twice, listed`, value: millis, unit: 'ms' });
    if (before !== undefined) {
      // Ten times the jobs should take about ten times as long.
      rows.push({ what: `growth to ${jobs}`, value: millis / before, unit: 'times', atMost: 20 });
    }
    before = millis;
  }
  return rows;
}

async function overTheWire(): Promise<BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'quarterdeck-bench-'));
  const database = await startEmbeddedDynamoDb(folder);
  try {
    const records = createDynamoDbRecords({ ...database, wait: (millis) => sleep(millis) });
    const jobs = 1000;
    const millis = await passage(records, jobs, 16);
    const keys = Array.from({ length: batchSize }, (_, job) => keyOf(job));
    const batch = await millisOf(() => records.getMany(keys));
    return [
      { what: `embedded DynamoDB, ${jobs} jobs created, replaced twice, listed`, value: millis, unit: 'ms' },
      { what: 'writes a second', value: (3 * jobs * 1000) / millis, unit: '/s' },
      { what: `getMany of ${batchSize}`, value: batch, unit: 'ms', atMost: 100 },
    ];
  } finally {
    await database.close();
    await rm(folder, { recursive: true });
  }
}

export const recordsBench: Bench = {
  name: 'records',
  run: async () => [...(await inMemory()), ...(await overTheWire())],
};
