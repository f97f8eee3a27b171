/** Says what became of one planned package change. */
import type { PackageChange, ReportJob } from '../../../core/report.ts';

export type ChangeOutcome =
  | 'as planned'
  | 'other version'
  | 'unchanged'
  /** It had come, and a rollback took it back. */
  | 'brought back'
  | 'missing'
  | 'not attempted'
  | 'unknown';

export function changeOutcome(change: PackageChange, job: ReportJob): ChangeOutcome {
  const { patch, rollback } = job.phases;
  if (!patch) return 'not attempted';
  const last = rollback ?? patch;
  // A list of versions in which no planned package occurs is no list: the server could not make one.
  const looked = last.object !== null && last.unproven === null;
  if (!looked || job.packages.every(({ to, planned }) => to === null && planned !== null)) return 'unknown';
  if (change.to === change.planned) return 'as planned';
  if (change.to === change.from) return rollback ? 'brought back' : 'unchanged';
  return change.to === null ? 'missing' : 'other version';
}

/** Whether the change has come about; a version other than planned was put there by somebody else. */
export function hasCome(outcome: ChangeOutcome): boolean {
  return outcome === 'as planned' || outcome === 'other version';
}
