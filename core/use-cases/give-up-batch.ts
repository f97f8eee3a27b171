/** Settles what is left of a batch whose state in the machine failed or timed out, so that no job is forgotten. */
import * as z from 'zod';
import { batches, batchKey, jobKey, jobs, load, update } from '../entities.ts';
import { stateDuring } from '../gate.ts';
import type { Instant } from '../instant.ts';
import { type Job, type JobState, moveJob } from '../job.ts';
import { inParallel, storeParallelism } from '../parallel.ts';
import { type Phase, phaseSchema } from '../phase.ts';
import { type SettlePorts, settleRun } from './settle-run.ts';

export const giveUpBatchInput = z.object({
  campaignId: z.string(),
  batchId: z.string(),
  phase: phaseSchema,
  /** What the state machine caught. */
  error: z.string(),
  cause: z.string().optional(),
});

export async function giveUpBatch(
  ports: SettlePorts,
  input: z.input<typeof giveUpBatchInput>,
  now: Instant,
): Promise<void> {
  const { campaignId, batchId, phase, error, cause } = giveUpBatchInput.parse(input);
  const ref = { campaignId, batchId, phase };
  // One last look: whoever has answered keeps the answer.
  await settleRun(ports, ref, now);
  const batch = await load(ports.records, batches, batchKey(campaignId, batchId));
  const run = batch.runs[phase];
  // From the order on a command may have gone out, whether it is recorded or not.
  const maybeSent = run?.order != null && run.serverIds.length > 0;
  const detail = `the ${phase} phase of batch ${batchId} broke off: ${error} ${cause ?? ''}`
    .trim()
    .slice(0, 400);
  await inParallel(batch.serverIds, storeParallelism, (id) =>
    update(ports.records, jobs, jobKey(campaignId, id), (job) => {
      const to = stateWhenGivenUp(job, phase, maybeSent);
      const moved = to && moveJob(job, to, now, [{ code: 'batch-broke-off', detail }]);
      return moved && to === 'not-started' ? { ...moved, dispatched: null } : moved;
    }),
  );
  await update(ports.records, batches, batchKey(campaignId, batchId), (current) => {
    const run = current.runs[phase];
    // From `sent` on, settling completes the run: the jobs have all left its state by now.
    return run?.state === 'dispatching'
      ? { ...current, runs: { ...current.runs, [phase]: { ...run, state: 'sent' } } }
      : undefined;
  });
  await settleRun(ports, ref, now);
}

/** A command may still run in a server that says nothing any more; before dispatch nothing can. */
function stateWhenGivenUp(job: Job, phase: Phase, maybeSent: boolean): JobState | undefined {
  const isUnderWay = job.state === stateDuring[phase];
  switch (phase) {
    case 'verify':
      return isUnderWay ? 'lost' : undefined;
    case 'patch':
      if (isUnderWay) return maybeSent ? 'lost' : 'not-started';
      return job.state === 'ready' ? 'not-started' : undefined;
    case 'prepare':
      if (isUnderWay) return maybeSent ? 'failed' : 'not-started';
      return job.state === 'planned' ? 'not-started' : undefined;
  }
}
