/** Settles the batches that events of Run Command, taken from the queue, are about. */
import { settleCommand } from '../core/use-cases/settle-run.ts';
import { callbacks, invocations, objects, records } from './compose.ts';
import { createHandler } from './handler.ts';
import { measuresBy } from './metric-names.ts';
import { settleQueue } from './settle-queue.ts';

export const handler = createHandler({
  name: 'settle-events',
  compose: (world) => ({
    records: records(world),
    objects: objects(world),
    commands: invocations(world),
    callbacks: callbacks(world),
  }),
  run: (ports, event, now, logger, count) =>
    settleQueue(
      event,
      (commandId) => settleCommand({ ...ports, measures: measuresBy(count) }, commandId, now),
      (error) => logger.warn('an event comes again', error),
    ),
});
