/** Closes a campaign: a step of the state machine. */
import { closeCampaign, closeCampaignInput } from '../core/use-cases/close-campaign.ts';
import { notices, objects, records } from './compose.ts';
import { createHandler } from './handler.ts';
import { measuresBy } from './metric-names.ts';

export const handler = createHandler({
  name: 'close-campaign',
  compose: (world) => ({ records: records(world), objects: objects(world), notices: notices(world) }),
  run: (ports, event, now, _logger, count) =>
    closeCampaign({ ...ports, measures: measuresBy(count) }, closeCampaignInput.parse(event), now),
});
