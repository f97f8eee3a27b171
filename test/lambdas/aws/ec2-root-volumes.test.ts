import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RootVolumes } from '../../../core/ports.ts';
import { createEc2RootVolumes, createRootVolumeCalls } from '../../../lambdas/aws/ec2-root-volumes.ts';
import { describeRootVolumes } from '../../contracts/root-volumes.contract.ts';
import { type RootVolumeEndpoint, serveRootVolumes } from '../../support/root-volume-endpoint.ts';
import { frankfurt, serverId } from '../../support/samples.ts';

const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
let endpoint: RootVolumeEndpoint;
let rootVolumes: RootVolumes;
let instances: object[] = [];
let nodes: object[] = [];

beforeAll(async () => {
  endpoint = await serveRootVolumes();
  const calls = createRootVolumeCalls({ region: frankfurt.region, endpoint: endpoint.url, credentials });
  rootVolumes = createEc2RootVolumes(() => ({
    ...calls,
    describeInstances: async () => ({ Reservations: [{ Instances: instances }] }),
    describeInstanceInformation: async () => ({ InstanceInformationList: nodes }),
    listTagsForResource: async () => ({ TagList: [] }),
  }));
});
afterAll(() => endpoint?.close());

const request = (token: string) => ({
  serverId: serverId(1),
  snapshotId: 'snap-0123456789abcdef0',
  campaignId: 'spring-2027-web',
  token,
});

describeRootVolumes("EC2's own words", async () => {
  const own = await serveRootVolumes();
  const there = {
    InstanceId: serverId(1),
    State: { Name: 'running' as const },
    RootDeviceName: '/dev/xvda',
    BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { VolumeId: 'vol-root' } }],
  };
  const node = { InstanceId: serverId(1), LastPingDateTime: new Date('2026-11-22T01:00:00Z') };
  return {
    rootVolumes: createEc2RootVolumes(() => ({
      ...createRootVolumeCalls({ region: frankfurt.region, endpoint: own.url, credentials }),
      describeInstances: async ({ Filters: [filter] = [] }) => ({
        Reservations: [{ Instances: filter?.Values?.includes(serverId(1)) ? [there] : [] }],
      }),
      describeInstanceInformation: async () => ({ InstanceInformationList: [node] }),
      listTagsForResource: async () => ({ TagList: [] }),
    })),
    place: frankfurt,
    serverId: serverId(1),
    settle: () => own.tell('succeeded', '2026-11-22T01:02:03Z'),
    close: () => own.close(),
  };
});

describe('a root volume', () => {
  test('is replaced by the snapshot, for the campaign, and the one of before stays', async () => {
    await rootVolumes.replace(frankfurt, request('first'));
    expect(endpoint.asked.at(-1)).toMatchObject({
      InstanceId: serverId(1),
      SnapshotId: 'snap-0123456789abcdef0',
      ClientToken: 'first',
      DeleteReplacedRootVolume: 'false',
      'TagSpecification.1.ResourceType': 'replace-root-volume-task',
      'TagSpecification.1.Tag.1.Key': 'quarterdeck:campaign',
      'TagSpecification.1.Tag.1.Value': 'spring-2027-web',
    });
  });
});

describe('a task', () => {
  test.each([
    ['pending', 'pending', undefined],
    ['in-progress', 'in-progress', undefined],
    ['succeeded', 'succeeded', '2026-11-22T01:02:03Z'],
    ['failing', 'failing', undefined],
    ['failed', 'failed', '2026-11-22T01:02:03Z'],
    ['failed-detached', 'failed-detached', undefined],
    // In the documentation, and in no model.
    ['failing-detached', 'failing', undefined],
    // What nobody knows yet is not at its end.
    ['waiting', 'pending', undefined],
  ])('that EC2 calls %s is %s', async (said, state, completeTime) => {
    const id = await rootVolumes.replace(frankfurt, request('told'));
    endpoint.tell(said, completeTime);
    expect(await rootVolumes.task(frankfurt, id)).toEqual({
      state,
      completedAt: completeTime ? '2026-11-22T01:02:03.000Z' : null,
    });
  });

  test('that EC2 does not know is undefined', async () => {
    expect(await rootVolumes.task(frankfurt, 'replacevol-00000000000000000')).toBeUndefined();
  });
});

describe('a look', () => {
  test('tells the root volume among the disks, and when the agent was heard of', async () => {
    instances = [
      {
        InstanceId: serverId(1),
        State: { Name: 'running' },
        RootDeviceName: '/dev/xvda',
        BlockDeviceMappings: [
          { DeviceName: '/dev/sdf', Ebs: { VolumeId: 'vol-data' } },
          { DeviceName: '/dev/xvda', Ebs: { VolumeId: 'vol-root' } },
        ],
      },
    ];
    nodes = [{ InstanceId: serverId(1), LastPingDateTime: new Date('2026-11-22T01:00:00Z') }];
    expect(await rootVolumes.look(frankfurt, serverId(1))).toEqual({
      instanceState: 'running',
      rootVolumeId: 'vol-root',
      agentSeenAt: '2026-11-22T01:00:00.000Z',
    });
  });

  test('at an instance without EBS and without an agent says so', async () => {
    instances = [{ InstanceId: serverId(1), State: { Name: 'stopped' }, RootDeviceName: '/dev/sda1' }];
    nodes = [];
    expect(await rootVolumes.look(frankfurt, serverId(1))).toEqual({
      instanceState: 'stopped',
      rootVolumeId: null,
      agentSeenAt: null,
    });
  });

  test('at one that EC2 does not know is undefined', async () => {
    instances = [];
    expect(await rootVolumes.look(frankfurt, serverId(1))).toBeUndefined();
  });
});
