/** Opens a campaign: a step of the state machine. */
import { openCampaign, openCampaignInput } from '../core/use-cases/open-campaign.ts';
import { notices, objects, records } from './compose.ts';
import { documents } from './compose-documents.ts';
import { createHandler } from './handler.ts';

export const handler = createHandler({
  name: 'open-campaign',
  compose: (world) => ({
    records: records(world),
    objects: objects(world),
    commands: documents(world),
    notices: notices(world),
  }),
  run: (ports, event, now) => openCampaign(ports, openCampaignInput.parse(event), now),
});
