/** Owns `quarterdeck campaign`: stopping one, and deciding on its sealed plans. */
import { visibleText } from '../local/report/visible-text.ts';
import type { CampaignDecision, CampaignStop } from './asked-jobs.ts';
import { exitCodes, type World, withBackend } from './world.ts';

export async function runStop(asked: CampaignStop, world: World): Promise<number> {
  const { campaignId, reason, by = world.user } = asked;
  await withBackend(asked, world, (backend) => backend.call('stop-campaign', { campaignId, by, reason }));
  const text =
    `No patch of campaign ${visibleText(campaignId)} is sent any more. What was patched is verified, or taken\n` +
    'back where it is not well; what runs on servers ends by itself. One that had ended stays as it is.\n';
  world.out(asked.json ? `${JSON.stringify({ campaignId, stopped: true, by, reason })}\n` : text);
  return exitCodes.done;
}

export async function runDecision(asked: CampaignDecision, world: World): Promise<number> {
  const { campaignId, root, approved, reason, by = world.user } = asked;
  await withBackend(asked, world, (backend) =>
    backend.call('decide-approval', { campaignId, root, approved, by, reason }),
  );
  const text = approved
    ? `Approved by ${visibleText(by)}: campaign ${visibleText(campaignId)} patches in its window.\n`
    : `Denied by ${visibleText(by)}: campaign ${visibleText(campaignId)} ends, and patches nothing.\n`;
  world.out(asked.json ? `${JSON.stringify({ campaignId, root, approved, by, reason })}\n` : text);
  return exitCodes.done;
}
