/** Records a person's decision on replacing a root volume, and has it replaced where they approve. */
import * as z from 'zod';
import { jobKey, jobs, load, update } from '../entities.ts';
import type { Instant } from '../instant.ts';
import { isEnded } from '../job.ts';
import { isSamePerson } from '../person.ts';
import { sha256Of } from '../plan.ts';
import { PortError, type Ports, type Snapshots } from '../ports.ts';
import { decideUntil, type RootVolume, rootVolumeKey, rootVolumes } from '../root-volume.ts';
import { endReplacing, putUpFence } from './put-up-fence.ts';
import { RootVolumeRefused } from './request-root-volume.ts';

export const decideRootVolumeInput = z.object({
  campaignId: z.string(),
  serverId: z.string(),
  /** The snapshot that the person has read of: it must be the one that is asked for. */
  snapshotId: z.string(),
  approved: z.boolean(),
  by: z.string().min(1).max(255),
  reason: z.string().max(400).default(''),
});
type Decision = z.output<typeof decideRootVolumeInput>;

type DecidePorts = Pick<Ports, 'records' | 'rootVolumes'> & { readonly snapshots: Pick<Snapshots, 'find'> };

/**
 * The fence is there before EC2 is asked: whatever becomes of the task, nothing that was planned for the disk of now is
 * sent to the one of before. Where the call was cut off, the same decision again takes it up.
 *
 * @throws RootVolumeRefused, and PortError `throttled` or `ambiguous`: decide again
 */
export async function decideRootVolume(
  ports: DecidePorts,
  input: z.input<typeof decideRootVolumeInput>,
  now: Instant,
): Promise<RootVolume> {
  const decision = decideRootVolumeInput.parse(input);
  const { campaignId, serverId, approved, by, reason } = decision;
  const key = rootVolumeKey(campaignId, serverId);
  const request = await load(ports.records, rootVolumes, key);
  refuseDecision(request, decision, now);
  if (approved && request.decision === null) await refuseServer(ports, request);
  const decided = await update(ports.records, rootVolumes, key, (current): RootVolume | undefined => {
    refuseDecision(current, decision, now);
    if (current.decision) return undefined;
    return {
      ...current,
      state: approved ? 'approved' : 'denied',
      decision: { approved, by, at: now, reason },
    };
  });
  return decided.state === 'approved' ? begin(ports, decided, now) : decided;
}

function refuseDecision(request: RootVolume, { snapshotId, approved, by }: Decision, now: Instant): void {
  if (request.snapshotId !== snapshotId)
    throw new RootVolumeRefused('other-snapshot', `${request.snapshotId} is asked for, not ${snapshotId}`);
  if (request.decision) {
    if (request.decision.approved === approved) return;
    const was = request.decision.approved ? 'approved' : 'denied';
    throw new RootVolumeRefused(
      'decided',
      `already ${was} at ${request.decision.at} by ${request.decision.by}`,
    );
  }
  // Saying no to one's own request is always allowed.
  if (!approved) return;
  if (isSamePerson(by, request.requested.by))
    throw new RootVolumeRefused('own-request', `${by} asked for it: somebody else must approve it`);
  if (now > decideUntil(request))
    throw new RootVolumeRefused(
      'too-late',
      `it had to be approved before ${decideUntil(request)}: ask again`,
    );
}

/** What can be different a moment later leaves the request as it is. */
async function refuseServer(
  { records, snapshots, rootVolumes }: DecidePorts,
  request: RootVolume,
): Promise<void> {
  const { campaignId, serverId, place, snapshotId, volumeId } = request;
  const { state } = await load(records, jobs, jobKey(campaignId, serverId));
  // A person may have asked for its rollback since.
  if (!isEnded(state))
    throw new RootVolumeRefused(
      'under-way',
      `${serverId} in ${campaignId}: its job is ${state}, wait for its end`,
    );
  const found = await snapshots.find(place, campaignId, [serverId]);
  const snapshot = found.find((each) => each.snapshotId === snapshotId);
  if (snapshot === undefined)
    throw new RootVolumeRefused(
      'snapshot-gone',
      `${snapshotId} is not there, or lost the tags of ${campaignId}`,
    );
  if (snapshot.state !== 'completed')
    throw new RootVolumeRefused(
      'snapshot-not-completed',
      `${snapshotId} is ${snapshot.state}: only what is copied to its end can be a root volume`,
    );
  const view = await rootVolumes.look(place, serverId);
  if (view?.instanceState !== 'running')
    throw new RootVolumeRefused(
      'not-running',
      `${serverId} is ${view?.instanceState ?? 'unknown to EC2'}: root volumes of running instances are replaced`,
    );
  if (view.rootVolumeId !== volumeId)
    throw new RootVolumeRefused(
      'other-root-volume',
      `the root volume of ${serverId} is ${view.rootVolumeId}, and ${snapshotId} was taken of ${volumeId}`,
    );
}

async function begin(ports: DecidePorts, request: RootVolume, now: Instant): Promise<RootVolume> {
  const { campaignId, serverId, snapshotId, place, requested, decision } = request;
  await putUpFence(ports.records, request);
  const key = rootVolumeKey(campaignId, serverId);
  // A request that is made anew is another one.
  const token = sha256Of(`${campaignId} ${serverId} ${snapshotId} ${requested.at}`);
  try {
    const taskId = await ports.rootVolumes.replace(place, { serverId, snapshotId, campaignId, token });
    return await update(ports.records, rootVolumes, key, (current) =>
      current.state === 'approved' ? { ...current, state: 'replacing', taskId } : undefined,
    );
  } catch (error) {
    if (!(error instanceof PortError) || error.code !== 'refused') throw error;
    const reason = { code: 'replace-refused', detail: error.message.slice(0, 400) };
    await endReplacing(ports.records, request, now);
    return update(ports.records, rootVolumes, key, (current) =>
      current.state === 'approved' && current.decision?.at === decision?.at
        ? { ...current, state: 'failed', reason }
        : undefined,
    );
  }
}
