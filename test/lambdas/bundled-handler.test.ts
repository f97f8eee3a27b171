import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type EmbeddedDynamoDb, startEmbeddedDynamoDb } from '../../apps/local/embedded-dynamodb.ts';
import { acknowledgementKey } from '../../core/entities.ts';
import { createDynamoDbRecords } from '../../lambdas/aws/dynamodb-records.ts';

const root = join(import.meta.dirname, '../..');
let folder: string;
let database: EmbeddedDynamoDb;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quarterdeck-bundle-'));
  database = await startEmbeddedDynamoDb(join(folder, 'table'));
  vi.stubEnv('STATE_TABLE', database.table);
  vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', database.location.endpoint);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDEXAMPLE');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  vi.stubEnv('POWERTOOLS_DEV', 'true');
  vi.spyOn(console, 'info').mockImplementation(() => {});
});
afterAll(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await database.close();
  await rm(folder, { recursive: true });
});

/** As the stack bundles: what runs in an account is this file, and not the sources that other tests import. */
async function bundled(name: string) {
  const outfile = join(folder, `${name}.mjs`);
  await build({
    entryPoints: [join(root, 'lambdas', `${name}.ts`)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    mainFields: ['module', 'main'],
    target: 'node20',
    minify: true,
    banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
    logLevel: 'error',
  });
  return (await import(/* @vite-ignore */ outfile)).handler;
}

test('a bundled function runs, and writes into the table that its environment names', async () => {
  const handler = await bundled('acknowledge-failures');
  await handler(
    { policy: 'production', quarter: '2027-Q1', by: 'anna@example.com', reason: 'the disk was replaced' },
    {
      awsRequestId: 'request-1',
      invokedFunctionArn: 'arn:aws:lambda:eu-central-1:123456789012:function:acknowledge',
    },
  );
  const { table, calls } = database;
  const records = createDynamoDbRecords({ table, calls, wait: async () => {} });
  expect(await records.get(acknowledgementKey('production', '2027-Q1'))).toMatchObject({
    revision: 1,
    body: { by: 'anna@example.com', reason: 'the disk was replaced' },
  });
});
