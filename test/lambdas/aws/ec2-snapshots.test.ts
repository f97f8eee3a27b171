import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { Snapshots } from '../../../core/ports.ts';
import { createEc2Snapshots, createSnapshotCalls } from '../../../lambdas/aws/ec2-snapshots.ts';
import { frankfurt, serverId } from '../../support/samples.ts';

const order = {
  serverId: serverId(1),
  campaignId: 'spring-2027-web',
  expiresAt: '2027-06-01T00:00:00.000Z',
  keepLast: 3,
};

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** EC2 that answers everything the same; undefined cuts the line. */
async function answering(answer: { status: number; body: string } | undefined) {
  let asked = 0;
  server = createServer((request, response) => {
    asked++;
    request.resume();
    if (answer === undefined) return void request.socket.destroy();
    response.writeHead(answer.status, { 'content-type': 'text/xml' });
    response.end(answer.body);
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const calls = createSnapshotCalls({ region: frankfurt.region, endpoint, credentials });
  const snapshots: Snapshots = createEc2Snapshots(() => ({
    ...calls,
    describeInstances: async () => ({ Reservations: [] }),
  }));
  return { snapshots, asked: () => asked };
}

const failing = (status: number, code: string) => ({
  status,
  body: `<Response><Errors><Error><Code>${code}</Code><Message>no</Message></Error></Errors></Response>`,
});

describe('taking snapshots', () => {
  test.each([
    [503, 'RequestLimitExceeded', 'throttled'],
    [400, 'SnapshotCreationPerVolumeRateExceeded', 'throttled'],
    [400, 'ConcurrentSnapshotLimitExceeded', 'throttled'],
    [400, 'PendingSnapshotLimitExceeded', 'throttled'],
    [400, 'SnapshotLimitExceeded', 'refused'],
    [403, 'UnauthorizedOperation', 'refused'],
    [400, 'InvalidInstanceID.NotFound', 'refused'],
    [500, 'InternalError', 'ambiguous'],
    [503, 'Unavailable', 'ambiguous'],
  ])('that EC2 answers with %i %s is %s, and not asked for twice', async (status, code, expected) => {
    const { snapshots, asked } = await answering(failing(status, code));
    await expect(snapshots.take(frankfurt, order)).rejects.toMatchObject({
      code: expected,
      message: `CreateSnapshots: ${code}: no`,
    });
    expect(asked()).toBe(1);
  });

  test('over a line that breaks is ambiguous, and not asked for twice', async () => {
    const { snapshots, asked } = await answering(undefined);
    await expect(snapshots.take(frankfurt, order)).rejects.toMatchObject({ code: 'ambiguous' });
    expect(asked()).toBe(1);
  });

  test('tells what EC2 began, as what was ordered', async () => {
    const item = (id: string, volume: string) =>
      `<item><snapshotId>${id}</snapshotId><volumeId>${volume}</volumeId><state>pending</state>` +
      '<startTime>2026-11-22T01:02:03.000Z</startTime><encrypted>true</encrypted></item>';
    const { snapshots } = await answering({
      status: 200,
      body: `<CreateSnapshotsResponse><snapshotSet>${item('snap-1', 'vol-1')}${item('snap-2', 'vol-2')}</snapshotSet></CreateSnapshotsResponse>`,
    });
    const shared = { ...order, state: 'pending', startedAt: '2026-11-22T01:02:03.000Z', encrypted: true };
    expect(await snapshots.take(frankfurt, order)).toEqual([
      { ...shared, snapshotId: 'snap-1', volumeId: 'vol-1' },
      { ...shared, snapshotId: 'snap-2', volumeId: 'vol-2' },
    ]);
  });
});

describe('deleting a snapshot', () => {
  test.each([
    ['InvalidSnapshot.NotFound', 'gone'],
    ['InvalidSnapshot.InUse', 'in-use'],
  ])('that EC2 answers with %s is %s', async (code, expected) => {
    const { snapshots } = await answering(failing(400, code));
    expect(await snapshots.delete(frankfurt, 'snap-1')).toBe(expected);
  });

  test('that may not be deleted is refused', async () => {
    const { snapshots } = await answering(failing(403, 'UnauthorizedOperation'));
    await expect(snapshots.delete(frankfurt, 'snap-1')).rejects.toMatchObject({ code: 'refused' });
  });
});

test('those whose tags somebody changed are told, and not taken for ours', async () => {
  const { snapshots } = await answering({
    status: 200,
    body:
      '<DescribeSnapshotsResponse><snapshotSet><item><snapshotId>snap-1</snapshotId><volumeId>vol-1</volumeId>' +
      '<status>completed</status><startTime>2026-11-22T01:02:03.000Z</startTime><tagSet><item>' +
      '<key>quarterdeck:campaign</key><value>spring-2027-web</value></item></tagSet></item></snapshotSet></DescribeSnapshotsResponse>',
  });
  expect(await snapshots.list(frankfurt)).toEqual({
    snapshots: [],
    unread: [{ snapshotId: 'snap-1', why: expect.stringContaining('name no job') }],
  });
});
