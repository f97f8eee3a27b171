/** Owns the names of metrics that alarms look at, and how what campaigns count comes to be one. */
import type { Measure } from '../core/measure.ts';
import type { Measures } from '../core/ports.ts';
import type { FunctionName } from './functions.ts';

export const metricNamespace = 'Quarterdeck';

/** Campaigns that should have started by now, or will not start as things are; with the function as `service`. */
export const notStartedMetric = 'CampaignsNotStarted';

/** Work of each day that was not done for longer than that. */
export const silentMetric = 'DailyWorkSilent';

/** Backups that were read and are not what their server made, or that have no copy. */
export const badBackupsMetric = 'BadBackups';

/** Snapshots that EC2 could not complete. */
export const failedSnapshotsMetric = 'FailedSnapshots';

/** Backups that did not come back as they were. */
export const failedRestoresMetric = 'FailedRestores';

/** Reboots of their own that failed or missed their window, or of which nothing was heard. */
export const failedRebootsMetric = 'FailedReboots';

/** Of servers; with the function as `service`. */
export const measureMetrics: Readonly<Record<Measure, string>> = {
  'rollbacks-failed': 'RollbacksFailed',
  'backups-failed': 'BackupsFailed',
  'files-changed': 'FilesChanged',
};

/** Functions that may be the one to complete a batch, or to close a campaign. */
export const countingFunctions = [
  'dispatch-batch',
  'give-up-batch',
  'settle-events',
  'sweep',
  'close-campaign',
  'roll-back',
] as const satisfies readonly FunctionName[];

/** @param count of the handler */
export function measuresBy(count: (metric: string, value: number) => void): Measures {
  return { count: (name, servers) => count(measureMetrics[name], servers) };
}
