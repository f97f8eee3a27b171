/** Owns what the adapters call in the tests of faults: moto, the local Run Command, and a Step Functions of two answers. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EC2Client, RunInstancesCommand } from '@aws-sdk/client-ec2';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateScheduleGroupCommand, SchedulerClient } from '@aws-sdk/client-scheduler';
import { CreateTopicCommand, SNSClient } from '@aws-sdk/client-sns';
import { createClock } from '../../../apps/local/clock.ts';
import { RunCommand } from '../../../apps/local/run-command/service.ts';
import { instantOf } from '../../../core/instant.ts';
import type { ClientLocation } from '../../../lambdas/aws/place-clients.ts';
import { tableShape } from '../../../lambdas/aws/table-shape.ts';
import { createFunctionAgent } from '../../support/function-agent.ts';
import { serveRootVolumes } from '../../support/root-volume-endpoint.ts';
import { serveRunCommand } from '../../support/run-command-endpoint.ts';
import { frankfurt, serverId } from '../../support/samples.ts';
import { startMoto } from '../moto.ts';
import { type AwsProxy, startProxy } from '../proxy.ts';

export const documentName = 'Quarterdeck-Faults';
export const scheduleGroup = 'campaigns';
export const documentContent = {
  schemaVersion: '2.2',
  mainSteps: [{ action: 'aws:runShellScript', name: 'only', inputs: { runCommand: ['true'] } }],
};

export interface AdapterWorld {
  readonly proxy: AwsProxy;
  readonly location: ClientLocation;
  readonly table: string;
  readonly bucket: string;
  readonly topic: string;
  /** An instance that moto knows and Run Command, too. */
  readonly instanceId: string;
  /** Times that the server was told to do something. */
  taken(): number;
  /** Tasks that replace a root volume, each for one token. */
  rootVolumeTasks(): number;
  /** Of Run Command. */
  now(): string;
  /** Lets Run Command end what it began. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

export async function startAdapterWorld(): Promise<AdapterWorld> {
  const moto = await startMoto();
  const { client } = moto;
  const table = 'state';
  const bucket = 'campaigns-111111111111';
  await new DynamoDBClient(client).send(
    new CreateTableCommand({ ...structuredClone(tableShape), TableName: table } as never),
  );
  await new S3Client(client).send(
    new CreateBucketCommand({
      Bucket: bucket,
      CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' },
    }),
  );
  await new SchedulerClient(client).send(new CreateScheduleGroupCommand({ Name: scheduleGroup }));
  const { TopicArn = '' } = await new SNSClient(client).send(new CreateTopicCommand({ Name: 'notices' }));
  const { Instances } = await new EC2Client(client).send(
    new RunInstancesCommand({ ImageId: 'ami-12c6146b', MinCount: 1, MaxCount: 1 }),
  );
  const instanceId = Instances?.[0]?.InstanceId ?? '';
  const clock = createClock(Date.UTC(2026, 10, 20), () => 0);
  const service = new RunCommand({ clock, ...frankfurt, emit: () => {} });
  const agent = createFunctionAgent(clock);
  for (const id of [instanceId, serverId(2)]) service.registerInstance(id, agent, id);
  const content = JSON.stringify(documentContent);
  service.registerDocument(documentName, content);
  const ssm = await serveRunCommand(service, () => content);
  const states = await serveStates();
  const upstreams: Record<string, string> = { ssm: ssm.url, states: states.url };
  const roots = await serveRootVolumes();
  const proxy = await startProxy(({ service, operation }) =>
    operation.includes('ReplaceRootVolumeTask') ? roots.url : (upstreams[service] ?? moto.endpoint),
  );
  return {
    proxy,
    location: { ...client, endpoint: proxy.endpoint },
    table,
    bucket,
    topic: TopicArn,
    instanceId,
    taken: () => agent.taken.length,
    rootVolumeTasks: () => new Set(roots.asked.map(({ ClientToken }) => ClientToken)).size,
    now: () => instantOf(clock.now()),
    settle: () => new Promise((resolve) => clock.at(clock.now() + 5000, resolve)),
    async close() {
      await Promise.all([proxy.close(), ssm.close(), states.close(), roots.close(), moto.close()]);
    },
  };
}

/** A token is answered once, and a name started once: what Step Functions says of the second time. */
async function serveStates(): Promise<{ url: string; close(): Promise<void> }> {
  const seen = new Set<string>();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { taskToken, name } = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    const id = `${taskToken ?? ''}${name ?? ''}`;
    const isAgain = seen.has(id);
    seen.add(id);
    const second = { __type: taskToken ? 'TaskTimedOut' : 'ExecutionAlreadyExists', message: 'again' };
    const first = taskToken ? {} : { executionArn: `arn:${name}`, startDate: 1_795_147_200 };
    response.writeHead(isAgain ? 400 : 200, { 'content-type': 'application/x-amz-json-1.0' });
    response.end(JSON.stringify(isAgain ? second : first));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
