/** Sends the commands of one run: normally one, more where Run Command refuses a server of the batch. */
import { type Batch, campaignFor, type Run, withRun } from '../batch.ts';
import type { Campaign } from '../campaign.ts';
import { lookFrom } from '../command-search.ts';
import { documentParameters, pinKey } from '../document.ts';
import {
  batches,
  batchKey,
  campaignKey,
  campaigns,
  commands,
  create,
  jobKey,
  jobs,
  load,
  update,
} from '../entities.ts';
import { phaseClosed, stateDuring, stateWhenLost, stateWhenNotSent, stateWhenUnknown } from '../gate.ts';
import type { Instant } from '../instant.ts';
import { type JobState, moveJob } from '../job.ts';
import type { Reason } from '../outcome.ts';
import { type Commands, commandComment, type Objects, PortError, type Ports } from '../ports.ts';
import type { RunRef } from './answer-run.ts';
import { pausedFor } from './pause-all.ts';

/** Of the buckets, only what a document is told of it. */
export interface SendPorts {
  readonly records: Ports['records'];
  readonly objects: Pick<Objects, 'bucket' | 'region'>;
  readonly backups: Ports['backups'];
  readonly commands: Pick<Commands, 'find' | 'send'>;
}

interface Sending {
  readonly ports: SendPorts;
  readonly ref: RunRef;
  /** As far as the batch goes. */
  readonly campaign: Campaign;
  readonly batch: Batch;
  readonly run: Run;
  /** Of the servers of the run, those whose jobs wait for a command. */
  readonly underWay: ReadonlySet<string>;
  /** Look for a command before sending it: an earlier dispatcher may have sent it without recording it. */
  readonly recovering: boolean;
  readonly now: Instant;
}

/**
 * SendCommand knows no idempotency token, so every command carries a comment that names campaign, batch, phase and
 * range, and whoever comes after an interruption looks for that comment first.
 *
 * @throws PortError `throttled`, `refused` or `ambiguous`
 */
export async function sendCommands(
  ports: SendPorts,
  ref: RunRef,
  campaign: Campaign,
  batch: Batch,
  run: Run,
  underWay: ReadonlySet<string>,
  recovering: boolean,
  now: Instant,
): Promise<void> {
  const sending: Sending = { ports, ref, campaign, batch, run, underWay, recovering, now };
  try {
    if (run.serverIds.length > 0) await sendRange(sending, 0, run.serverIds.length - 1);
  } catch (error) {
    // Nothing ran: the next attempt need not wait for the lease of this one.
    if (error instanceof PortError && error.code !== 'ambiguous')
      await changeRun(sending, (current) => ({ ...current, leaseUntil: now }));
    throw error;
  }
  await changeRun(sending, (current) =>
    current.state === 'dispatching' ? { ...current, state: 'sent' } : current,
  );
}

async function sendRange(sending: Sending, first: number, last: number): Promise<void> {
  const { ports, ref, campaign, batch, run, underWay, recovering, now } = sending;
  const range = `${first}-${last}`;
  const comment = `${commandComment(ref.campaignId, ref.batchId, ref.phase)} ${range}`;
  const recorded = run.commands[range];
  // The one before may have died between the two records of a command.
  if (recorded !== undefined) return recordForEvents(sending, recorded);
  if (run.split.includes(range)) return halve(sending, first, last);
  if (recovering) {
    const found = await ports.commands.find(batch.place, comment, lookFrom(run.startedAt));
    for (const { commandId } of found) await recordCommand(sending, range, commandId);
    if (found.length > 0) return;
  }
  const serverIds = run.serverIds.slice(first, last + 1).filter((id) => underWay.has(id));
  if (serverIds.length === 0) return;
  // Read again: it may have been stopped or closed, or everything paused, since this dispatch began.
  const current = await load(ports.records, campaigns, campaignKey(ref.campaignId));
  const closed =
    phaseClosed(campaignFor(batch, current), ref.phase, now, batch.byHand !== undefined) ??
    (await pausedFor(ports, ref.phase));
  if (closed) {
    const state = stateWhenNotSent[ref.phase];
    return endUnsent(sending, serverIds, state, closed, run.attempted.includes(range));
  }
  const document = campaign.documents[pinKey(batch.place, batch.family, ref.phase)];
  if (!document || !run.order)
    throw new Error(`batch ${ref.batchId} has no pinned document or no order for ${ref.phase}`);
  const attempted = run.attempted.includes(range);
  if (!attempted)
    await changeRun(sending, (current) => ({ ...current, attempted: [...current.attempted, range] }));
  try {
    const commandId = await ports.commands.send(batch.place, {
      document,
      serverIds,
      parameters: documentParameters(campaign, ref.phase, ports, run.order, batch.byHand?.dryRun),
      comment,
      deliveryTimeout: campaign.policy.timeouts.delivery,
    });
    await recordCommand(sending, range, commandId);
  } catch (error) {
    if (error instanceof PortError && error.code !== 'ambiguous') await forgetAttempt(sending, range);
    if (!(error instanceof PortError && error.code === 'invalid-servers')) throw error;
    if (first < last) {
      // Recorded before a half is sent: whoever comes after an interruption must not send the whole again, should
      // Run Command take it by then.
      await changeRun(sending, (current) => ({ ...current, split: [...current.split, range] }));
      return halve(sending, first, last);
    }
    const detail = `Run Command does not know ${serverIds[0]}: ${error.message}`.slice(0, 400);
    // It may be gone, or only switched off: Run Command refuses both alike.
    return endUnsent(sending, serverIds, stateWhenUnknown[ref.phase], { code: 'server-unknown', detail });
  }
}

async function halve(sending: Sending, first: number, last: number): Promise<void> {
  const middle = Math.floor((first + last) / 2);
  await sendRange(sending, first, middle);
  await sendRange(sending, middle + 1, last);
}

/** The batch first: an event whose command is not yet in the look-up is given back to the queue. */
async function recordCommand(sending: Sending, range: string, commandId: string): Promise<void> {
  await changeRun(sending, (run) => ({ ...run, commands: { ...run.commands, [range]: commandId } }));
  await recordForEvents(sending, commandId);
}

async function recordForEvents({ ports, ref }: Sending, commandId: string): Promise<void> {
  await create(ports.records, commands, { schema: 1 as const, commandId, ...ref });
}

/** Run Command said that nothing ran, and of an earlier attempt nothing was to be found before this one. */
function forgetAttempt(sending: Sending, range: string): Promise<void> {
  return changeRun(sending, (run) => ({
    ...run,
    attempted: run.attempted.filter((other) => other !== range),
  }));
}

/**
 * No command went out to these servers, so they leave the failure rate; unless an earlier call ended nobody knows how
 * and can not be found: then they may be patched, and saying that they were not started could be a lie.
 */
async function endUnsent(
  { ports, ref, now }: Sending,
  serverIds: readonly string[],
  state: JobState,
  reason: Reason,
  mayHaveRun = false,
): Promise<void> {
  for (const id of serverIds) {
    await update(ports.records, jobs, jobKey(ref.campaignId, id), (job) => {
      if (job.state !== stateDuring[ref.phase]) return undefined;
      if (mayHaveRun) return moveJob(job, stateWhenLost[ref.phase], now, [reason]);
      const moved = moveJob(job, state, now, [reason]);
      return moved && ref.phase === 'patch' ? { ...moved, dispatched: null } : moved;
    });
  }
}

async function changeRun({ ports, ref }: Sending, change: (run: Run) => Run): Promise<void> {
  await update(ports.records, batches, batchKey(ref.campaignId, ref.batchId), (batch) => {
    const run = batch.runs[ref.phase];
    const next = run && change(run);
    return next === run || !next ? undefined : withRun(batch, ref.phase, next);
  });
}
