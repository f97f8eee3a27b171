/** Takes the snapshots of a batch's servers before their patch, where the policy asks for them. */
import * as z from 'zod';
import type { Snapshot } from '../backup.ts';
import type { Campaign } from '../campaign.ts';
import { batches, batchKey, campaignKey, campaigns, jobKey, jobs, load, update } from '../entities.ts';
import { phaseClosed, stateBefore } from '../gate.ts';
import { type Instant, plusSeconds } from '../instant.ts';
import { type Job, moveJob } from '../job.ts';
import type { Reason } from '../outcome.ts';
import { inParallel } from '../parallel.ts';
import { PortError, type Ports, type TakenSnapshot, type Volume } from '../ports.ts';
import type { Place } from '../server.ts';
import { loadJobs } from './load-jobs.ts';
import { pausedBy } from './pause-all.ts';

export const snapshotBatchInput = z.object({
  campaignId: z.string(),
  batchId: z.string(),
  /** 0, then what the last answer said. */
  attempt: z.number().int().min(0),
});

export interface SnapshotBatchOutput {
  /** `wait`: some are not taken yet; call again. */
  readonly verdict: 'done' | 'wait';
  readonly waitSeconds: number;
  /** For the next call. */
  readonly attempt: number;
  /** Volumes whose snapshots, taken now, are not encrypted, since they are not themselves: told, and not refused. */
  readonly unencrypted: readonly string[];
}

/** EC2 allows an account some CreateSnapshots a second in a Region, and other batches have their share of it. */
const takenAtOnce = 5;

/** A volume takes one every fifteen seconds; what was asked for and not answered is to be found after that, too. */
const waits = [15, 15, 30, 30, 60, 60, 60, 60] as const;

type Attempt =
  | { readonly kind: 'taken'; readonly snapshots: readonly Snapshot[] }
  | { readonly kind: 'again'; readonly why: Reason }
  | { readonly kind: 'none'; readonly why: Reason };

/**
 * May be interrupted and called again at any time: EC2 knows no token for this call, so what is there already is
 * looked for by its tags first. A server that can not have what its policy requires has failed, untouched.
 */
export async function snapshotBatch(
  ports: Pick<Ports, 'records' | 'snapshots'>,
  input: z.input<typeof snapshotBatchInput>,
  now: Instant,
): Promise<SnapshotBatchOutput> {
  const { campaignId, batchId, attempt } = snapshotBatchInput.parse(input);
  const campaign = await load(ports.records, campaigns, campaignKey(campaignId));
  const done = { verdict: 'done', waitSeconds: 0, attempt, unencrypted: [] } as const;
  if (campaign.policy.backup.snapshots === 'none') return done;
  // The dispatch, which comes next, ends the jobs and says why.
  if (phaseClosed(campaign, 'patch', now) ?? (await pausedBy(ports))) return done;
  const batch = await load(ports.records, batches, batchKey(campaignId, batchId));
  const members = await loadJobs(ports.records, campaignId, batch.serverIds);
  const waiting = members.filter(
    ({ state, snapshots, noSnapshots }) =>
      state === stateBefore.patch && snapshots.length === 0 && noSnapshots === undefined,
  );
  const attempts = await takeAll(ports, campaign, batch.place, waiting, now);
  const wait = waits[attempt];
  let open = 0;
  for (const [serverId, result] of attempts) {
    if (result.kind === 'again' && wait !== undefined) open++;
    else await record(ports, campaign, serverId, result, now);
  }
  const unencrypted = attempts.flatMap(([, result]) =>
    result.kind === 'taken'
      ? result.snapshots.flatMap(({ volumeId, encrypted }) => (encrypted ? [] : [volumeId]))
      : [],
  );
  return open > 0 && wait !== undefined
    ? { verdict: 'wait', waitSeconds: wait, attempt: attempt + 1, unencrypted }
    : { ...done, unencrypted };
}

async function takeAll(
  { snapshots }: Pick<Ports, 'snapshots'>,
  campaign: Campaign,
  place: Place,
  waiting: readonly Job[],
  now: Instant,
): Promise<readonly (readonly [serverId: string, result: Attempt])[]> {
  const { keepDays, keepLast } = campaign.policy.backup;
  const expiresAt = plusSeconds(now, keepDays * 86_400);
  const ids = waiting.map(({ server }) => server.id);
  const instances = ids.filter((id) => id.startsWith('i-'));
  const hybrid = ids.filter((id) => !id.startsWith('i-'));
  const none = hybrid.map((id) => [id, impossible(`${id} is no EC2 instance`)] as const);
  if (instances.length === 0) return none;
  const attached = await snapshots.volumes(place, instances);
  const found = await snapshots.find(place, campaign.id, instances);
  // Those that are gone are for the dispatch to end, as it ends them without snapshots.
  const there = instances.filter((id) => attached.has(id));
  const taken = await inParallel(there, takenAtOnce, async (serverId) => {
    const volumes = attached.get(serverId) ?? [];
    if (volumes.length === 0) return [serverId, impossible(`${serverId} has no EBS volume`)] as const;
    const before = setOf(
      volumes,
      found.filter((snapshot) => snapshot.serverId === serverId),
    );
    if (before) return [serverId, { kind: 'taken', snapshots: before }] as const;
    const order = { serverId, campaignId: campaign.id, expiresAt, keepLast };
    return [serverId, await take(snapshots, place, order, volumes)] as const;
  });
  return [...none, ...taken];
}

async function take(
  snapshots: Ports['snapshots'],
  place: Place,
  order: Parameters<Ports['snapshots']['take']>[1],
  volumes: readonly Volume[],
): Promise<Attempt> {
  try {
    const set = setOf(volumes, await snapshots.take(place, order));
    if (set) return { kind: 'taken', snapshots: set };
    return { kind: 'again', why: failed('EC2 took snapshots, but not of every volume that is attached') };
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    return { kind: error.code === 'refused' ? 'none' : 'again', why: failed(error.message) };
  }
}

/** The newest of each volume that has not failed, or undefined when a volume has none. */
function setOf(volumes: readonly Volume[], taken: readonly TakenSnapshot[]): Snapshot[] | undefined {
  const set = volumes.flatMap((volume) => {
    const newest = taken
      .filter(({ volumeId, state }) => volumeId === volume.volumeId && state !== 'error')
      .toSorted((a, b) => (a.startedAt < b.startedAt ? 1 : -1))[0];
    if (newest === undefined) return [];
    const { snapshotId, volumeId, state, startedAt, encrypted } = newest;
    const { device, root } = volume;
    return [{ snapshotId, volumeId, device, root, state, startedAt, encrypted }];
  });
  return set.length === volumes.length ? set : undefined;
}

const impossible = (detail: string): Attempt => ({
  kind: 'none',
  why: { code: 'snapshot-impossible', detail },
});
const failed = (detail: string): Reason => ({ code: 'snapshot-failed', detail: detail.slice(0, 400) });

/** A job that has moved on meanwhile keeps what it has. */
async function record(
  ports: Pick<Ports, 'records'>,
  campaign: Campaign,
  serverId: string,
  result: Attempt,
  now: Instant,
): Promise<void> {
  const { snapshots: need, waiver } = campaign.policy.backup;
  await update(ports.records, jobs, jobKey(campaign.id, serverId), (job) => {
    if (job.state !== stateBefore.patch || job.snapshots.length > 0) return undefined;
    if (result.kind === 'taken') return { ...job, snapshots: [...result.snapshots] };
    if (need === 'required') return moveJob(job, 'failed', now, [result.why]);
    const { code, detail } = result.why;
    return { ...job, noSnapshots: { code, detail: `${detail}; waived: ${waiver}`.slice(0, 400) } };
  });
}
