/** Decides between waves whether the campaign goes on. */
import * as z from 'zod';
import { type Batch, isComplete } from '../batch.ts';
import { type Campaign, notApproved, stoppedBy } from '../campaign.ts';
import { phaseSeconds } from '../document.ts';
import {
  acknowledgementKey,
  acknowledgements,
  batches,
  budgetEntries,
  budgetPartition,
  campaignKey,
  campaigns,
  listAll,
  load,
  parseRecord,
} from '../entities.ts';
import { overBudget } from '../error-budget.ts';
import { type Instant, plusSeconds } from '../instant.ts';
import type { JobState } from '../job.ts';
import type { Reason } from '../outcome.ts';
import type { Phase } from '../phase.ts';
import type { Objects, Ports } from '../ports.ts';
import { whyNotIn } from '../window.ts';
import { type BatchManifest, manifestOf } from './batch-manifest.ts';
import { pausedBy } from './pause-all.ts';

export const judgeWaveInput = z.object({
  campaignId: z.string(),
  wave: z.number().int().nonnegative(),
  /** Before its patch is dispatched, after it, or once it was verified. */
  at: z.enum(['begin', 'patched', 'verified']),
});

export interface JudgeWaveOutput {
  readonly verdict: 'go' | 'stop';
  /** The first of the reasons to stop; null on go. */
  readonly reason: Reason | null;
  /** The batches of this wave, for the Map that patches or verifies them next. */
  readonly patch: BatchManifest;
  readonly verify: BatchManifest;
  /** When the soak is over. */
  readonly soakUntil: Instant;
  readonly isLast: boolean;
}

/** Reads counts from the store: the results of a Distributed Map outgrow what a state may hold. */
export async function judgeWave(
  ports: Pick<Ports, 'records'> & { readonly objects: Pick<Objects, 'bucket'> },
  input: z.input<typeof judgeWaveInput>,
  now: Instant,
): Promise<JudgeWaveOutput> {
  const { campaignId, wave, at } = judgeWaveInput.parse(input);
  const campaign = await load(ports.records, campaigns, campaignKey(campaignId));
  const laidOut = campaign.seal?.waves[wave];
  if (!laidOut) throw new Error(`campaign ${campaignId} has no wave ${wave}`);
  const reason =
    stoppedBy(campaign) ??
    (await budgetReason(ports, campaign)) ??
    (at === 'begin'
      ? (notApproved(campaign) ??
        whyNotIn(campaign.window, now, phaseSeconds(campaign, 'patch')) ??
        (await pausedBy(ports)))
      : await waveReason(ports, campaign, wave, at === 'patched' ? 'patch' : 'verify'));
  const manifest = (phase: Phase) => manifestOf(ports.objects, campaign, phase, laidOut.key, laidOut.batches);
  return {
    verdict: reason ? 'stop' : 'go',
    reason: reason ?? null,
    patch: manifest('patch'),
    verify: manifest('verify'),
    soakUntil: plusSeconds(now, campaign.policy.waves.soakSeconds),
    isLast: wave + 1 >= (campaign.seal?.waves.length ?? 0),
  };
}

/** Over all campaigns of the policy and quarter: a canary that failed in one window holds the later windows too. */
async function budgetReason(ports: Pick<Ports, 'records'>, campaign: Campaign): Promise<Reason | undefined> {
  const { policy, quarter } = campaign;
  const entries = await listAll(
    ports.records,
    budgetEntries(policy.name, quarter),
    budgetPartition(policy.name, quarter),
    'batch#',
  );
  const record = await ports.records.get(acknowledgementKey(policy.name, quarter));
  const acknowledged = record && parseRecord(acknowledgements(policy.name, quarter), record);
  return overBudget(policy.errorBudget, entries, acknowledged);
}

async function waveReason(
  ports: Pick<Ports, 'records'>,
  campaign: Campaign,
  wave: number,
  phase: 'patch' | 'verify',
): Promise<Reason | undefined> {
  const all = await listAll(ports.records, batches, `campaign#${campaign.id}`, `batch#w${wave}-`);
  const open = all.filter((batch) => !isComplete(batch.runs[phase]));
  if (open.length > 0) {
    return {
      code: 'wave-incomplete',
      detail: `${open.length} of ${all.length} batches of wave ${wave} have no result: ${open[0]?.id}`,
    };
  }
  const notStarted = count(all, 'not-started', phase);
  if (notStarted > 0) {
    return {
      code: 'wave-cut-short',
      detail: `${notStarted} servers of wave ${wave} could not be started in the window`,
    };
  }
  if (wave === 0 && phase === 'verify' && count(all, 'succeeded', phase) === 0) {
    return {
      code: 'canary-proved-nothing',
      detail: 'no canary was patched and verified, so nothing speaks for the other servers',
    };
  }
  return undefined;
}

function count(all: readonly Batch[], state: JobState, phase: 'patch' | 'verify'): number {
  return all.reduce((sum, batch) => sum + (batch.runs[phase]?.counts?.[state] ?? 0), 0);
}
