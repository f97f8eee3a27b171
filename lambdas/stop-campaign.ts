/** Stops a campaign by hand. */
import { stopCampaign, stopCampaignInput } from '../core/use-cases/stop-campaign.ts';
import { callbacks, records } from './compose.ts';
import { createHandler } from './handler.ts';

export const handler = createHandler({
  name: 'stop-campaign',
  compose: (world) => ({ records: records(world), callbacks: callbacks(world) }),
  run: (ports, event, now) => stopCampaign(ports, stopCampaignInput.parse(event), now),
});
