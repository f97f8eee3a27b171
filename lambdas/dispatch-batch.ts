/** Dispatches one phase of a batch: a step of the state machine, answered through its task token. */
import { dispatchBatch, dispatchBatchInput } from '../core/use-cases/dispatch-batch.ts';
import { backupBucket, callbacks, commands, fleet, objects, records } from './compose.ts';
import { createHandler } from './handler.ts';
import { measuresBy } from './metric-names.ts';

export const handler = createHandler({
  name: 'dispatch-batch',
  compose: (world) => ({
    records: records(world),
    objects: objects(world),
    commands: commands(world),
    backups: backupBucket(world),
    fleet: fleet(world),
    callbacks: callbacks(world),
  }),
  run: (ports, event, now, _logger, count) =>
    dispatchBatch({ ...ports, measures: measuresBy(count) }, dispatchBatchInput.parse(event), now),
});
