import { DescribeTableCommand, DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { DescribeParametersCommand, SSMClient } from '@aws-sdk/client-ssm';
import { fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { type Moto, startMoto } from './moto.ts';
import { type AwsProxy, jsonError, startProxy } from './proxy.ts';

let moto: Moto;
let proxy: AwsProxy;
let seen: number;
beforeAll(async () => {
  moto = await startMoto();
  proxy = await startProxy(() => moto.endpoint);
});
afterAll(async () => {
  await proxy?.close();
  await moto?.close();
});
beforeEach(() => {
  seen = proxy.calls.length;
});

const clientOf = (accessKeyId: string) => ({
  endpoint: proxy.endpoint,
  region: 'eu-central-1',
  credentials: { accessKeyId, secretAccessKey: 'secret' },
});
const seenSince = () => proxy.calls.slice(seen);
const tables = (client: DynamoDBClient) => client.send(new ListTablesCommand({ Limit: 7 }));

test('knows who called what, in every protocol, and passes bodies on byte for byte', async () => {
  const s3 = new S3Client(clientOf('open-campaign'));
  await tables(new DynamoDBClient(clientOf('sweep')));
  await new SNSClient(clientOf('close-campaign'))
    .send(new SubscribeCommand({ TopicArn: 'arn:aws:sns:eu-central-1:111111111111:none', Protocol: 'sqs' }))
    .catch(() => {});
  await s3.send(
    new CreateBucketCommand({
      Bucket: 'one',
      CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' },
    }),
  );
  const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
  await s3.send(new PutObjectCommand({ Bucket: 'one', Key: 'a b/ü', Body: bytes }));
  const got = await s3.send(new GetObjectCommand({ Bucket: 'one', Key: 'a b/ü' }));
  expect(await got.Body?.transformToByteArray()).toEqual(bytes);
  expect(
    seenSince().map(({ caller, service, region, operation, input }) => [
      caller,
      service,
      region,
      operation,
      input,
    ]),
  ).toMatchObject([
    ['sweep', 'dynamodb', 'eu-central-1', 'ListTables', { Limit: 7 }],
    ['close-campaign', 'sns', 'eu-central-1', 'Subscribe', { Protocol: 'sqs' }],
    ['open-campaign', 's3', 'eu-central-1', expect.anything(), { Bucket: 'one' }],
    ['open-campaign', 's3', 'eu-central-1', 'PutObject', { Bucket: 'one', Key: 'a b/ü' }],
    ['open-campaign', 's3', 'eu-central-1', 'GetObject', { Bucket: 'one', Key: 'a b/ü' }],
  ]);
});

test('knows who is behind the role of another account', async () => {
  const { credentials, ...base } = clientOf('dispatch-batch');
  const role = 'arn:aws:iam::222222222222:role/quarterdeck-member';
  const assumed = fromTemporaryCredentials({
    masterCredentials: credentials,
    params: { RoleArn: role, RoleSessionName: 'quarterdeck' },
    clientConfig: base,
  });
  await new SSMClient({ ...base, credentials: assumed }).send(new DescribeParametersCommand({}));
  expect(seenSince()).toMatchObject([
    { caller: 'dispatch-batch', service: 'sts', operation: 'AssumeRole' },
    { caller: 'dispatch-batch', service: 'ssm', operation: 'DescribeParameters', role },
  ]);
});

test('spoils what it is told to, before and after the server did the work', async () => {
  const client = new DynamoDBClient({ ...clientOf('sweep'), maxAttempts: 3 });
  const faults = [
    { kind: 'answer', answer: jsonError(400, 'ThrottlingException') },
    { kind: 'cut', when: 'before' },
    { kind: 'cut', when: 'after' },
  ] as const;
  const undo = proxy.spoil(() => faults[seenSince().length - 1]);
  await expect(tables(client)).rejects.toThrow();
  expect(seenSince().map(({ fault, answer }) => [fault?.kind, answer?.status])).toEqual([
    ['answer', 400],
    ['cut', undefined],
    ['cut', 200],
  ]);
  undo();
  expect((await tables(client)).TableNames).toEqual([]);
});

test('has the clock of whoever calls: a refusal is no skew of the clock, and is not repeated', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2027, 0, 1) });
  const client = new DynamoDBClient(clientOf('sweep'));
  await expect(client.send(new DescribeTableCommand({ TableName: 'none' }))).rejects.toThrow('none');
  expect(seenSince()).toHaveLength(1);
  vi.useRealTimers();
});

test('gives credentials that last an hour by the clock of whoever asked', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2027, 0, 1) });
  const { credentials, ...base } = clientOf('sweep');
  const assumed = fromTemporaryCredentials({
    masterCredentials: credentials,
    params: { RoleArn: 'arn:aws:iam::222222222222:role/quarterdeck-member', RoleSessionName: 'quarterdeck' },
    clientConfig: base,
  });
  const { expiration } = await assumed();
  vi.useRealTimers();
  expect(expiration?.toISOString()).toBe('2027-01-01T01:00:00.000Z');
});

test('answers later, or otherwise than the server did', async () => {
  const client = new DynamoDBClient(clientOf('sweep'));
  const undo = proxy.spoil(() => ({
    kind: 'change',
    change: (answer) => ({ ...answer, body: Buffer.from('{"TableNames":["another"]}'), headers: {} }),
  }));
  expect((await tables(client)).TableNames).toEqual(['another']);
  undo();
  proxy.spoil(() => ({ kind: 'delay', millis: 200 }));
  const begun = performance.now();
  await tables(client);
  expect(performance.now() - begun).toBeGreaterThan(190);
});
