/** Owns the embedded DynamoDB: dynalite on a port of this machine alone, kept in a folder, with the state table made. */
import { createHash } from 'node:crypto';
import { mkdir, realpath } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  ResourceInUseException,
} from '@aws-sdk/client-dynamodb';
import dynalite from 'dynalite';
import {
  createDynamoDbCalls,
  type DynamoDbCalls,
  type DynamoDbLocation,
} from '../../lambdas/aws/dynamodb-records.ts';
import { tableShape } from '../../lambdas/aws/table-shape.ts';

export interface EmbeddedDynamoDb {
  /** Where it listens; whoever makes clients of their own closes them first. */
  readonly location: DynamoDbLocation;
  readonly table: string;
  readonly calls: DynamoDbCalls;
  /** Lets the calls under way end, refuses others, and closes server and files; safe to call twice. */
  close(): Promise<void>;
}

const table = 'quarterdeck';

/**
 * What was written outlives this process, also if it is killed, but LevelDB does not sync each write: a power cut of
 * the machine may lose the last ones.
 *
 * @throws when another process, or another part of this one, has the folder open
 */
export async function startEmbeddedDynamoDb(folder: string): Promise<EmbeddedDynamoDb> {
  // On Node 20 the SDK would warn, on the first client of each process, of the year in which its support ends.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  await mkdir(folder, { recursive: true });
  const lock = await lockFolder(await realpath(folder));
  const server = dynalite({ path: join(folder, 'dynamodb'), createTableMs: 0 });
  try {
    await listen(server, { host: '127.0.0.1', port: 0 });
    const address = server.address();
    if (address === null || typeof address === 'string') {
      throw new Error(`embedded dynamodb got ${JSON.stringify(address)} instead of a port`);
    }
    const location: DynamoDbLocation = {
      region: 'us-east-1',
      endpoint: `http://127.0.0.1:${address.port}`,
      // dynalite wants a signature and checks none.
      credentials: { accessKeyId: 'embedded', secretAccessKey: 'embedded' },
    };
    await makeTable(location);
    const client = createDynamoDbCalls(location);
    const { calls, drain } = drainable(client);
    let closing: Promise<void> | undefined;
    const close = async () => {
      await drain();
      client.close();
      await closed(server);
      await closed(lock);
    };
    return {
      location,
      table,
      calls,
      close: () => {
        closing ??= close();
        return closing;
      },
    };
  } catch (error) {
    await closed(server);
    await closed(lock);
    throw error;
  }
}

/** dynalite ends the process when its files are closed under a request, so closing waits for the last answer. */
function drainable(inner: DynamoDbCalls): { calls: DynamoDbCalls; drain: () => Promise<void> } {
  const underWay = new Set<Promise<unknown>>();
  let draining = false;
  const track =
    <Input, Output>(call: (input: Input) => Promise<Output>) =>
    async (input: Input): Promise<Output> => {
      if (draining) throw new Error('the embedded dynamodb is closed: start it again before using it');
      const answer = call(input);
      underWay.add(answer);
      try {
        return await answer;
      } finally {
        underWay.delete(answer);
      }
    };
  return {
    calls: {
      getItem: track(inner.getItem),
      batchGetItem: track(inner.batchGetItem),
      putItem: track(inner.putItem),
      query: track(inner.query),
    },
    async drain() {
      draining = true;
      await Promise.allSettled(underWay);
    },
  };
}

/**
 * dynalite answers to a folder in use by ending the process, so this asks first. An abstract socket is a lock that
 * the kernel lets go of when its process dies, however it dies, and that leaves no file behind.
 */
async function lockFolder(folder: string): Promise<Server> {
  const lock = createServer();
  const name = createHash('sha256').update(folder).digest('hex').slice(0, 32);
  try {
    await listen(lock, { path: `\0quarterdeck-${name}` });
  } catch (error) {
    throw new Error(`folder ${folder} is in use by another run: end that run, or choose another folder`, {
      cause: error,
    });
  }
  lock.unref();
  return lock;
}

async function makeTable(location: DynamoDbLocation): Promise<void> {
  const client = new DynamoDBClient(location);
  try {
    await client.send(
      new CreateTableCommand({
        TableName: table,
        AttributeDefinitions: [...tableShape.AttributeDefinitions],
        KeySchema: [...tableShape.KeySchema],
        GlobalSecondaryIndexes: tableShape.GlobalSecondaryIndexes.map((index) => ({
          ...index,
          KeySchema: [...index.KeySchema],
        })),
        BillingMode: tableShape.BillingMode,
      }),
    );
  } catch (error) {
    // Kept from an earlier run in this folder.
    if (!(error instanceof ResourceInUseException)) throw error;
  }
  try {
    const isActive = async () =>
      (await client.send(new DescribeTableCommand({ TableName: table }))).Table?.TableStatus === 'ACTIVE';
    while (!(await isActive())) await sleep(5);
  } finally {
    client.destroy();
  }
}

function listen(server: Server, options: { host?: string; port?: number; path?: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
