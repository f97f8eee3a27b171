/** Owns what replacing root volumes must do; run it on each adapter of the port. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RootVolumes } from '../../core/ports.ts';
import type { Place } from '../../core/server.ts';

export interface RootVolumesUnderTest {
  readonly rootVolumes: RootVolumes;
  readonly place: Place;
  /** Running, with a root volume of EBS. */
  readonly serverId: string;
  /** Lets the tasks that have begun end well. */
  settle(): void;
  close(): Promise<void>;
}

export function describeRootVolumes(name: string, open: () => Promise<RootVolumesUnderTest>): void {
  describe(`root volumes on ${name}`, () => {
    let opened: RootVolumesUnderTest;
    beforeAll(async () => {
      opened = await open();
    });
    afterAll(() => opened?.close());
    const replace = (token: string) =>
      opened.rootVolumes.replace(opened.place, {
        serverId: opened.serverId,
        snapshotId: 'snap-0123456789abcdef0',
        campaignId: 'campaign-1',
        token,
      });

    test('a running server has one, and says when its agent was heard of', async () => {
      const view = await opened.rootVolumes.look(opened.place, opened.serverId);
      expect(view).toMatchObject({
        instanceState: 'running',
        rootVolumeId: expect.stringMatching(/^vol-/),
        agentSeenAt: expect.stringMatching(/Z$/),
      });
    });

    test('a server that is none of EC2 is not known', async () => {
      expect(await opened.rootVolumes.look(opened.place, 'mi-00000000000000009')).toBeUndefined();
    });

    test('are replaced once for a token, and once more for another', async () => {
      const taskId = await replace('a'.repeat(64));
      expect(await replace('a'.repeat(64))).toBe(taskId);
      expect(await replace('b'.repeat(64))).not.toBe(taskId);
    });

    test('a task is told until it has ended, and then with its moment', async () => {
      const taskId = await replace('c');
      const before = await opened.rootVolumes.task(opened.place, taskId);
      expect(['pending', 'in-progress']).toContain(before?.state);
      expect(before?.completedAt).toBeNull();
      opened.settle();
      expect(await opened.rootVolumes.task(opened.place, taskId)).toEqual({
        state: 'succeeded',
        completedAt: expect.stringMatching(/^\d{4}-.*Z$/),
      });
    });

    test('a task that nobody began is not known', async () => {
      expect(await opened.rootVolumes.task(opened.place, 'replacevol-00000000000000000')).toBeUndefined();
    });
  });
}
