/** Owns what taking, finding and deleting snapshots must do; run it on each adapter of the port. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Snapshots } from '../../core/ports.ts';
import type { Place } from '../../core/server.ts';

export interface SnapshotsUnderTest {
  readonly snapshots: Snapshots;
  readonly place: Place;
  /** Two that are there, with a volume of data each, and one that is not there any more. */
  readonly servers: readonly [string, string];
  readonly gone: string;
  close(): Promise<void>;
}

const expiresAt = '2027-02-19T22:00:00.000Z';

export function describeSnapshots(name: string, open: () => Promise<SnapshotsUnderTest>): void {
  describe(`snapshots on ${name}`, () => {
    let opened: SnapshotsUnderTest;
    beforeAll(async () => {
      opened = await open();
    });
    afterAll(() => opened?.close());
    const orderFor = (serverId: string, campaignId: string) => ({
      serverId,
      campaignId,
      expiresAt,
      keepLast: 3,
    });
    const idsOf = (all: readonly { readonly snapshotId: string }[]) =>
      all.map(({ snapshotId }) => snapshotId).toSorted();

    test('the volumes of a server are its disks, one of which is its root', async () => {
      const { snapshots, place, servers } = opened;
      const volumes = (await snapshots.volumes(place, [...servers])).get(servers[0]) ?? [];
      expect(volumes).toHaveLength(2);
      expect(volumes.filter(({ root }) => root)).toHaveLength(1);
      expect(new Set(volumes.map(({ device }) => device)).size).toBe(2);
    });

    test('a server that is gone has no volumes, and keeps nobody from hearing of the others', async () => {
      const { snapshots, place, servers, gone } = opened;
      const volumes = await snapshots.volumes(place, [servers[0], gone, servers[1]]);
      expect([...volumes.keys()].toSorted()).toEqual([...servers].toSorted());
    });

    test('what is taken is of every volume, says what it is for, and is found again as it was', async () => {
      const { snapshots, place, servers } = opened;
      const order = orderFor(servers[0], 'campaign-1');
      const taken = await snapshots.take(place, order);
      const volumes = (await snapshots.volumes(place, [servers[0]])).get(servers[0]) ?? [];
      expect(taken.map(({ volumeId }) => volumeId).toSorted()).toEqual(
        volumes.map(({ volumeId }) => volumeId).toSorted(),
      );
      for (const snapshot of taken) expect(snapshot).toMatchObject(order);
      const found = await snapshots.find(place, 'campaign-1', [...servers]);
      expect(idsOf(found)).toEqual(idsOf(taken));
      for (const snapshot of found) expect(snapshot).toMatchObject(order);
    });

    test('those of another campaign, or of another server, are not found', async () => {
      const { snapshots, place, servers } = opened;
      await snapshots.take(place, orderFor(servers[0], 'campaign-2'));
      await snapshots.take(place, orderFor(servers[1], 'campaign-2'));
      const found = await snapshots.find(place, 'campaign-2', [servers[1]]);
      expect(found.map(({ serverId }) => serverId)).toEqual([servers[1], servers[1]]);
      expect(await snapshots.find(place, 'campaign-3', [...servers])).toEqual([]);
    });

    test('all of ours are listed, whatever their campaign', async () => {
      const { snapshots, place, servers } = opened;
      await snapshots.take(place, orderFor(servers[1], 'campaign-4'));
      const { snapshots: all, unread } = await snapshots.list(place);
      expect(new Set(all.map(({ campaignId }) => campaignId))).toContain('campaign-4');
      expect(unread).toEqual([]);
    });

    test('what is deleted is there no more, and can be deleted again', async () => {
      const { snapshots, place, servers } = opened;
      const [first, second] = await snapshots.take(place, orderFor(servers[0], 'campaign-5'));
      if (!first || !second) throw new Error('nothing was taken');
      expect(await snapshots.delete(place, first.snapshotId)).toBe('deleted');
      expect(await snapshots.delete(place, first.snapshotId)).toBe('gone');
      expect(idsOf(await snapshots.find(place, 'campaign-5', [...servers]))).toEqual([second.snapshotId]);
    });

    test('of another place nothing is seen', async () => {
      const { snapshots, place, servers } = opened;
      await snapshots.take(place, orderFor(servers[0], 'campaign-6'));
      const elsewhere = { ...place, region: 'eu-west-3' };
      expect(await snapshots.find(elsewhere, 'campaign-6', [...servers])).toEqual([]);
      expect((await snapshots.list(elsewhere)).snapshots).toEqual([]);
    });
  });
}
