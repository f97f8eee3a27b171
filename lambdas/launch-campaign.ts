/** Starts a planned campaign, when its schedule on EventBridge Scheduler fires. */
import { launchCampaign } from '../core/use-cases/launch-campaign.ts';
import { launching } from './compose-schedules.ts';
import { settings } from './compose-settings.ts';
import { createHandler } from './handler.ts';

export const handler = createHandler({
  name: 'launch-campaign',
  compose: (world) => ({ ...launching(world), settings: settings(world) }),
  async run(ports, event, now, logger) {
    const launch = await launchCampaign(ports, await ports.settings(), event, now);
    // Nobody mends what is wrong with a plan by calling again: it is told and looked for by night, and is no error.
    if (!launch.started) logger.warn('not started', { reason: launch.reason });
    return launch;
  },
});
