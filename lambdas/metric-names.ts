/** Owns the names of metrics that alarms look at. */

export const metricNamespace = 'Quarterdeck';

/** Campaigns that should have started by now, or will not start as things are; with the function as `service`. */
export const notStartedMetric = 'CampaignsNotStarted';

/** Backups that were read and are not what their server made, or that have no copy. */
export const badBackupsMetric = 'BadBackups';

/** Snapshots that EC2 could not complete. */
export const failedSnapshotsMetric = 'FailedSnapshots';

/** Backups that did not come back as they were. */
export const failedRestoresMetric = 'FailedRestores';
