/** Sends one phase of a batch to its servers, once, however often and wherever it is interrupted. */
import * as z from 'zod';
import { patchedBare, withoutSnapshots } from '../backup.ts';
import { type Batch, campaignFor, type Run, withRun } from '../batch.ts';
import type { Campaign } from '../campaign.ts';
import { dispatchSeconds, phaseSeconds } from '../document.ts';
import {
  batches,
  batchKey,
  campaignKey,
  campaigns,
  exceptions,
  exceptionsPartition,
  jobKey,
  jobs,
  listAll,
  load,
  update,
} from '../entities.ts';
import { fencedBy, stateWhenFenced } from '../fence.ts';
import { passage, phaseClosed, stateBefore, stateDuring, stateWhenNotSent } from '../gate.ts';
import { type Instant, plusSeconds } from '../instant.ts';
import { type Job, type JobState, moveJob } from '../job.ts';
import type { Reason } from '../outcome.ts';
import { inParallel, storeParallelism } from '../parallel.ts';
import { phaseSchema } from '../phase.ts';
import { byBytes } from '../plan.ts';
import type { Commands, Ports, Presence } from '../ports.ts';
import { answerRun, type RunRef } from './answer-run.ts';
import { claimHaGroups } from './claim-ha-groups.ts';
import { loadFences } from './load-fences.ts';
import { loadJobs } from './load-jobs.ts';
import { readPlan, writeOrder } from './orders.ts';
import { pausedFor } from './pause-all.ts';
import { sendCommands } from './send-commands.ts';
import { settleRun } from './settle-run.ts';

export const dispatchBatchInput = z.object({
  campaignId: z.string(),
  batchId: z.string(),
  phase: phaseSchema,
  taskToken: z.string().min(1).max(2048),
});

export type DispatchPorts = Pick<
  Ports,
  'records' | 'objects' | 'backups' | 'fleet' | 'callbacks' | 'measures'
> & {
  readonly commands: Pick<Commands, 'find' | 'send' | 'invocations'>;
};

/** Somebody else is dispatching this batch right now; come back when the lease has ended. */
export class BatchBusy extends Error {
  constructor(ref: RunRef, until: Instant) {
    super(`batch ${ref.batchId} of ${ref.campaignId} is being dispatched until ${until}`);
    this.name = 'BatchBusy';
  }
}

/**
 * The answer goes to the task token, now or when all servers have answered. A new token for a batch that was sent
 * already replaces the old one and sends nothing.
 *
 * @throws BatchBusy, and PortError `throttled`, `refused` or `ambiguous`: the state machine retries
 */
export async function dispatchBatch(
  ports: DispatchPorts,
  input: z.input<typeof dispatchBatchInput>,
  now: Instant,
): Promise<void> {
  const { taskToken, ...ref } = dispatchBatchInput.parse(input);
  const whole = await load(ports.records, campaigns, campaignKey(ref.campaignId));
  const { batch, run, recovering } = await claim(ports, ref, whole, taskToken, now);
  const campaign = campaignFor(batch, whole);
  switch (run.state) {
    case 'complete':
    case 'answered':
      return answerRun(ports, ref, run);
    case 'sent':
      return settleRun(ports, ref, now);
    case 'dispatching': {
      const gated = run.order === null ? await passGate(ports, ref, campaign, batch, now) : run;
      const underWay = await markUnderWay(ports, ref, campaign, batch, gated, now);
      await sendCommands(ports, ref, campaign, batch, gated, underWay, recovering, now);
      // Servers that were refused, or a batch of which nobody was left, need no event to be complete.
      return settleRun(ports, ref, now);
    }
  }
}

interface Claim {
  readonly batch: Batch;
  readonly run: Run;
  /** A dispatcher before this one may have sent something that it could not record. */
  readonly recovering: boolean;
}

async function claim(
  ports: Pick<Ports, 'records'>,
  ref: RunRef,
  whole: Campaign,
  token: string,
  now: Instant,
): Promise<Claim> {
  let recovering = false;
  const batch = await update(ports.records, batches, batchKey(ref.campaignId, ref.batchId), (current) => {
    const campaign = campaignFor(current, whole);
    const run = current.runs[ref.phase];
    recovering = run !== undefined;
    if (run === undefined) return withRun(current, ref.phase, newRun(campaign, ref, token, now));
    // An answer to the old token is none to the new one.
    if (run.state === 'answered') return withRun(current, ref.phase, { ...run, state: 'complete', token });
    if (run.state !== 'dispatching') return withRun(current, ref.phase, { ...run, token });
    if (now < run.leaseUntil) throw new BatchBusy(ref, run.leaseUntil);
    const { leaseUntil, deadline } = newRun(campaign, ref, token, now);
    return withRun(current, ref.phase, { ...run, token, leaseUntil, deadline });
  });
  return { batch, run: batch.runs[ref.phase] as Run, recovering };
}

function newRun(campaign: Campaign, ref: RunRef, token: string, now: Instant): Run {
  return {
    state: 'dispatching',
    token,
    startedAt: now,
    leaseUntil: plusSeconds(now, dispatchSeconds),
    serverIds: [],
    offlineIds: [],
    order: null,
    commands: {},
    split: [],
    attempted: [],
    deadline: plusSeconds(now, phaseSeconds(campaign, ref.phase)),
    counts: null,
  };
}

/** Decides who gets the command, ends the jobs of the others, and records the order: from then on it is fixed. */
async function passGate(
  ports: Pick<Ports, 'records' | 'objects' | 'fleet'>,
  ref: RunRef,
  campaign: Campaign,
  batch: Batch,
  now: Instant,
): Promise<Run> {
  const { phase } = ref;
  const isByHand = batch.byHand !== undefined;
  const closed = phaseClosed(campaign, phase, now, isByHand) ?? (await pausedFor(ports, phase));
  const members = await loadJobs(ports.records, ref.campaignId, batch.serverIds);
  // A place that let nobody in when the campaign opened is not asked again: all its jobs have ended.
  const waits = members.some(({ state }) => state === stateBefore[phase]);
  const presence = waits
    ? await ports.fleet.presence(batch.place, batch.serverIds)
    : new Map<string, Presence>();
  const inForce = await listAll(ports.records, exceptions, exceptionsPartition, '');
  const end = (job: Job, state: JobState, reason: Reason) =>
    update(ports.records, jobs, jobKey(ref.campaignId, job.server.id), (current) => {
      const moved = moveJob(current, state, now, [reason]);
      return moved && { ...moved, wave: batch.wave };
    });
  const orders = await inParallel(members, storeParallelism, async (job) => {
    // It is asked what it would do, and its job stays as it is.
    if (batch.byHand?.dryRun) {
      const sealed = await readPlan(ports.objects, job);
      return sealed?.kind === 'plan' ? [{ server: job.server, plan: sealed.entries }] : [];
    }
    const plan = phase === 'prepare' ? null : await readPlan(ports.objects, job);
    if (plan?.kind === 'unreadable') {
      await end(job, phase === 'rollback' ? 'rollback-failed' : 'failed', plan.reason);
      return [];
    }
    const entries = plan?.entries ?? null;
    const step = passage(phase, job, presence.get(job.server.id), inForce, entries, now);
    if (step.kind === 'end') await end(job, step.state, step.reason);
    else if (step.kind === 'go' && closed) await end(job, stateWhenNotSent[phase], closed);
    else if (step.kind === 'go') {
      const bare = phase === 'patch' ? withoutSnapshots(campaign.policy.backup, job.snapshots) : undefined;
      if (bare) {
        await end(job, 'failed', bare);
        return [];
      }
      const peer = phase === 'patch' ? await claimHaGroups(ports, campaign, job, now) : undefined;
      if (!peer) return [{ server: job.server, plan: entries }];
      await end(job, 'held', peer);
    }
    return [];
  });
  const going = orders.flat().toSorted((a, b) => byBytes(a.server.id, b.server.id));
  const order = await writeOrder(ports.objects, campaign, phase, going, inForce, now);
  const serverIds = going.map(({ server }) => server.id);
  const offlineIds = serverIds.filter((id) => presence.get(id) === 'offline');
  return setRun(ports, ref, (run) => ({ ...run, serverIds, offlineIds, order }));
}

/**
 * Before anything is sent the jobs say so: a server that dies from here on was dispatched.
 *
 * @returns the servers to send to: a job that was ended meanwhile, as by closing the campaign, gets no command
 */
async function markUnderWay(
  ports: Pick<Ports, 'records'>,
  ref: RunRef,
  campaign: Campaign,
  batch: Batch,
  run: Run,
  now: Instant,
): Promise<ReadonlySet<string>> {
  // Here and not at the gate, which a dispatch that was interrupted has passed long ago.
  const fences = await loadFences(ports.records, run.serverIds);
  if (batch.byHand?.dryRun) return new Set(run.serverIds.filter((id) => !fencedBy(fences.get(id), campaign)));
  const marked = await inParallel(run.serverIds, storeParallelism, (id) =>
    update(ports.records, jobs, jobKey(ref.campaignId, id), (current) => {
      const fenced = fencedBy(fences.get(id), campaign);
      if (fenced) return moveJob(current, stateWhenFenced(ref.phase, current.state), now, [fenced]);
      const moved = moveJob(current, stateDuring[ref.phase], now);
      if (!moved || ref.phase !== 'patch') return moved;
      const bare = patchedBare(campaign.policy.backup, current);
      const dispatched = { at: now, online: !run.offlineIds.includes(id) };
      return { ...moved, wave: batch.wave, dispatched, ...(bare && { noSnapshots: bare }) };
    }),
  );
  const isUnderWay = (job: Job) =>
    job.state === stateDuring[ref.phase] && !fencedBy(fences.get(job.server.id), campaign);
  return new Set(marked.flatMap((job) => (isUnderWay(job) ? [job.server.id] : [])));
}

async function setRun(ports: Pick<Ports, 'records'>, ref: RunRef, change: (run: Run) => Run): Promise<Run> {
  const batch = await update(ports.records, batches, batchKey(ref.campaignId, ref.batchId), (current) =>
    withRun(current, ref.phase, change(current.runs[ref.phase] as Run)),
  );
  return batch.runs[ref.phase] as Run;
}
