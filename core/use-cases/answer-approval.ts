/** Gives a recorded decision to the state machine that waits for it. */
import { campaignKey, campaigns, load, update } from '../entities.ts';
import type { Ports } from '../ports.ts';

export async function answerApproval(
  ports: Pick<Ports, 'records' | 'callbacks'>,
  campaignId: string,
): Promise<void> {
  const campaign = await load(ports.records, campaigns, campaignKey(campaignId));
  const { approval } = campaign;
  if (!approval?.decision || approval.answered) return;
  await ports.callbacks.succeed(approval.token, { approved: approval.decision.approved });
  await update(ports.records, campaigns, campaignKey(campaignId), (current) =>
    current.approval?.token === approval.token && !current.approval.answered
      ? { ...current, approval: { ...current.approval, answered: true } }
      : undefined,
  );
}
