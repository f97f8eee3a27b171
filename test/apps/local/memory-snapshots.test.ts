import { expect, test } from 'vitest';
import { createMemorySnapshots } from '../../../apps/local/memory-snapshots.ts';
import { plusSeconds } from '../../../core/instant.ts';
import { describeSnapshots } from '../../contracts/snapshots.contract.ts';
import { dayBefore, frankfurt, serverId } from '../../support/samples.ts';

describeSnapshots('the embedded host', async () => {
  const snapshots = createMemorySnapshots(() => dayBefore);
  snapshots.lose(serverId(3));
  return {
    snapshots,
    place: frankfurt,
    servers: [serverId(1), serverId(2)],
    gone: serverId(3),
    close: async () => {},
  };
});

test('a snapshot is there at once, and completed some time later', async () => {
  let now = dayBefore;
  const snapshots = createMemorySnapshots(() => now);
  const order = { serverId: serverId(1), campaignId: 'campaign-1', expiresAt: now, keepLast: 1 };
  const states = async () =>
    (await snapshots.find(frankfurt, 'campaign-1', [serverId(1)])).map(({ state }) => state);
  await snapshots.take(frankfurt, order);
  expect(await states()).toEqual(['pending', 'pending']);
  now = plusSeconds(now, 120);
  expect(await states()).toEqual(['completed', 'completed']);
});
