/** Seals a campaign: a step of the state machine. */
import { sealCampaign, sealCampaignInput } from '../core/use-cases/seal-campaign.ts';
import { objects, records } from './compose.ts';
import { createHandler } from './handler.ts';

export const handler = createHandler({
  name: 'seal-campaign',
  compose: (world) => ({ records: records(world), objects: objects(world) }),
  run: (ports, event, now) => sealCampaign(ports, sealCampaignInput.parse(event), now),
});
