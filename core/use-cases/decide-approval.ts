/** Records a person's decision on the sealed plans. */
import * as z from 'zod';
import { type Campaign, isCampaignEnded } from '../campaign.ts';
import { campaignKey, campaigns, update } from '../entities.ts';
import type { Instant } from '../instant.ts';
import { isSamePerson } from '../person.ts';
import type { Ports } from '../ports.ts';
import { answerApproval } from './answer-approval.ts';

export const decideApprovalInput = z.object({
  campaignId: z.string(),
  /** The root hash that the person has seen: it must be the one that is sealed. */
  root: z.string().regex(/^[0-9a-f]{64}$/),
  approved: z.boolean(),
  by: z.string().min(1).max(255),
  reason: z.string().max(400).default(''),
});

/** The decision can not be taken; the message says why and what would help. */
export class DecisionRefused extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'DecisionRefused';
    this.code = code;
  }
}

/**
 * The first decision stands; giving the same one again delivers it again.
 *
 * @throws DecisionRefused
 */
export async function decideApproval(
  ports: Pick<Ports, 'records' | 'callbacks'>,
  input: z.input<typeof decideApprovalInput>,
  now: Instant,
): Promise<void> {
  const { campaignId, root, approved, by, reason } = decideApprovalInput.parse(input);
  await update(ports.records, campaigns, campaignKey(campaignId), (campaign) => {
    const { approval } = campaign;
    const refused = whyRefused(campaign, root, by, approved, now);
    if (refused) throw refused;
    if (!approval || approval.decision) return undefined;
    return { ...campaign, approval: { ...approval, decision: { approved, by, at: now, reason } } };
  });
  await answerApproval(ports, campaignId);
}

function whyRefused(
  campaign: Campaign,
  root: string,
  by: string,
  approved: boolean,
  now: Instant,
): DecisionRefused | undefined {
  const { approval } = campaign;
  if (!approval)
    return new DecisionRefused('not-asked', `campaign ${campaign.id} has not asked for an approval`);
  if (approval.root !== root) {
    return new DecisionRefused(
      'other-plans',
      `the sealed plans are ${approval.root}, not ${root}: look at them again`,
    );
  }
  if (approval.decision) {
    if (approval.decision.approved === approved) return undefined;
    const was = approval.decision.approved ? 'approved' : 'denied';
    return new DecisionRefused(
      'decided',
      `already ${was} at ${approval.decision.at} by ${approval.decision.by}`,
    );
  }
  // Saying no to one's own campaign is always allowed.
  if (approved && isSamePerson(by, campaign.requestedBy)) {
    return new DecisionRefused(
      'own-campaign',
      `${by} asked for this campaign: somebody else must approve it`,
    );
  }
  if (isCampaignEnded(campaign.state) || now >= approval.expiresAt) {
    return new DecisionRefused('too-late', `the approval had to come before ${approval.expiresAt}`);
  }
  return undefined;
}
