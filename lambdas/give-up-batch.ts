/** Gives a batch up: a step of the state machine. */
import { giveUpBatch, giveUpBatchInput } from '../core/use-cases/give-up-batch.ts';
import { callbacks, invocations, objects, records } from './compose.ts';
import { createHandler } from './handler.ts';
import { measuresBy } from './metric-names.ts';

export const handler = createHandler({
  name: 'give-up-batch',
  compose: (world) => ({
    records: records(world),
    objects: objects(world),
    commands: invocations(world),
    callbacks: callbacks(world),
  }),
  run: (ports, event, now, _logger, count) =>
    giveUpBatch({ ...ports, measures: measuresBy(count) }, giveUpBatchInput.parse(event), now),
});
