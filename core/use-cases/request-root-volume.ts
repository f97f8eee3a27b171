/** Records that a person wants the root volume of a server back as it was before a campaign, for another to approve. */
import * as z from 'zod';
import { create, jobKey, jobs, load, update } from '../entities.ts';
import type { Instant } from '../instant.ts';
import { isEnded, type Job } from '../job.ts';
import type { Ports } from '../ports.ts';
import { decideUntil, type RootVolume, rootVolumeKey, rootVolumes } from '../root-volume.ts';

export const requestRootVolumeInput = z.object({
  campaignId: z.string(),
  serverId: z.string(),
  by: z.string().min(1).max(255),
  reason: z.string().min(1).max(400),
});

/** Nothing is changed; the message says why and what would help. */
export class RootVolumeRefused extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'RootVolumeRefused';
    this.code = code;
  }
}

/**
 * Asked again by the same person it is the same request, until it is decided. One that was denied, or failed, can be
 * asked anew.
 *
 * @throws RootVolumeRefused
 */
export async function requestRootVolume(
  ports: Pick<Ports, 'records' | 'notices'>,
  input: z.input<typeof requestRootVolumeInput>,
  now: Instant,
): Promise<RootVolume> {
  const { campaignId, serverId, by, reason } = requestRootVolumeInput.parse(input);
  const wanted = requestFor(await load(ports.records, jobs, jobKey(campaignId, serverId)), by, reason, now);
  const stored = (await create(ports.records, rootVolumes, wanted))
    ? wanted
    : await update(ports.records, rootVolumes, rootVolumeKey(campaignId, serverId), (before) => {
        if (before.state === 'denied' || before.state === 'failed') return wanted;
        if (before.state === 'requested' && now > decideUntil(before)) return wanted;
        if (before.state === 'requested' && before.requested.by === by) return undefined;
        throw new RootVolumeRefused(
          'requested',
          `${before.requested.by} asked for it at ${before.requested.at}, and it is ${before.state}`,
        );
      });
  await ports.notices.send(noticeOf(stored));
  return stored;
}

function requestFor(job: Job, by: string, reason: string, now: Instant): RootVolume {
  const { campaignId, server, state, snapshots, phases } = job;
  const refuse = (code: string, message: string): never => {
    throw new RootVolumeRefused(code, `${server.id} in ${campaignId}: ${message}`);
  };
  if (!isEnded(state))
    return refuse('under-way', `its job is ${state}: stop the campaign, or wait for its end`);
  if (job.dispatched === null) return refuse('not-patched', 'this campaign has sent it no patch');
  const snapshot = snapshots.find(({ root }) => root);
  if (snapshot === undefined)
    return refuse('no-snapshot', 'this campaign took no snapshot of its root volume');
  const boots = [phases.prepare, phases.patch, phases.verify, phases.rollback].map(
    (phase) => phase?.boot?.after,
  );
  return {
    schema: 1,
    campaignId,
    serverId: server.id,
    name: server.name,
    place: server.place,
    snapshotId: snapshot.snapshotId,
    snapshotAt: snapshot.startedAt,
    volumeId: snapshot.volumeId,
    state: 'requested',
    reason: null,
    requested: { by, at: now, reason },
    decision: null,
    taskId: null,
    completedAt: null,
    bootId: boots.findLast((boot) => boot !== undefined) ?? null,
    proof: null,
  };
}

function noticeOf(request: RootVolume) {
  const { campaignId, serverId, name, snapshotId, snapshotAt, requested } = request;
  const until = decideUntil(request);
  return {
    id: `${campaignId}-${serverId}-root-volume-${requested.at}`,
    kind: 'approval-asked' as const,
    campaignId,
    subject: `Approve replacing the root volume of ${serverId} by ${until}`,
    text:
      `${requested.by} asks to replace the root volume of ${name} (${serverId}) by snapshot ${snapshotId}, taken at ` +
      `${snapshotAt} before campaign ${campaignId} patched it: ${requested.reason}\n` +
      'The server restarts at once, everything written to its root volume since then is gone from it, and other ' +
      'disks stay as they are. The volume of now is kept. No campaign made before is sent to it any more.\n' +
      `Another person may approve it before ${until}; without that nothing happens.\n`,
  };
}
