import { CreateTableCommand, DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Moto, startMoto } from './moto.ts';

const createTable = new CreateTableCommand({
  TableName: 'one',
  AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
  KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
  BillingMode: 'PAY_PER_REQUEST',
});

let moto: Moto;
beforeAll(async () => {
  moto = await startMoto();
});
afterAll(() => moto?.close());

test('forgets what was made, and is gone when it is closed', async () => {
  const client = new DynamoDBClient(moto.client);
  const tables = async () => (await client.send(new ListTablesCommand({}))).TableNames;
  await client.send(createTable);
  expect(await tables()).toEqual(['one']);
  await moto.reset();
  expect(await tables()).toEqual([]);
  await moto.close();
  await expect(fetch(moto.endpoint)).rejects.toThrow();
  client.destroy();
});
