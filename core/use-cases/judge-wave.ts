/** Decides between waves whether the campaign goes on. */
import * as z from 'zod';
import { type Batch, isComplete } from '../batch.ts';
import { type Campaign, notApproved, rollbackUntil, stoppedBy } from '../campaign.ts';
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
import { alarmReason } from './alarm-reason.ts';
import { type BatchManifest, manifestOf } from './batch-manifest.ts';
import { pausedBy } from './pause-all.ts';

export const judgeWaveInput = z.object({
  campaignId: z.string(),
  wave: z.number().int().nonnegative(),
  /** Before its patch is dispatched, after it, once it was verified, or once what had to has gone back. */
  at: z.enum(['begin', 'patched', 'verified', 'rolled-back']),
});

export interface JudgeWaveOutput {
  readonly verdict: 'go' | 'stop';
  /** The first of the reasons to stop; null on go. */
  readonly reason: Reason | null;
  /** The batches of this wave, for the Map that patches or verifies them next. */
  readonly patch: BatchManifest;
  /** Whether the policy asks for snapshots before that patch. */
  readonly snapshots: boolean;
  readonly verify: BatchManifest;
  /** Batches with servers that go back: few, or the error budget had ended the campaign. */
  readonly rollback: {
    readonly batches: readonly { readonly batchId: string }[];
    readonly timeoutSeconds: number;
  };
  /** When the soak is over. */
  readonly soakUntil: Instant;
  readonly isLast: boolean;
}

/** Reads counts from the store: the results of a Distributed Map outgrow what a state may hold. */
export async function judgeWave(
  ports: Pick<Ports, 'records' | 'alarms'> & { readonly objects: Pick<Objects, 'bucket'> },
  input: z.input<typeof judgeWaveInput>,
  now: Instant,
): Promise<JudgeWaveOutput> {
  const { campaignId, wave, at } = judgeWaveInput.parse(input);
  const campaign = await load(ports.records, campaigns, campaignKey(campaignId));
  const laidOut = campaign.seal?.waves[wave];
  if (!laidOut) throw new Error(`campaign ${campaignId} has no wave ${wave}`);
  const all =
    at === 'begin' ? [] : await listAll(ports.records, batches, `campaign#${campaignId}`, `batch#w${wave}-`);
  const reason =
    stoppedBy(campaign) ??
    (at === 'rolled-back' ? rollbackReason(all, wave) : undefined) ??
    (await budgetReason(ports, campaign)) ??
    (at === 'begin'
      ? (notApproved(campaign) ??
        whyNotIn(campaign.window, now, phaseSeconds(campaign, 'patch')) ??
        (await pausedBy(ports)))
      : waveReason(all, wave, at === 'patched' ? 'patch' : 'verify')) ??
    (at === 'patched' ? undefined : await alarmReason(ports, campaign.policy.validation));
  const manifest = (phase: Phase) => manifestOf(ports.objects, campaign, phase, laidOut.key, laidOut.batches);
  return {
    verdict: reason ? 'stop' : 'go',
    reason: reason ?? null,
    patch: manifest('patch'),
    snapshots: campaign.policy.backup.snapshots !== 'none',
    verify: manifest('verify'),
    rollback: {
      batches:
        at === 'verified'
          ? all.filter((batch) => goingBack(batch) > 0).map(({ id }) => ({ batchId: id }))
          : [],
      timeoutSeconds: manifest('rollback').timeoutSeconds,
    },
    soakUntil: soakUntil(campaign, all, now),
    isLast: wave + 1 >= (campaign.seal?.waves.length ?? 0),
  };
}

/** A soak never makes it too late for servers whose patch broke off: they go back when their wave has been verified. */
function soakUntil(campaign: Campaign, all: readonly Batch[], now: Instant): Instant {
  const soaked = plusSeconds(now, campaign.policy.waves.soakSeconds);
  const latest = plusSeconds(rollbackUntil(campaign), -phaseSeconds(campaign, 'verify'));
  if (latest >= soaked || !all.some((batch) => goingBack(batch) > 0)) return soaked;
  return latest > now ? latest : now;
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

function waveReason(all: readonly Batch[], wave: number, phase: 'patch' | 'verify'): Reason | undefined {
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

/** What should have gone back and did not is in a state that nobody knows: people look first. */
function rollbackReason(all: readonly Batch[], wave: number): Reason | undefined {
  const wanted = all.reduce((sum, batch) => sum + goingBack(batch), 0);
  const back = all.reduce((sum, { runs }) => sum + (runs.rollback?.counts?.['rolled-back'] ?? 0), 0);
  if (back >= wanted) return undefined;
  return {
    code: 'rollback-failed',
    detail: `${wanted - back} of ${wanted} servers of wave ${wave} that had to go back did not`,
  };
}

/** Servers that wait to go back. A verification that broke off says nothing of those that did since their patch. */
function goingBack({ runs }: Batch): number {
  return (runs.verify?.counts ?? runs.patch?.counts)?.['rolling-back'] ?? 0;
}

function count(all: readonly Batch[], state: JobState, phase: 'patch' | 'verify'): number {
  return all.reduce((sum, batch) => sum + (batch.runs[phase]?.counts?.[state] ?? 0), 0);
}
