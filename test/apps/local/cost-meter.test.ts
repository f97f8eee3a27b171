import { beforeEach, describe, expect, test } from 'vitest';
import {
  type CostMeter,
  countEvent,
  countInvocation,
  countQueueBatch,
  countServerRequest,
  countTransitions,
  createCostMeter,
} from '../../../apps/local/cost-meter.ts';
import { createMemoryAlarms } from '../../../apps/local/memory-alarms.ts';
import { createMemoryObjects } from '../../../apps/local/memory-objects.ts';
import { createMemoryRecords } from '../../../apps/local/memory-records.ts';
import { createMemoryRootVolumes } from '../../../apps/local/memory-root-volumes.ts';
import { createMemorySnapshots } from '../../../apps/local/memory-snapshots.ts';
import { meteredPorts } from '../../../apps/local/metered-ports.ts';
import { meteredRecords } from '../../../apps/local/metered-records.ts';
import type { Objects, Ports, Records } from '../../../core/ports.ts';
import { describeObjects } from '../../contracts/objects.contract.ts';
import { describeRecords } from '../../contracts/records.contract.ts';

let meter: CostMeter;
beforeEach(() => {
  meter = createCostMeter();
});

/** What one piece of work adds to the reading. */
async function spent(work: () => Promise<unknown>) {
  const before = meter.reading().units;
  await work();
  const after = meter.reading().units;
  return {
    writes: (after['dynamodb-write-units'] ?? 0) - (before['dynamodb-write-units'] ?? 0),
    reads: (after['dynamodb-read-units'] ?? 0) - (before['dynamodb-read-units'] ?? 0),
  };
}

describe('records with a meter', () => {
  let records: Records;
  const key = { partition: 'campaign', sort: 'batch' };
  const at = (minute: number) => ({ shard: '0', at: `2026-11-21T01:${minute}:00.000Z` });
  const kilobytes = (count: number) => 'x'.repeat(count * 1024 - 200);
  beforeEach(() => {
    records = meteredRecords(createMemoryRecords(), meter);
  });

  test('a write costs a unit for each KB begun', async () => {
    expect(await spent(() => records.create({ key, body: kilobytes(1) }))).toEqual({ writes: 1, reads: 0 });
    expect(await spent(() => records.replace({ key, body: kilobytes(3) }, 1))).toEqual({
      writes: 3,
      reads: 0,
    });
  });

  test('a write that is refused costs as much', async () => {
    await records.create({ key, body: 1 });
    expect(await spent(() => records.create({ key, body: 1 }))).toEqual({ writes: 1, reads: 0 });
    expect(await spent(() => records.replace({ key, body: 1 }, 7))).toEqual({ writes: 1, reads: 0 });
  });

  test('a read costs a unit for each 4 KB begun, and one where nothing is', async () => {
    await records.create({ key, body: kilobytes(9) });
    expect(await spent(() => records.get(key))).toEqual({ writes: 0, reads: 3 });
    expect(await spent(() => records.get({ ...key, sort: 'missing' }))).toEqual({ writes: 0, reads: 1 });
  });

  test('many keys cost item by item, a listing costs its sum', async () => {
    const keys = Array.from({ length: 120 }, (_, index) => ({ partition: 'p', sort: String(index) }));
    for (const each of keys) await records.create({ key: each, body: 'small' });
    expect(await spent(() => records.getMany([...keys, ...keys]))).toEqual({ writes: 0, reads: 120 });
    expect(meter.reading().calls['dynamodb:BatchGetItem']).toBe(2);
    expect((await spent(() => records.list('p', { limit: 40 }))).reads).toBe(1);
  });

  test('the due index costs only where its entry changes', async () => {
    const body = 'x';
    expect((await spent(() => records.create({ key, body, due: at(10) }))).writes).toBe(2);
    expect((await spent(() => records.replace({ key, body, due: at(10) }, 1))).writes).toBe(1);
    expect((await spent(() => records.replace({ key, body, due: at(20) }, 2))).writes).toBe(3);
    expect((await spent(() => records.replace({ key, body, due: at(30) }, 1))).writes).toBe(1);
    expect((await spent(() => records.replace({ key, body }, 3))).writes).toBe(2);
    expect((await spent(() => records.replace({ key, body }, 4))).writes).toBe(1);
  });

  test('asking what is due costs half a unit, and the items themselves', async () => {
    expect((await spent(() => records.listDue('0', at(30).at, 10))).reads).toBe(0.5);
    await records.create({ key, body: 'x', due: at(10) });
    expect((await spent(() => records.listDue('0', at(30).at, 10))).reads).toBe(1.5);
  });
});

describeRecords('memory, metered', async () => ({
  records: meteredRecords(createMemoryRecords(), createCostMeter()),
  close: async () => {},
}));

describeObjects('memory, metered', async () => {
  const objects: Objects = createMemoryObjects('bucket', 'eu-central-1');
  return { objects: meteredPorts({ objects } as Ports, createCostMeter()).objects, close: async () => {} };
});

test('every port is counted under the name of its AWS call', async () => {
  const place = { account: '123456789012', region: 'eu-central-1' };
  const document = { name: 'Quarterdeck-Debian-Patch', version: '1', hash: 'a'.repeat(64) };
  const at = '2026-11-21T01:00:00.000Z';
  const inner: Ports = {
    records: createMemoryRecords(),
    objects: createMemoryObjects('bucket', 'eu-central-1'),
    commands: {
      pin: async () => document,
      send: async () => 'command',
      find: async () => [],
      invocations: async () => [],
    },
    fleet: { presence: async () => new Map() },
    callbacks: { succeed: async () => 'delivered', fail: async () => 'gone' },
    notices: { send: async () => {} },
    executions: { start: async () => {} },
    snapshots: createMemorySnapshots(() => at),
    rootVolumes: createMemoryRootVolumes(() => at),
    alarms: createMemoryAlarms(),
    backups: { bucket: 'backups' },
    measures: { count() {} },
  };
  const ports = meteredPorts(inner, meter);
  await ports.objects.put('a', 'x');
  expect(await ports.objects.get('a')).toBeDefined();
  expect(await ports.commands.pin(place, document.name)).toBe(document);
  const request = {
    document,
    serverIds: ['i-0123456789abcdef0'],
    parameters: {},
    comment: 'c',
    deliveryTimeout: 60,
  };
  expect(await ports.commands.send(place, request)).toBe('command');
  await ports.commands.find(place, 'c', at);
  await ports.commands.invocations(place, 'command');
  await ports.fleet.presence(
    place,
    Array.from({ length: 51 }, (_, index) => `i-${index}`),
  );
  expect(await ports.callbacks.succeed('token', {})).toBe('delivered');
  expect(await ports.callbacks.fail('token', 'error', 'cause')).toBe('gone');
  await ports.notices.send({ id: '1', kind: 'campaign-opened', campaignId: 'c', subject: 's', text: 't' });
  await ports.executions.start('name', {});
  const serverId = 'i-0123456789abcdef0';
  const order = { serverId, campaignId: 'c', expiresAt: at, keepLast: 1 };
  const [taken] = await ports.snapshots.take(place, order);
  expect((await ports.snapshots.volumes(place, [serverId])).get(serverId)).toHaveLength(2);
  expect(await ports.snapshots.find(place, 'c', [serverId])).toHaveLength(2);
  expect((await ports.snapshots.list(place)).snapshots).toHaveLength(2);
  expect(await ports.snapshots.delete(place, taken?.snapshotId ?? '')).toBe('deleted');
  const replacing = { serverId, snapshotId: 'snap-1', campaignId: 'c', token: 't' };
  const taskId = await ports.rootVolumes.replace(place, replacing);
  expect(await ports.rootVolumes.task(place, taskId)).toMatchObject({ state: 'in-progress' });
  expect(await ports.rootVolumes.look(place, serverId)).toMatchObject({ instanceState: 'running' });
  await ports.alarms.states(
    place,
    Array.from({ length: 101 }, (_, index) => `alarm-${index}`),
  );
  expect(meter.reading().calls).toEqual({
    'cloudwatch:DescribeAlarms': 2,
    'ec2:CreateReplaceRootVolumeTask': 1,
    'ec2:CreateSnapshots': 1,
    'ec2:DeleteSnapshot': 1,
    'ec2:DescribeInstances': 2,
    'ec2:DescribeReplaceRootVolumeTasks': 1,
    'ec2:DescribeSnapshots': 2,
    's3:GetObject': 1,
    's3:PutObject': 1,
    'sns:Publish': 1,
    'ssm:DescribeDocument': 1,
    'ssm:DescribeInstanceInformation': 3,
    'ssm:ListCommandInvocations': 1,
    'ssm:ListCommands': 1,
    'ssm:SendCommand': 1,
    'states:SendTaskFailure': 1,
    'states:SendTaskSuccess': 1,
    'states:StartExecution': 1,
  });
  expect(meter.reading().units).toEqual({ 's3-gets': 1, 's3-puts': 1, 'sns-emails': 1, 'sns-publishes': 1 });
});

test('an invocation costs its memory for every millisecond begun, also when it fails', async () => {
  let elapsed = 0;
  const metering = { meter, name: 'settle', memoryMb: 256, stopwatch: () => elapsed };
  const take = (millis: number) => async () => {
    elapsed += millis;
    return 'done';
  };
  expect(await countInvocation(metering, take(19.2))).toBe('done');
  expect(meter.reading().units['lambda-gb-seconds']).toBeCloseTo(0.25 * 0.02, 12);
  await expect(countInvocation(metering, () => Promise.reject(new Error('late')))).rejects.toThrow('late');
  expect(meter.reading().units['lambda-gb-seconds']).toBeCloseTo(0.25 * 0.021, 12);
  expect(meter.reading().calls).toEqual({ 'lambda:settle': 2 });
});

test('the way of an event counts by request, a batch of messages being one', () => {
  for (let event = 0; event < 10; event++) countEvent(meter);
  countQueueBatch(meter, 10);
  countQueueBatch(meter, 0);
  expect(meter.reading().units).toEqual({ 'eventbridge-events': 10, 'sqs-requests': 10 + 2 + 1 });
});

test('servers pay for answers and refusals, and not for errors of S3', () => {
  countServerRequest(meter, { method: 'GET', status: 200 });
  countServerRequest(meter, { method: 'HEAD', status: 404 });
  countServerRequest(meter, { method: 'PUT', status: 403 });
  countServerRequest(meter, { method: 'PUT', status: 503 });
  countServerRequest(meter, { method: 'PUT' });
  expect(meter.reading().units).toEqual({ 's3-gets': 2, 's3-puts': 1 });
});

test('the reading prices what was counted', () => {
  countTransitions(meter, 780);
  expect(meter.reading()).toMatchObject({
    calls: { 'states:Transition': 780 },
    cost: { total: 0.0195, lines: [{ name: 'state-transitions' }] },
  });
});
