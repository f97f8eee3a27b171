/** Deletes the snapshots that have had their time, when EventBridge Scheduler calls. */
import * as z from 'zod';
import { expireSnapshots } from '../core/use-cases/expire-snapshots.ts';
import { settings } from './compose-settings.ts';
import { snapshots } from './compose-volumes.ts';
import { createHandler } from './handler.ts';
import { failedSnapshotsMetric } from './metric-names.ts';

/** What the schedule sends beside it is of no interest: all snapshots of ours are looked at. */
const expireEvent = z.object({});

export const handler = createHandler({
  name: 'expire-snapshots',
  compose: (world) => ({ snapshots: snapshots(world), settings: settings(world) }),
  async run(ports, event, now, logger, count) {
    expireEvent.parse(event);
    const { places } = await ports.settings();
    const { deleted, kept, broken, failed } = await expireSnapshots(ports, places, now);
    for (const each of deleted) logger.info('deleted', each);
    for (const { snapshotId, serverId, campaignId } of broken)
      logger.warn('snapshot failed', { snapshotId, serverId, campaignId });
    for (const { item, error } of failed) logger.warn('not looked at', { item, reason: error });
    count(failedSnapshotsMetric, broken.length);
    // All that could be done is done; that not everything could be, an alarm must see.
    if (failed.length > 0)
      throw new Error(
        `${failed.length} could not be looked at or deleted: ${failed[0]?.item}: ${failed[0]?.error}`,
      );
    return { deleted: deleted.length, kept, broken: broken.length };
  },
});
