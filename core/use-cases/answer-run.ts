/** Tells the waiting state of the state machine that a phase of a batch is complete. */
import { type Run, withRun } from '../batch.ts';
import { batches, batchKey, update } from '../entities.ts';
import type { Phase } from '../phase.ts';
import type { Ports } from '../ports.ts';

export interface RunRef {
  readonly campaignId: string;
  readonly batchId: string;
  readonly phase: Phase;
}

/** In place of a task token where no state machine waits. */
export const nobody = 'nobody';

/**
 * Counts as answered only once the call returned. A token that is gone is as good as answered: a retry or redrive
 * brings a new one, and dispatch answers that at once.
 */
export async function answerRun(
  ports: Pick<Ports, 'records' | 'callbacks'>,
  ref: RunRef,
  run: Run,
): Promise<void> {
  if (run.token !== nobody)
    await ports.callbacks.succeed(run.token, { batchId: ref.batchId, counts: run.counts ?? {} });
  await update(ports.records, batches, batchKey(ref.campaignId, ref.batchId), (batch) => {
    const current = batch.runs[ref.phase];
    // Another token came while this one was answered: the sweeper or the dispatcher answers that.
    if (current?.state !== 'complete' || current.token !== run.token) return undefined;
    return withRun(batch, ref.phase, { ...current, state: 'answered' });
  });
}
