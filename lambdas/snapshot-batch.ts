/** Takes the snapshots of a batch: a step of the state machine. */
import { snapshotBatch, snapshotBatchInput } from '../core/use-cases/snapshot-batch.ts';
import { records } from './compose.ts';
import { snapshots } from './compose-volumes.ts';
import { createHandler } from './handler.ts';

export const handler = createHandler({
  name: 'snapshot-batch',
  compose: (world) => ({ records: records(world), snapshots: snapshots(world) }),
  async run(ports, event, now, logger) {
    const output = await snapshotBatch(ports, snapshotBatchInput.parse(event), now);
    for (const volumeId of output.unencrypted) logger.warn('volume is not encrypted', { volumeId });
    return output;
  },
});
