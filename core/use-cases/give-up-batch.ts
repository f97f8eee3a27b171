/** Settles what is left of a batch whose state in the machine failed or timed out, so that no job is forgotten. */
import * as z from 'zod';
import { maybeSent, withRun } from '../batch.ts';
import { batches, batchKey, jobKey, jobs, load, update } from '../entities.ts';
import { stateBefore, stateDuring, stateWhenLost, stateWhenNotSent } from '../gate.ts';
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
  // One last look: whoever has answered keeps the answer. What keeps the look from succeeding must not keep the rest.
  await settleRun(ports, ref, now).catch(() => undefined);
  const batch = await load(ports.records, batches, batchKey(campaignId, batchId));
  const run = batch.runs[phase];
  const reached = run ? maybeSent(run) : new Set<string>();
  const detail = `the ${phase} phase of batch ${batchId} broke off: ${error} ${cause ?? ''}`
    .trim()
    .slice(0, 400);
  await inParallel(batch.serverIds, storeParallelism, (id) =>
    update(ports.records, jobs, jobKey(campaignId, id), (job) => {
      const to = stateWhenGivenUp(job, phase, reached.has(id));
      const moved = to && moveJob(job, to, now, [{ code: 'batch-broke-off', detail }]);
      return moved && to === 'not-started' ? { ...moved, dispatched: null } : moved;
    }),
  );
  await update(ports.records, batches, batchKey(campaignId, batchId), (current) => {
    const run = current.runs[phase];
    // From `sent` on, settling completes the run: the jobs have all left its state by now.
    return run?.state === 'dispatching' ? withRun(current, phase, { ...run, state: 'sent' }) : undefined;
  });
  await settleRun(ports, ref, now);
}

/** A command may still run in a server that says nothing any more; where none was sent nothing can. */
function stateWhenGivenUp(job: Job, phase: Phase, mayHaveRun: boolean): JobState | undefined {
  if (job.state === stateDuring[phase] && mayHaveRun) return stateWhenLost[phase];
  const waits = job.state === stateDuring[phase] || job.state === stateBefore[phase];
  return waits ? stateWhenNotSent[phase] : undefined;
}
