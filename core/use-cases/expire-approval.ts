/** Turns an approval that nobody gave in time into a denial. */
import * as z from 'zod';
import { campaignKey, campaigns, update } from '../entities.ts';
import type { Instant } from '../instant.ts';
import type { Ports } from '../ports.ts';

export const expireApprovalInput = z.object({ campaignId: z.string() });

/** A decision that was recorded in time, and only its delivery was lost, stands. */
export async function expireApproval(
  ports: Pick<Ports, 'records'>,
  input: z.input<typeof expireApprovalInput>,
  now: Instant,
): Promise<{ approved: boolean }> {
  const { campaignId } = expireApprovalInput.parse(input);
  const campaign = await update(ports.records, campaigns, campaignKey(campaignId), (current) => {
    // Asking failed until it was too late: nobody could say yes.
    if (!current.approval) return undefined;
    if (current.approval.decision) return { ...current, approval: { ...current.approval, answered: true } };
    const decision = { approved: false, by: 'quarterdeck', at: now, reason: 'nobody approved in time' };
    return { ...current, approval: { ...current.approval, decision, answered: true } };
  });
  return { approved: campaign.approval?.decision?.approved === true };
}
