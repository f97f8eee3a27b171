/** Owns what is counted of servers whose batch is complete, so that alarms wake people for it. */
import type { Job } from './job.ts';
import type { Phase } from './phase.ts';

const measureNames = ['rollbacks-failed', 'backups-failed', 'files-changed'] as const;
/**
 * Servers that did not come back, that had no good backup before their patch, and that have files which are not as
 * their packages brought them and were so before.
 */
export type Measure = (typeof measureNames)[number];

const judges: Readonly<Record<Measure, (phase: Phase, job: Job) => boolean>> = {
  'rollbacks-failed': (phase, job) => phase === 'rollback' && isLeftBehind(job),
  'backups-failed': (phase, { phases, reasons }) =>
    phase === 'patch'
      ? [...(phases.patch?.warnings ?? []), ...reasons].some(({ code }) => code === 'backup-failed')
      : phase === 'verify' && reasons.some(({ code }) => code === 'backup-unproven'),
  // Of a server whose patch showed some, the verification shows the same.
  'files-changed': (phase, { phases }) =>
    (phase === 'patch' && differences(phases.patch) > 0) ||
    (phase === 'verify' && differences(phases.verify) > 0 && differences(phases.patch) === 0),
};

/** How many of a batch's servers count, once its phase is complete. */
export function measure(phase: Phase, jobs: readonly Job[]): [Measure, number][] {
  return measureNames.map((name) => [name, jobs.filter((job) => judges[name](phase, job)).length]);
}

function isLeftBehind({ state, history }: Job): boolean {
  return state === 'rollback-failed' || (state === 'lost' && history.at(-2)?.state === 'rolling-back');
}

function differences(result: Job['phases']['patch']): number {
  return result?.found.integrityUnexpected ?? 0;
}
