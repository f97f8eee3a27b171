/** Asks people to approve the sealed plans; the state machine waits on the token. */
import * as z from 'zod';
import { advanceCampaign } from '../campaign.ts';
import { campaignKey, campaigns, update } from '../entities.ts';
import { type Instant, plusSeconds } from '../instant.ts';
import type { Ports } from '../ports.ts';
import { answerApproval } from './answer-approval.ts';

export const askApprovalInput = z.object({
  campaignId: z.string(),
  taskToken: z.string().min(1).max(2048),
  /** How long the state machine will wait. */
  seconds: z.number().positive(),
});

/** A retry brings a new token: it replaces the old one, and a decision that was made already is given to it at once. */
export async function askApproval(
  ports: Pick<Ports, 'records' | 'callbacks' | 'notices'>,
  input: z.input<typeof askApprovalInput>,
  now: Instant,
): Promise<void> {
  const { campaignId, taskToken, seconds } = askApprovalInput.parse(input);
  const campaign = await update(ports.records, campaigns, campaignKey(campaignId), (current) => {
    if (!current.seal) throw new Error(`campaign ${campaignId} is not sealed: there is nothing to approve`);
    const waiting = advanceCampaign(current, 'awaiting-approval') ?? current;
    const before = current.approval;
    // Stopped before it could ask: people are not bothered, and the state machine does not wait.
    const stopped = current.stop && { approved: false, ...current.stop };
    return {
      ...waiting,
      approval: {
        root: current.seal.root,
        token: taskToken,
        askedAt: before?.askedAt ?? now,
        expiresAt: before?.expiresAt ?? plusSeconds(now, seconds),
        decision: before?.decision ?? stopped,
        answered: false,
      },
    };
  });
  if (campaign.approval?.decision) return answerApproval(ports, campaignId);
  const { seal, window, policy } = campaign;
  await ports.notices.send({
    id: `${campaignId}-approval`,
    kind: 'approval-asked',
    campaignId,
    subject: `Approve patching of ${seal?.ready} servers by ${campaign.approval?.expiresAt}`,
    text:
      `Campaign ${campaignId} (policy ${policy.name}, ${campaign.quarter}) has sealed the plans of ${seal?.ready} servers ` +
      `in ${seal?.waves.length} waves.\nWindow: ${window.start} to ${window.end} UTC, planned in ${window.zone}.\n` +
      `Plans: ${seal?.root}\nWithout an approval before ${campaign.approval?.expiresAt} nothing is patched.\n`,
  });
}
