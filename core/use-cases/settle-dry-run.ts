/** Takes what servers answer to a dry run into its batch: no job moves, since nothing was done. */
import { type Batch, type Run, withRun } from '../batch.ts';
import { batches, batchKey, update } from '../entities.ts';
import type { Instant } from '../instant.ts';
import type { Commands, Invocation, Ports } from '../ports.ts';
import type { Rehearsal } from '../rehearsal.ts';
import { withoutSummary } from '../verdict.ts';
import { answerRun, type RunRef } from './answer-run.ts';
import { readInvocations } from './read-invocations.ts';
import { readSummary } from './settle-job.ts';

export async function settleDryRun(
  ports: Pick<Ports, 'records' | 'callbacks'> & { readonly commands: Pick<Commands, 'invocations'> },
  ref: RunRef,
  batch: Batch,
  run: Run,
  now: Instant,
): Promise<void> {
  if (run.state !== 'sent') return;
  const invocations = await readInvocations(ports, batch, run);
  const isOpen = run.serverIds.some((id) => !invocations.get(id)?.terminal);
  if (isOpen && now < run.deadline) return;
  const answers = batch.serverIds.map((id) =>
    run.serverIds.includes(id) ? answerOf(ref.campaignId, id, invocations.get(id)) : notAsked(id),
  );
  const stored = await update(ports.records, batches, batchKey(ref.campaignId, ref.batchId), (current) => {
    const last = current.runs[ref.phase];
    if (last?.state !== 'sent' || !current.byHand) return undefined;
    const complete = withRun(current, ref.phase, { ...last, state: 'complete', counts: {} });
    return { ...complete, byHand: { ...current.byHand, answers } };
  });
  const last = stored.runs[ref.phase];
  if (last?.state === 'complete') await answerRun(ports, ref, last);
}

/** What is said of another campaign or server is no answer. */
function answerOf(campaignId: string, serverId: string, invocation: Invocation | undefined): Rehearsal {
  const summary = invocation && readSummary(invocation.summary);
  const isOwn =
    summary?.phase === 'rollback' && summary.campaign === campaignId && summary.server === serverId;
  if (isOwn) {
    const { result, reasons, object } = summary;
    return { serverId, result, reasons, objectKey: object?.key ?? null };
  }
  const reason = invocation
    ? withoutSummary(invocation).reason
    : { code: 'no-answer', detail: `Run Command lists no answer of ${serverId}` };
  return { serverId, result: null, reasons: [reason], objectKey: null };
}

const notAsked = (serverId: string): Rehearsal => ({
  serverId,
  result: null,
  reasons: [{ code: 'not-asked', detail: `${serverId} has no sealed plan that can be read` }],
  objectKey: null,
});
