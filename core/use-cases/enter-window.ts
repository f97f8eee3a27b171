/** Decides, when the execution wakes up at the window, whether patching may begin. */
import * as z from 'zod';
import { advanceCampaign, notApproved, stoppedBy } from '../campaign.ts';
import { phaseSeconds } from '../document.ts';
import { campaignKey, campaigns, load, update } from '../entities.ts';
import { type Instant, isBefore, plusSeconds } from '../instant.ts';
import type { Reason } from '../outcome.ts';
import type { Ports } from '../ports.ts';
import { whyNotIn } from '../window.ts';
import { pausedBy } from './pause-all.ts';

export const enterWindowInput = z.object({ campaignId: z.string() });

/** How often a campaign in its window looks whether everything is still paused: few transitions, little time lost. */
const pauseLookSeconds = 300;

export type EnterWindowOutput =
  | { readonly verdict: 'go' }
  /** Woken early, or everything is paused: wait until then and ask again. */
  | { readonly verdict: 'wait'; readonly until: Instant }
  | { readonly verdict: 'end'; readonly ending: 'stopped' | 'denied' | 'missed'; readonly reason: Reason };

export async function enterWindow(
  ports: Pick<Ports, 'records'>,
  input: z.input<typeof enterWindowInput>,
  now: Instant,
): Promise<EnterWindowOutput> {
  const { campaignId } = enterWindowInput.parse(input);
  const campaign = await load(ports.records, campaigns, campaignKey(campaignId));
  const stopped = stoppedBy(campaign);
  if (stopped) return { verdict: 'end', ending: 'stopped', reason: stopped };
  const denied = notApproved(campaign);
  if (denied) return { verdict: 'end', ending: 'denied', reason: denied };
  if (isBefore(now, campaign.window.start)) return { verdict: 'wait', until: campaign.window.start };
  const missed = whyNotIn(campaign.window, now, phaseSeconds(campaign, 'patch'));
  const paused = await pausedBy(ports);
  if (missed) return { verdict: 'end', ending: 'missed', reason: paused ?? missed };
  // Whoever resumes in time loses nothing; whoever does not finds the pause for a reason.
  if (paused) return { verdict: 'wait', until: plusSeconds(now, pauseLookSeconds) };
  await update(ports.records, campaigns, campaignKey(campaignId), (current) =>
    advanceCampaign(current, 'patching'),
  );
  return { verdict: 'go' };
}
