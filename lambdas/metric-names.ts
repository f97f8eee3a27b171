/** Owns the names of metrics that alarms look at. */

export const metricNamespace = 'Quarterdeck';

/** Campaigns that should have started by now, or will not start as things are; with the function as `service`. */
export const notStartedMetric = 'CampaignsNotStarted';
