/** Makes a campaign by the name of its policy, of the servers that are listed or of all that have opted in. */
import * as z from 'zod';
import { withHaGroups } from '../core/calendar/campaign-server.ts';
import { serverSchema } from '../core/server.ts';
import { createCampaign, createCampaignInput } from '../core/use-cases/create-campaign.ts';
import { loadInventory } from '../core/use-cases/stored-inventory.ts';
import { chooseServers } from './choose-servers.ts';
import { discovery, executions, objects, records } from './compose.ts';
import { settings } from './compose-settings.ts';
import { createHandler } from './handler.ts';

const createCampaignEvent = createCampaignInput
  .omit({ policy: true, hybridRoleId: true, servers: true })
  .extend({
    /** Name of the policy, which is its environment's. */
    policy: z.string().min(1),
    servers: z.array(serverSchema).min(1).optional(),
  });

export const handler = createHandler({
  name: 'create-campaign',
  compose: (world) => ({
    records: records(world),
    objects: objects(world),
    executions: executions(world),
    settings: settings(world),
    serversIn: discovery(world),
  }),
  async run(ports, event, now) {
    const { policy: name, servers, ...input } = createCampaignEvent.parse(event);
    const settings = await ports.settings();
    const chosen = await chooseServers(settings, name, ports.serversIn, servers);
    const { hybridRoleId } = settings;
    const inventory = await loadInventory(ports);
    const members = withHaGroups(chosen.servers, inventory.servers, settings.calendar.haGroups);
    const campaign = { ...input, policy: chosen.policy, servers: members };
    await createCampaign(ports, hybridRoleId ? { ...campaign, hybridRoleId } : campaign, now);
    return { campaignId: input.campaignId, servers: chosen.servers.length, leftOut: chosen.leftOut };
  },
});
