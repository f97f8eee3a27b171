/** Sends reboots that are due and settles those that were sent, when EventBridge Scheduler calls. */
import * as z from 'zod';
import { isUnwell } from '../core/reboot.ts';
import { runReboots } from '../core/use-cases/run-reboots.ts';
import { commands, fleet, objects, records } from './compose.ts';
import { documents } from './compose-documents.ts';
import { createHandler } from './handler.ts';
import { failedRebootsMetric } from './metric-names.ts';

/** What the schedule sends beside it is of no interest: all that is due is looked at. */
const runEvent = z.object({});

export const handler = createHandler({
  name: 'run-reboots',
  compose: (world) => ({
    records: records(world),
    objects: objects(world),
    fleet: fleet(world),
    commands: { ...commands(world), ...documents(world) },
  }),
  async run(ports, event, now, logger, count) {
    runEvent.parse(event);
    const { looked, ended, failed } = await runReboots(ports, now);
    for (const { id, server, state, reasons } of ended)
      logger.info('reboot ended', { reboot: id, server: server.id, state, reason: reasons[0]?.detail });
    for (const { item, error } of failed) logger.warn('not looked at', { item, reason: error });
    count(failedRebootsMetric, ended.filter(isUnwell).length);
    // Failed items stay due; when none could be looked at, an alarm must see it.
    if (looked > 0 && failed.length >= looked)
      throw new Error(`none of ${looked} reboots could be looked at: ${failed[0]?.error}`);
    return { looked, ended: ended.length, failed: failed.length };
  },
});
