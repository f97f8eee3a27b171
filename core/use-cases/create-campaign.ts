/** Makes a campaign for servers that share a window and a policy, and starts its execution. */
import * as z from 'zod';
import { type Campaign, campaignIdSchema, campaignSchema, overdueAt } from '../campaign.ts';
import { phaseSeconds } from '../document.ts';
import { campaignKey, campaigns, create, load } from '../entities.ts';
import { type Instant, plusSeconds, secondsBetween } from '../instant.ts';
import { sha256Of } from '../plan.ts';
import { patchLimits, policySchema } from '../policy.ts';
import type { Ports } from '../ports.ts';
import { serverSchema } from '../server.ts';
import { windowSchema } from '../window.ts';

export const createCampaignInput = z.object({
  campaignId: campaignIdSchema,
  policy: policySchema,
  quarter: campaignSchema.shape.quarter,
  window: windowSchema,
  requestedBy: campaignSchema.shape.requestedBy,
  selection: campaignSchema.shape.selection,
  hybridRoleId: campaignSchema.shape.hybridRoleId,
  servers: z
    .array(serverSchema)
    .min(1)
    .superRefine((servers, context) => {
      const seen = new Set<string>();
      for (const { id } of servers) {
        if (seen.has(id))
          context.addIssue({ code: 'custom', message: `server ${id} is listed twice: list it once` });
        seen.add(id);
      }
    }),
});
export type CreateCampaignInput = z.input<typeof createCampaignInput>;

/** No campaign can be made of this as it is; the message says what to change. Doing it again will not help. */
export class CampaignRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CampaignRefused';
  }
}

/**
 * Calling it again with the same input changes nothing. The execution carries the campaign's id as its name, so it
 * starts once.
 *
 * @throws CampaignRefused when the window is too short or too far ahead, or another campaign has this id
 */
export async function createCampaign(
  ports: Pick<Ports, 'records' | 'objects' | 'executions'>,
  input: CreateCampaignInput,
  now: Instant,
): Promise<void> {
  const { campaignId, servers, ...asked } = createCampaignInput.parse(input);
  const rest = { ...asked, ...(servers.some(({ metal }) => metal) && { metal: true as const }) };
  const refused = whyTooShort(rest) ?? whyTooFar(rest, now);
  if (refused) throw new CampaignRefused(refused);
  const list = JSON.stringify(servers);
  const serversKey = `campaigns/${campaignId}/servers-${sha256Of(list)}.json`;
  await ports.objects.put(serversKey, list);
  const created = await create(ports.records, campaigns, {
    schema: 1,
    id: campaignId,
    ...rest,
    createdAt: now,
    state: 'planned',
    reason: null,
    serversKey,
    serverCount: servers.length,
    documents: {},
    seal: null,
    approval: null,
    stop: null,
    endedAt: null,
  });
  if (!created) {
    const existing = await load(ports.records, campaigns, campaignKey(campaignId));
    const differing = Object.entries({ ...rest, serversKey }).find(
      ([name, value]) => JSON.stringify(existing[name as keyof Campaign]) !== JSON.stringify(value),
    );
    if (differing) {
      throw new CampaignRefused(
        `campaign ${campaignId} exists with another ${differing[0]}: choose another id`,
      );
    }
  }
  await ports.executions.start(campaignId, { campaignId });
}

/** Better said now than by a campaign that people approve and that is then always missed. */
function whyTooShort({
  window,
  policy,
  metal,
}: Pick<Campaign, 'window' | 'policy' | 'metal'>): string | undefined {
  if (policy.mode === 'scan') return undefined;
  const length = secondsBetween(window.start, window.end);
  const needed = phaseSeconds({ policy, metal }, 'patch');
  if (needed <= length) return undefined;
  return (
    `window ${window.start} to ${window.end} lasts ${length} s, and patching one wave may take ${needed} s by policy ` +
    `${policy.name}: lengthen the window, or shorten any of ${patchLimits(policy, metal)}`
  );
}

/** What the state machine's own time-out leaves: an execution starts at once and waits for its window. */
const longestExecution = 90 * 86_400;

function whyTooFar(
  campaign: Pick<Campaign, 'window' | 'policy' | 'metal'>,
  now: Instant,
): string | undefined {
  if (overdueAt(campaign) <= plusSeconds(now, longestExecution)) return undefined;
  return (
    `window ${campaign.window.start} to ${campaign.window.end} is too far ahead: a campaign lasts 90 days at most, ` +
    'so make it nearer to its window'
  );
}
