/** Looks after backups that are due for it, when EventBridge Scheduler calls. */
import * as z from 'zod';
import { tendBackups } from '../core/use-cases/tend-backups.ts';
import { notices, records } from './compose.ts';
import { backups } from './compose-backups.ts';
import { createHandler } from './handler.ts';
import { badBackupsMetric } from './metric-names.ts';

/** What the schedule sends beside it is of no interest: all that is due is looked at. */
const tendEvent = z.object({});

export const handler = createHandler({
  name: 'tend-backups',
  compose: (world) => ({ records: records(world), backups: backups(world), notices: notices(world) }),
  async run(ports, event, now, logger, count) {
    tendEvent.parse(event);
    const { looked, bad, removed, failed } = await tendBackups(ports, now);
    for (const { item, error } of failed) logger.warn('not looked at', { item, reason: error });
    for (const { serverId, campaignId, archive } of removed)
      logger.info('removed', { serverId, campaignId, object: archive.key });
    count(badBackupsMetric, bad.length);
    // Failed items stay due; when none could be looked at, an alarm must see it.
    if (looked > 0 && failed.length >= looked)
      throw new Error(`none of ${looked} backups could be looked at: ${failed[0]?.error}`);
    return { looked, bad: bad.length, removed: removed.length, failed: failed.length };
  },
});
