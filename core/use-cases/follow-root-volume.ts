/** Looks how far the replacing of a root volume has come, and what is proven of it. */
import { update } from '../entities.ts';
import { type Instant, plusSeconds } from '../instant.ts';
import type { Reason } from '../outcome.ts';
import type { Ports, RootVolumes, RootVolumeTask } from '../ports.ts';
import { type RootVolume, rootVolumeKey, rootVolumes } from '../root-volume.ts';
import { endReplacing } from './put-up-fence.ts';

export interface FollowPorts extends Pick<Ports, 'records' | 'notices'> {
  readonly rootVolumes: Pick<RootVolumes, 'look' | 'task'>;
}

/** For the answer of EC2 to be recorded, for a task to be seen, for it to end, and for the agent to be back. */
const patience = { answer: 3600, sight: 900, task: 86_400, agent: 1800 } as const;

export async function followRootVolume(ports: FollowPorts, request: RootVolume, now: Instant): Promise<void> {
  const change = await whatBecame(ports, request, now);
  if (change === undefined) return;
  // Before it is recorded: who dies in between is told twice of the same, and not never.
  const followed = { ...request, ...change };
  await ports.notices.send(noticeOf(followed));
  await endReplacing(ports.records, request, now);
  await update(ports.records, rootVolumes, rootVolumeKey(request.campaignId, request.serverId), (current) =>
    current.state === request.state && current.taskId === request.taskId
      ? { ...current, ...change }
      : undefined,
  );
}

type Change = Partial<Pick<RootVolume, 'state' | 'reason' | 'completedAt' | 'proof'>>;

async function whatBecame(
  ports: FollowPorts,
  request: RootVolume,
  now: Instant,
): Promise<Change | undefined> {
  const { decision, taskId, place } = request;
  const since = (seconds: number) => now > plusSeconds(decision?.at ?? now, seconds);
  if (taskId === null)
    return since(patience.answer)
      ? failed('never-confirmed', 'nobody knows whether EC2 began: look at the instance, then ask again')
      : undefined;
  const task = await ports.rootVolumes.task(place, taskId);
  if (task === undefined)
    return since(patience.sight) ? failed('task-unknown', `EC2 knows no task ${taskId}`) : undefined;
  if (task.state === 'succeeded') return whatCameBack(ports, request, task, now);
  if (task.state === 'failed')
    return failed('replace-failed', `${taskId} failed; the root volume of before is still there`);
  if (task.state === 'failed-detached')
    return failed(
      'root-detached',
      `${taskId} failed, and the instance has no root volume: attach one at once`,
    );
  return since(patience.task) ? failed('too-long', `${taskId} is ${task.state} since a day`) : undefined;
}

/** A task that succeeded says nothing of the server: its agent must have spoken since. */
async function whatCameBack(
  { rootVolumes }: FollowPorts,
  { serverId, place, volumeId, decision }: RootVolume,
  { completedAt: said }: RootVolumeTask,
  now: Instant,
): Promise<Change | undefined> {
  const completedAt = said ?? decision?.at ?? now;
  const view = await rootVolumes.look(place, serverId);
  const isLate = now > plusSeconds(completedAt, patience.agent);
  if (view === undefined || view.rootVolumeId === null || view.rootVolumeId === volumeId) {
    if (!isLate) return undefined;
    return failed(
      'root-unchanged',
      `EC2 says that it succeeded, and the root volume is ${view?.rootVolumeId}`,
    );
  }
  const { agentSeenAt, rootVolumeId } = view;
  if (agentSeenAt !== null && agentSeenAt > completedAt)
    return { state: 'replaced', completedAt, proof: { volumeId: rootVolumeId, agentSeenAt } };
  if (!isLate) return undefined;
  const detail = `the root volume is ${rootVolumeId}, and no agent was heard of since ${completedAt}`;
  return { ...failed('agent-not-back', detail), completedAt };
}

function failed(code: string, detail: string): Change {
  const reason: Reason = { code, detail };
  return { state: 'failed', reason };
}

function noticeOf(followed: RootVolume) {
  const { campaignId, serverId, name, requested, state, reason, proof, volumeId, bootId } = followed;
  const outcome =
    state === 'replaced'
      ? `Proven: its root volume is ${proof?.volumeId}, and its agent was heard of at ${proof?.agentSeenAt}, after the ` +
        `task had ended.\nNot proven: that it started anew, and that its services are well. Its boot id was ${bootId}; ` +
        'the next campaign reads the one of now. Make a scan.\n' +
        `The volume of before, ${volumeId}, is kept and paid for until somebody deletes it.\n`
      : `${reason?.code}: ${reason?.detail}\n`;
  return {
    id: `${campaignId}-${serverId}-root-volume-${requested.at}-${state}`,
    kind: 'root-volume' as const,
    campaignId,
    subject: `Root volume of ${serverId}: ${state}`,
    text: `${name} (${serverId}), asked for by ${requested.by} at ${requested.at}.\n${outcome}`,
  };
}
