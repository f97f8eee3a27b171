/** Takes what Run Command says of a batch's commands into its jobs, and answers the state machine when all are in. */
import { type Batch, type Run, withRun } from '../batch.ts';
import type { Campaign } from '../campaign.ts';
import {
  batches,
  batchKey,
  campaignKey,
  campaigns,
  commandKey,
  commands,
  load,
  parseRecord,
  update,
} from '../entities.ts';
import { stateDuring } from '../gate.ts';
import type { Instant } from '../instant.ts';
import type { Job } from '../job.ts';
import { measure } from '../measure.ts';
import { inParallel, storeParallelism } from '../parallel.ts';
import { batchDigest } from '../plan.ts';
import type { Commands, Invocation, Ports } from '../ports.ts';
import { answerRun, type RunRef } from './answer-run.ts';
import { loadJobs } from './load-jobs.ts';
import { readInvocations } from './read-invocations.ts';
import { settleDryRun } from './settle-dry-run.ts';
import { settleJob } from './settle-job.ts';
import { writeBudget } from './write-budget.ts';

export type SettlePorts = Pick<Ports, 'records' | 'objects' | 'callbacks' | 'measures'> & {
  readonly commands: Pick<Commands, 'invocations'>;
};

/** An event named a command that is not recorded (yet): the queue delivers it again. */
export class UnknownCommand extends Error {
  constructor(commandId: string) {
    super(
      `command ${commandId} is not recorded: its event came before the record, or it is not of this store`,
    );
    this.name = 'UnknownCommand';
  }
}

/** @throws UnknownCommand */
export async function settleCommand(ports: SettlePorts, commandId: string, now: Instant): Promise<void> {
  const record = await ports.records.get(commandKey(commandId));
  if (record === undefined) throw new UnknownCommand(commandId);
  const { campaignId, batchId, phase } = parseRecord(commands, record);
  await settleRun(ports, { campaignId, batchId, phase }, now);
}

/**
 * One page of invocations per command serves every server of the batch, so the cost is per batch, not per server.
 * Safe to call at any time, any number of times.
 */
export async function settleRun(ports: SettlePorts, ref: RunRef, now: Instant): Promise<void> {
  const batch = await load(ports.records, batches, batchKey(ref.campaignId, ref.batchId));
  const run = batch.runs[ref.phase];
  if (run === undefined || run.state === 'answered') return;
  if (run.state === 'complete') return answerRun(ports, ref, run);
  if (batch.byHand?.dryRun) return settleDryRun(ports, ref, batch, run, now);

  const campaign = await load(ports.records, campaigns, campaignKey(ref.campaignId));
  const members = await loadJobs(ports.records, ref.campaignId, run.serverIds);
  const waits = members.some((job) => job.state === stateDuring[ref.phase]);
  // Where every job has its end Run Command is not asked: what it can not tell must not keep a batch from completing.
  const invocations = waits ? await readInvocations(ports, batch, run) : new Map<string, Invocation>();
  // What is still being dispatched may have been sent to nobody: whoever gives the batch up settles that.
  const overdue = run.state === 'sent' && now >= run.deadline;
  const errors: unknown[] = [];
  const settled = await inParallel(members, storeParallelism, async (job) => {
    if (job.state !== stateDuring[ref.phase]) return job;
    const invocation = invocations.get(job.server.id) ?? neverSeen(job.server.id);
    if (!invocation.terminal && !overdue) return job;
    try {
      return await settleJob(ports, campaign, ref.phase, job, invocation, now);
    } catch (error) {
      // The others of the batch are settled first; then the caller hears of it and comes again.
      errors.push(error);
      return job;
    }
  });
  if (errors.length > 0) throw errors[0];
  // A run that is still being dispatched may have commands that are not recorded.
  if (run.state !== 'sent' || settled.some((job) => job.state === stateDuring[ref.phase])) return;
  await complete(ports, ref, campaign, batch, now);
}

/** Run Command lists invocations late; after the deadline that counts as never delivered. */
function neverSeen(serverId: string): Invocation {
  return { serverId, status: 'pending', terminal: false, statusDetails: 'not listed', summary: '' };
}

async function complete(
  ports: SettlePorts,
  ref: RunRef,
  campaign: Campaign,
  batch: Batch,
  now: Instant,
): Promise<void> {
  // Jobs that ended at the gate belong to the counts as well.
  const all = await loadJobs(ports.records, ref.campaignId, batch.serverIds);
  const counts: NonNullable<Run['counts']> = {};
  for (const job of all) counts[job.state] = (counts[job.state] ?? 0) + 1;
  // The budget first, then the completion: a wave is judged on complete batches, and must find their failures.
  // A rollback by hand follows the end of the campaign: whoever asked for it knows, and other campaigns go on.
  if (ref.phase !== 'prepare' && !batch.byHand) await writeBudget(ports, campaign, batch, all, now);
  let isFirst = false;
  const stored = await update(ports.records, batches, batchKey(ref.campaignId, ref.batchId), (current) => {
    const run = current.runs[ref.phase];
    isFirst = run?.state === 'sent';
    if (run?.state !== 'sent') return undefined;
    const sealed = ref.phase === 'prepare' ? sealBatch(all) : current.sealed;
    return { ...withRun(current, ref.phase, { ...run, state: 'complete', counts }), sealed };
  });
  if (isFirst) {
    for (const [name, servers] of measure(ref.phase, all))
      if (servers > 0) ports.measures.count(name, servers);
  }
  const run = stored.runs[ref.phase];
  if (run?.state === 'complete') await answerRun(ports, ref, run);
}

function sealBatch(all: readonly Job[]): NonNullable<Batch['sealed']> {
  const plans = all.flatMap((job) =>
    job.state === 'ready' && job.plan ? [{ serverId: job.server.id, hash: job.plan.sha256 }] : [],
  );
  return { digest: batchDigest(plans), plans };
}
