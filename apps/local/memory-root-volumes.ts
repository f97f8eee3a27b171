/** Owns the replacing of root volumes on the embedded host: a task that takes its time, and an agent that comes back. */
import { type Instant, plusSeconds } from '../../core/instant.ts';
import { sha256Of } from '../../core/plan.ts';
import type { RootVolumeRequest, RootVolumes } from '../../core/ports.ts';

/** From the beginning of a task to its end, and from there to the first word of the agent. */
const taskSeconds = 180;
const bootSeconds = 60;

export function createMemoryRootVolumes(now: () => Instant): RootVolumes {
  const tasks = new Map<string, { readonly request: RootVolumeRequest; readonly begun: Instant }>();
  const endOf = (begun: Instant) => plusSeconds(begun, taskSeconds);
  const lastOf = (serverId: string) =>
    [...tasks].filter(([, { request }]) => request.serverId === serverId).at(-1);
  return {
    async look(_, serverId) {
      if (!serverId.startsWith('i-')) return undefined;
      const [taskId, task] = lastOf(serverId) ?? [];
      const replaced = task !== undefined && endOf(task.begun) <= now();
      const back = replaced && plusSeconds(endOf(task.begun), bootSeconds) <= now();
      return {
        instanceState: 'running',
        rootVolumeId: `vol-${idFrom(replaced ? `${taskId}` : `${serverId} /dev/xvda`)}`,
        agentSeenAt: task === undefined || back ? now() : task.begun,
      };
    },
    async task(_, taskId) {
      const task = tasks.get(taskId);
      if (task === undefined) return undefined;
      const end = endOf(task.begun);
      return end <= now()
        ? { state: 'succeeded', completedAt: end }
        : { state: 'in-progress', completedAt: null };
    },
    async replace(_, request) {
      const taskId = `replacevol-${idFrom(request.token)}`;
      if (!tasks.has(taskId)) tasks.set(taskId, { request, begun: now() });
      return taskId;
    },
  };
}

const idFrom = (text: string) => sha256Of(text).slice(0, 17);
