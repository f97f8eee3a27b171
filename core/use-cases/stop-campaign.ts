/** Stops a campaign by hand: nothing more is dispatched, and nothing that runs is killed. */
import * as z from 'zod';
import { isCampaignEnded } from '../campaign.ts';
import { campaignKey, campaigns, update } from '../entities.ts';
import type { Instant } from '../instant.ts';
import type { Ports } from '../ports.ts';
import { answerApproval } from './answer-approval.ts';

export const stopCampaignInput = z.object({
  campaignId: z.string(),
  by: z.string().min(1).max(255),
  reason: z.string().min(1).max(400),
});

/** A campaign that waits for its approval is denied with the same reason, and ends at once. */
export async function stopCampaign(
  ports: Pick<Ports, 'records' | 'callbacks'>,
  input: z.input<typeof stopCampaignInput>,
  now: Instant,
): Promise<void> {
  const { campaignId, by, reason } = stopCampaignInput.parse(input);
  await update(ports.records, campaigns, campaignKey(campaignId), (campaign) => {
    if (campaign.stop || isCampaignEnded(campaign.state)) return undefined;
    const { approval } = campaign;
    const denied =
      approval && !approval.decision
        ? { ...approval, decision: { approved: false, by, at: now, reason } }
        : approval;
    return { ...campaign, stop: { by, at: now, reason }, approval: denied };
  });
  await answerApproval(ports, campaignId);
}
