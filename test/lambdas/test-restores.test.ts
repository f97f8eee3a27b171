import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type EmbeddedDynamoDb, startEmbeddedDynamoDb } from '../../apps/local/embedded-dynamodb.ts';
import { load } from '../../core/entities.ts';
import { backupPrefix } from '../../core/result-object.ts';
import { backupKey, storedBackups } from '../../core/stored-backup.ts';
import { recordBackup } from '../../core/use-cases/record-backup.ts';
import { createDynamoDbRecords } from '../../lambdas/aws/dynamodb-records.ts';
import { environmentNames } from '../../lambdas/environment.ts';
import { failedRestoresMetric } from '../../lambdas/metric-names.ts';
import { dayBefore, policyOf, serverOf } from '../support/samples.ts';
import { manifest, serverArchive } from '../support/server-archive.ts';

const server = serverOf(1);
const campaign = { id: 'spring-2027-web', policy: policyOf() };
const context = {
  awsRequestId: 'request-1',
  invokedFunctionArn: 'arn:aws:lambda:eu-central-1:111111111111:function:test-restores',
};

let folder: string;
let database: EmbeddedDynamoDb;
let services: Server;
/** By bucket and key; the SDK writes both into the path where a service has an address and no name. */
const objects = new Map<string, Buffer>();
const published: URLSearchParams[] = [];
let lines: Record<string, unknown>[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'test-restores-'));
  database = await startEmbeddedDynamoDb(folder);
  // S3 and SNS, as far as this function asks them.
  services = createServer(async (request, response) => {
    const { method, url = '' } = request;
    const body = await buffer(request);
    const path = decodeURIComponent(url.split('?', 1)[0] ?? '').slice(1);
    if (method === 'POST') {
      published.push(new URLSearchParams(body.toString()));
      return response.end(
        '<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>',
      );
    }
    if (method === 'PUT') objects.set(path, body);
    const found = objects.get(path);
    return response.writeHead(found ? 200 : 404).end(method === 'GET' ? found : undefined);
  });
  await new Promise<void>((resolve) => services.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  await database?.close();
  services?.closeAllConnections();
  services?.close();
  await rm(folder, { recursive: true, force: true });
});

beforeEach(() => {
  lines = [];
  published.length = 0;
  const here = `http://127.0.0.1:${(services.address() as AddressInfo).port}`;
  const environment = {
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'here',
    AWS_SECRET_ACCESS_KEY: 'here',
    AWS_ENDPOINT_URL_DYNAMODB: String(database.location.endpoint),
    AWS_ENDPOINT_URL_S3: here,
    AWS_ENDPOINT_URL_SNS: here,
    POWERTOOLS_DEV: 'true',
    POWERTOOLS_METRICS_DISABLED: 'false',
    [environmentNames.stateTable]: database.table,
    [environmentNames.campaignBucket]: 'campaigns',
    [environmentNames.campaignBucketRegion]: 'eu-central-1',
    [environmentNames.backupBucket]: 'backups',
    [environmentNames.noticeTopic]: 'arn:aws:sns:eu-central-1:111111111111:notices',
  };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  const keep = (line: unknown) => void lines.push(JSON.parse(String(line)));
  for (const level of ['log', 'info', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(keep);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

/** Loaded once its environment is there, as Lambda does it. */
const call = async () => (await import('../../lambdas/test-restores.ts')).handler({ count: 1 }, context);

/** As one server does before its patch. */
async function backUp(): Promise<string> {
  const records = createDynamoDbRecords({
    table: database.table,
    calls: database.calls,
    wait: async () => {},
  });
  const key = `${backupPrefix(server)}/${campaign.id}/configuration.tar.gz`;
  const { content, archive, listed } = serverArchive(key);
  objects.set(`backups/${key}`, content);
  await recordBackup({ records }, campaign, server, archive, dayBefore);
  const { resultKey } = await load(records, storedBackups, backupKey(server.id, campaign.id));
  const section = (name: string, text: string) => `section ${name} ${Buffer.byteLength(text)}\n${text}\n`;
  const result = `quarterdeck-result 1\n${section('manifest', manifest)}${section('files', listed)}`;
  objects.set(`campaigns/${resultKey}`, gzipSync(result));
  return `backups/${key}`;
}

const counted = () =>
  lines.flatMap((line) => (failedRestoresMetric in line ? [line[failedRestoresMetric]] : []));

describe('the function that tests restores', () => {
  test('counts none for its alarm where a backup came back as it was', async () => {
    await backUp();
    expect(await call()).toMatchObject({ answer: { good: true } });
    expect(counted()).toEqual([0]);
    expect(published.map((asked) => asked.get('Subject'))).toEqual([
      'Restore test: 1 of 1 backups came back as they were',
    ]);
  });

  test('counts one that was altered in the store, and tells people', async () => {
    const at = await backUp();
    const content = objects.get(at) as Buffer;
    content.writeUInt8(content.readUInt8(40) ^ 0xff, 40);
    expect(await call()).toMatchObject({ answer: { good: false } });
    expect(counted()).toEqual([1]);
    expect(published.map((asked) => asked.get('Subject'))).toEqual([
      `The backup of ${server.id} is not good`,
      'RESTORE TEST FAILED: 1 of 1 backups did not come back as they were',
    ]);
  });
});
