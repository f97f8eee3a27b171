/** Owns what is known of a run while it goes on: where every server stands, and how long it has been worked on. */
import type { Job, JobState } from '../../../core/job.ts';
import type { Family, Server } from '../../../core/server.ts';
import { byUrgency, stateWords } from '../report/state-words.ts';

export const stages = ['prepare', 'patch', 'reboot', 'verify'] as const;
export type Stage = (typeof stages)[number];

/** `waiting` has not begun, `skipped` was not needed, `ended` began and came to no good end. */
export type StageState = 'waiting' | 'active' | 'done' | 'skipped' | 'ended';

export interface ServerView {
  readonly id: string;
  readonly name: string;
  /** Undefined where all are of one family. */
  readonly family: Family | undefined;
  wave: number | null;
  state: JobState;
  reason: string | undefined;
  readonly stages: Record<Stage, StageState>;
  /** Real milliseconds that work was under way, without what is under way now. */
  worked: number;
  /** Since when, on the stopwatch; undefined while it only waits. */
  workingSince: number | undefined;
}

export class FleetView {
  readonly servers: readonly ServerView[];
  readonly #byId: ReadonlyMap<string, ServerView>;
  readonly #stopwatch: () => number;

  constructor(servers: readonly Pick<Server, 'id' | 'name' | 'family'>[], stopwatch: () => number) {
    const isMixed = new Set(servers.map(({ family }) => family)).size > 1;
    this.servers = servers.map(({ id, name, family }) => ({
      id,
      name,
      family: isMixed ? family : undefined,
      wave: null,
      state: 'planned',
      reason: undefined,
      stages: { prepare: 'waiting', patch: 'waiting', reboot: 'waiting', verify: 'waiting' },
      worked: 0,
      workingSince: undefined,
    }));
    this.#byId = new Map(this.servers.map((view) => [view.id, view]));
    this.#stopwatch = stopwatch;
  }

  /** @returns whether anything changed that people can see */
  take(job: Job): boolean {
    const view = this.#byId.get(job.server.id);
    if (!view || (view.state === job.state && view.wave === job.wave)) return false;
    const before = view.state;
    view.wave = job.wave;
    view.state = job.state;
    view.reason = job.reasons[0]?.detail;
    if (before !== job.state) {
      moveStages(view, job);
      this.#time(view, isWork(job.state));
    }
    return true;
  }

  /** A reboot is no state of a job: it happens within its patch. */
  reboot(serverId: string, isDown: boolean): void {
    const view = this.#byId.get(serverId);
    if (view?.state !== 'patching') return;
    view.stages.patch = isDown ? 'done' : 'active';
    view.stages.reboot = isDown ? 'active' : 'done';
  }

  workedSeconds(view: ServerView): number {
    const now = view.workingSince === undefined ? 0 : this.#stopwatch() - view.workingSince;
    return (view.worked + now) / 1000;
  }

  /** Servers by state, what needs people most first. */
  counts(servers: readonly ServerView[] = this.servers): [JobState, number][] {
    const counts = new Map<JobState, number>();
    for (const { state } of servers) counts.set(state, (counts.get(state) ?? 0) + 1);
    return [...counts].toSorted(([a], [b]) => byUrgency(a, b));
  }

  #time(view: ServerView, isWorking: boolean): void {
    const now = this.#stopwatch();
    if (view.workingSince !== undefined) view.worked += now - view.workingSince;
    view.workingSince = isWorking ? now : undefined;
  }
}

function isWork(state: JobState): boolean {
  return state === 'preparing' || state === 'patching' || state === 'rolling-back';
}

const stageOf: Partial<Record<JobState, Stage>> = {
  preparing: 'prepare',
  patching: 'patch',
  verifying: 'verify',
};

/** All stages before the present one are over; an end leaves what never began as it is. */
function moveStages(view: ServerView, job: Job): void {
  const own = view.stages;
  const present = stageOf[job.state];
  if (present) {
    for (const stage of stages.slice(0, stages.indexOf(present))) own[stage] = over(stage, own[stage], job);
    own[present] = 'active';
  } else if (job.state === 'ready' || job.state === 'nothing-to-do') own.prepare = 'done';
  else if (job.state === 'succeeded') for (const stage of stages) own[stage] = over(stage, own[stage], job);
  else if (stateWords[job.state].tone !== 'busy') {
    for (const stage of stages) if (own[stage] === 'active') own[stage] = 'ended';
  }
}

function over(stage: Stage, state: StageState, job: Job): StageState {
  if (stage !== 'reboot') return 'done';
  return state === 'done' || state === 'active' || job.facts.rebooted === true ? 'done' : 'skipped';
}
