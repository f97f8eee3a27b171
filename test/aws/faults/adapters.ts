/** Owns the list of the adapters' calls for the tests of faults: each with what it must come to whatever happens to it. */
import { randomUUID } from 'node:crypto';
import { documentContentHash } from '../../../core/document.ts';
import type { TakenSnapshot } from '../../../core/ports.ts';
import { createAlarmCalls, createCloudWatchAlarms } from '../../../lambdas/aws/cloudwatch-alarms.ts';
import { createDynamoDbCalls, createDynamoDbRecords } from '../../../lambdas/aws/dynamodb-records.ts';
import { createEc2Calls, instancesById } from '../../../lambdas/aws/ec2-instances.ts';
import { createEc2RootVolumes, createRootVolumeCalls } from '../../../lambdas/aws/ec2-root-volumes.ts';
import { createEc2Snapshots, createSnapshotCalls } from '../../../lambdas/aws/ec2-snapshots.ts';
import { createBackupCalls, createS3Backups } from '../../../lambdas/aws/s3-backups.ts';
import { createS3Calls, createS3Objects } from '../../../lambdas/aws/s3-objects.ts';
import { createScheduleCalls, createSchedules } from '../../../lambdas/aws/scheduler-schedules.ts';
import { createCallbackCalls, createSfnCallbacks } from '../../../lambdas/aws/sfn-callbacks.ts';
import { createExecutionCalls, createSfnExecutions } from '../../../lambdas/aws/sfn-executions.ts';
import { createSnsCalls, createSnsNotices } from '../../../lambdas/aws/sns-notices.ts';
import { createCommandCalls, createSsmCommands } from '../../../lambdas/aws/ssm-commands.ts';
import { createDocumentCalls, createSsmDocuments } from '../../../lambdas/aws/ssm-documents.ts';
import { createInvocationCalls, createSsmInvocations } from '../../../lambdas/aws/ssm-invocations.ts';
import { createNodeCalls, nodes, nodeTags } from '../../../lambdas/aws/ssm-nodes.ts';
import { frankfurt } from '../../support/samples.ts';
import { serverArchive } from '../../support/server-archive.ts';
import { type AdapterWorld, documentContent, documentName, scheduleGroup } from './adapter-world.ts';
import type { FaultKind } from './fault-kinds.ts';

export interface AdapterCall {
  /** Module in lambdas/aws that makes the client. */
  readonly module: string;
  /** Service and operation that the fault strikes. */
  readonly strikes: string;
  /** Done before, without faults. */
  readonly prepare?: (world: AdapterWorld) => Promise<unknown>;
  /** @param prepared what `prepare` gave */
  readonly act: (world: AdapterWorld, prepared: unknown) => Promise<unknown>;
  /** What the act gives when nothing happens to it. */
  readonly gives: unknown;
  /** Where a fault of that kind makes another end right: another value, or an error by its name. */
  readonly unless?: Partial<Record<FaultKind, { readonly gives: unknown } | { readonly throws: RegExp }>>;
}

const anyExpired = { throws: /Expired/ };

const records = ({ location: { region, endpoint = '' }, table }: AdapterWorld) => {
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const calls = createDynamoDbCalls({ region, endpoint, credentials });
  return createDynamoDbRecords({ table, calls, wait: async () => {} });
};
const objects = ({ location, bucket }: AdapterWorld) =>
  createS3Objects({ bucket, region: frankfurt.region, calls: createS3Calls(location) });
const backups = ({ location, bucket }: AdapterWorld) =>
  createS3Backups({ bucket, scratchBytes: 1024 ** 2, calls: createBackupCalls(location) });
const putArchive = async (world: AdapterWorld) => {
  const key = `backups/${randomUUID()}`;
  await objects(world).put(key, serverArchive(key).content);
  return key;
};
const commands = ({ location }: AdapterWorld) =>
  createSsmCommands({
    callsIn: () => createCommandCalls(location, 1000),
    pace: { perSecond: 5, burst: 5, stopwatch: () => 0, wait: async () => {} },
  });
const schedules = ({ location }: AdapterWorld) =>
  createSchedules({
    group: scheduleGroup,
    target: 'arn:aws:lambda:eu-central-1:111111111111:function:launch',
    role: 'arn:aws:iam::111111111111:role/schedules',
    deadLetters: 'arn:aws:sqs:eu-central-1:111111111111:dead-letters',
    calls: createScheduleCalls(location),
  });
const invocations = ({ location }: AdapterWorld) =>
  createSsmInvocations(() => createInvocationCalls(location));

const snapshots = ({ location }: AdapterWorld) =>
  createEc2Snapshots(() => ({ ...createSnapshotCalls(location, 1000), ...createEc2Calls(location) }));
const taken = (world: AdapterWorld) =>
  snapshots(world).take(frankfurt, {
    serverId: world.instanceId,
    campaignId: randomUUID(),
    expiresAt: '2027-06-01T00:00:00.000Z',
    keepLast: 1,
  });
const stillThere = async (world: AdapterWorld, prepared: unknown) => {
  const [{ campaignId, serverId }] = prepared as [TakenSnapshot];
  return (await snapshots(world).find(frankfurt, campaignId, [serverId])).length;
};
const rootVolumes = ({ location }: AdapterWorld) =>
  createEc2RootVolumes(() => ({
    ...createRootVolumeCalls(location),
    ...createEc2Calls(location),
    ...createNodeCalls(location),
  }));
const replaced = (world: AdapterWorld) =>
  rootVolumes(world).replace(frankfurt, {
    serverId: world.instanceId,
    snapshotId: 'snap-0123456789abcdef0',
    campaignId: 'campaign-0001',
    token: randomUUID(),
  });

const keys = (partition: string) => ['a', 'b', 'c'].map((sort) => ({ partition, sort }));

const threeRecords = async (world: AdapterWorld): Promise<string> => {
  const partition = randomUUID();
  const store = records(world);
  for (const key of keys(partition))
    await store.create({
      key,
      body: { of: key.sort },
      due: { shard: partition, at: '2026-11-20T12:00:00.000Z' },
    });
  return partition;
};

const sent = async (world: AdapterWorld): Promise<string> => {
  const { pin } = createSsmDocuments({
    callsIn: () => createDocumentCalls(world.location),
    expected: () => documentContentHash(documentContent),
  });
  const document = await pin(frankfurt, documentName);
  return commands(world).send(frankfurt, {
    document,
    serverIds: [world.instanceId],
    parameters: {},
    comment: randomUUID(),
    deliveryTimeout: 60,
  });
};

const at = '2036-11-21T00:00:00.000Z';
const scheduled = async (world: AdapterWorld): Promise<string> => {
  const name = randomUUID();
  await schedules(world).create({ name, at, input: { of: name } });
  return name;
};
/** Of those that are there: when they fire and whether they tell what they should. */
const momentsOf = async (world: AdapterWorld, name: string) =>
  (await schedules(world).list()).flatMap((schedule) =>
    schedule.name === name ? [[schedule.at, JSON.stringify(schedule.input).includes(name)]] : [],
  );

export const adapterCalls: readonly AdapterCall[] = [
  ...(['scheduler:ListSchedules', 'scheduler:GetSchedule'] as const).map(
    (strikes): AdapterCall => ({
      module: 'scheduler-schedules',
      strikes,
      prepare: scheduled,
      act: (world, name) => momentsOf(world, String(name)),
      gives: [[at, true]],
    }),
  ),
  {
    // Written twice when its answer is lost: the second finds the first, and makes it what it is.
    module: 'scheduler-schedules',
    strikes: 'scheduler:CreateSchedule',
    act: async (world) => momentsOf(world, await scheduled(world)),
    gives: [[at, true]],
  },
  {
    module: 'scheduler-schedules',
    strikes: 'scheduler:UpdateSchedule',
    prepare: scheduled,
    act: async (world, prepared) => {
      const name = String(prepared);
      await schedules(world).update({ name, at: '2036-12-01T00:00:00.000Z', input: { of: name } });
      return momentsOf(world, name);
    },
    gives: [['2036-12-01T00:00:00.000Z', true]],
  },
  {
    module: 'scheduler-schedules',
    strikes: 'scheduler:DeleteSchedule',
    prepare: scheduled,
    act: async (world, name) => {
      await schedules(world).delete(String(name));
      return momentsOf(world, String(name));
    },
    gives: [],
  },
  {
    module: 'dynamodb-records',
    strikes: 'dynamodb:GetItem',
    prepare: threeRecords,
    act: async (world, partition) =>
      (await records(world).get({ partition: String(partition), sort: 'b' }))?.body,
    gives: { of: 'b' },
  },
  {
    module: 'dynamodb-records',
    strikes: 'dynamodb:BatchGetItem',
    prepare: threeRecords,
    act: async (world, partition) =>
      (await records(world).getMany(keys(String(partition)))).map((record) => record?.body),
    gives: [{ of: 'a' }, { of: 'b' }, { of: 'c' }],
  },
  {
    module: 'dynamodb-records',
    strikes: 'dynamodb:Query',
    prepare: threeRecords,
    act: async (world, partition) =>
      (await records(world).listDue(String(partition), '2026-11-21T00:00:00.000Z', 10)).length,
    gives: 3,
  },
  {
    // Written once and told so, also when the answer to the write is lost and the SDK writes again.
    module: 'dynamodb-records',
    strikes: 'dynamodb:PutItem',
    act: async (world) => {
      const key = { partition: randomUUID(), sort: 'one' };
      const isCreated = await records(world).create({ key, body: 1 });
      return [isCreated, await records(world).get(key)].map((each) =>
        typeof each === 'object' ? each.revision : each,
      );
    },
    gives: [true, 1],
  },
  {
    module: 's3-objects',
    strikes: 's3:PutObject',
    act: async (world) => {
      const key = `campaigns/${randomUUID()}`;
      await objects(world).put(key, 'text');
      return Buffer.from((await objects(world).get(key)) ?? '').toString();
    },
    gives: 'text',
  },
  {
    module: 's3-objects',
    strikes: 's3:GetObject',
    prepare: async (world) => {
      const key = `campaigns/${randomUUID()}`;
      await objects(world).put(key, 'text');
      return key;
    },
    act: async (world, key) => Buffer.from((await objects(world).get(String(key))) ?? '').toString(),
    gives: 'text',
  },
  {
    module: 's3-backups',
    strikes: 's3:GetObject',
    prepare: putArchive,
    act: async (world, key) => (await backups(world).inspect(String(key)))?.entries,
    gives: serverArchive('').archive.files,
  },
  {
    module: 's3-backups',
    strikes: 's3:HeadObject',
    prepare: putArchive,
    act: (world, key) => backups(world).replication(String(key)),
    gives: 'none',
    // An answer to HEAD has no body to say why in.
    unless: { expired: { throws: /Unknown/ } },
  },
  {
    module: 's3-backups',
    strikes: 's3:DeleteObject',
    prepare: putArchive,
    act: async (world, key) => {
      await backups(world).remove(String(key));
      return backups(world).replication(String(key));
    },
    gives: undefined,
  },
  {
    // May come twice, by design: a notice has an id by which a receiver drops doubles.
    module: 'sns-notices',
    strikes: 'sns:Publish',
    act: async ({ topic, location }) =>
      createSnsNotices(topic, createSnsCalls(location)).send({
        id: 'one',
        kind: 'campaign-opened',
        campaignId: 'campaign-0001',
        subject: 'subject',
        text: 'text',
      }),
    gives: undefined,
  },
  {
    module: 'sfn-callbacks',
    strikes: 'states:SendTaskSuccess',
    act: async ({ location }) =>
      createSfnCallbacks(createCallbackCalls(location)).succeed(randomUUID(), { done: true }),
    gives: 'delivered',
    // The second answer to the token is one too many, which is benign.
    unless: { lost: { gives: 'gone' } },
  },
  {
    module: 'sfn-callbacks',
    strikes: 'states:SendTaskFailure',
    act: async ({ location }) =>
      createSfnCallbacks(createCallbackCalls(location)).fail(randomUUID(), 'Error', 'because'),
    gives: 'delivered',
    unless: { lost: { gives: 'gone' } },
  },
  {
    module: 'sfn-executions',
    strikes: 'states:StartExecution',
    act: async ({ location }) =>
      createSfnExecutions('arn:machine', createExecutionCalls(location)).start(randomUUID(), {}),
    gives: undefined,
  },
  {
    // Never sent again by itself: whoever calls looks first whether it ran. One server took one command at most.
    module: 'ssm-commands',
    strikes: 'ssm:SendCommand',
    prepare: async (world) => world.taken(),
    act: async (world, before) => {
      const commandId = await sent(world);
      await world.settle();
      return [typeof commandId, world.taken() - Number(before)];
    },
    gives: ['string', 1],
    unless: {
      throttled: { throws: /CommandThrottled/ },
      failed: { throws: /CommandAmbiguous/ },
      cut: { throws: /CommandAmbiguous/ },
      lost: { throws: /CommandAmbiguous/ },
      expired: { throws: /CommandThrottled/ },
    },
  },
  {
    module: 'ssm-commands',
    strikes: 'ssm:ListCommands',
    prepare: async (world) => {
      await sent(world);
      return world.now();
    },
    act: async (world) => commands(world).find(frankfurt, 'of nobody', world.now()),
    gives: [],
  },
  {
    module: 'ssm-invocations',
    strikes: 'ssm:ListCommandInvocations',
    prepare: async (world) => {
      const commandId = await sent(world);
      await world.settle();
      return commandId;
    },
    act: async (world, commandId) =>
      (await invocations(world).invocations(frankfurt, String(commandId))).map(({ status }) => status),
    gives: ['succeeded'],
  },
  ...(['ssm:DescribeDocument', 'ssm:GetDocument'] as const).map(
    (strikes): AdapterCall => ({
      module: 'ssm-documents',
      strikes,
      act: async ({ location }) => {
        const { pin } = createSsmDocuments({
          callsIn: () => createDocumentCalls(location),
          expected: () => documentContentHash(documentContent),
        });
        return (await pin(frankfurt, documentName)).version;
      },
      gives: '1',
    }),
  ),
  {
    module: 'ssm-nodes',
    strikes: 'ssm:DescribeInstanceInformation',
    act: async ({ location, instanceId }) =>
      (await nodes(createNodeCalls(location), { Key: 'InstanceIds', Values: [instanceId] })).map(
        ({ isOnline }) => isOnline,
      ),
    gives: [true],
  },
  {
    module: 'ssm-nodes',
    strikes: 'ssm:ListTagsForResource',
    act: async ({ location }) => nodeTags(createNodeCalls(location), 'mi-0123456789abcdef0'),
    gives: {},
  },
  {
    module: 'ec2-instances',
    strikes: 'ec2:DescribeInstances',
    act: async ({ location, instanceId }) =>
      (await instancesById(createEc2Calls(location), [instanceId])).map(({ isTerminated }) => isTerminated),
    gives: [false],
  },
  {
    module: 'ec2-snapshots',
    strikes: 'ec2:CreateSnapshots',
    act: async (world) => (await taken(world)).length,
    gives: 1,
    // Nobody knows whether they were taken: whoever calls looks for them, and asks again.
    unless: {
      throttled: { throws: /CommandThrottled/ },
      failed: { throws: /CommandAmbiguous/ },
      cut: { throws: /CommandAmbiguous/ },
      lost: { throws: /CommandAmbiguous/ },
      expired: { throws: /CommandThrottled/ },
    },
  },
  {
    module: 'ec2-snapshots',
    strikes: 'ec2:DescribeSnapshots',
    prepare: taken,
    act: (world, prepared) => stillThere(world, prepared),
    gives: 1,
  },
  {
    module: 'ec2-snapshots',
    strikes: 'ec2:DeleteSnapshot',
    prepare: taken,
    act: async (world, prepared) => {
      for (const { snapshotId } of prepared as TakenSnapshot[])
        await snapshots(world).delete(frankfurt, snapshotId);
      return stillThere(world, prepared);
    },
    gives: 0,
  },
  {
    // With a token: asked for again when its answer is lost, it is the same task.
    module: 'ec2-root-volumes',
    strikes: 'ec2:CreateReplaceRootVolumeTask',
    act: async (world) => {
      const before = world.rootVolumeTasks();
      await replaced(world);
      return world.rootVolumeTasks() - before;
    },
    gives: 1,
  },
  {
    module: 'ec2-root-volumes',
    strikes: 'ec2:DescribeReplaceRootVolumeTasks',
    prepare: replaced,
    act: async (world, taskId) => (await rootVolumes(world).task(frankfurt, String(taskId)))?.state,
    gives: 'pending',
  },
  {
    module: 'cloudwatch-alarms',
    strikes: 'monitoring:DescribeAlarms',
    act: async ({ location }) => {
      const alarms = createCloudWatchAlarms(frankfurt, () => createAlarmCalls(location));
      return [...(await alarms.states(frankfurt, ['nowhere'])).values()];
    },
    gives: ['missing'],
  },
];

/** What a fault must come to: the SDK tries again where it may, and what it can not know is said and not guessed. */
export function expectationOf({ gives, unless = {} }: AdapterCall, kind: FaultKind) {
  return unless[kind] ?? (kind === 'expired' ? anyExpired : { gives });
}
