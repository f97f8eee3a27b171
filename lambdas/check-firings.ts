/** Looks, each day, for campaigns that should have started and have not. */
import { checkFirings } from '../core/use-cases/check-firings.ts';
import { launching, schedules } from './compose-schedules.ts';
import { settings } from './compose-settings.ts';
import { createHandler } from './handler.ts';
import { notStartedMetric } from './metric-names.ts';

export const handler = createHandler({
  name: 'check-firings',
  compose: (world) => ({ ...launching(world), schedules: schedules(world), settings: settings(world) }),
  async run(ports, _event, now, logger, count) {
    const checked = await checkFirings(ports, await ports.settings(), now);
    for (const missing of checked.notStarted) logger.warn('not started', { ...missing });
    for (const campaignId of checked.unscheduled) logger.warn('has no schedule', { campaignId });
    count(notStartedMetric, checked.notStarted.length + checked.unscheduled.length);
    return checked;
  },
});
