/** Seals a campaign: one hash over all plans, and the waves in which the servers that have one will be patched. */
import * as z from 'zod';
import { type Batch, newBatch } from '../batch.ts';
import { advanceCampaign, approvalSeconds, type Campaign, stoppedBy } from '../campaign.ts';
import { phaseSeconds } from '../document.ts';
import { batches, campaignKey, campaigns, create, listAll, load, update } from '../entities.ts';
import { type Instant, plusSeconds, secondsBetween } from '../instant.ts';
import type { JobState } from '../job.ts';
import type { Reason } from '../outcome.ts';
import { inParallel, storeParallelism } from '../parallel.ts';
import { rootHash } from '../plan.ts';
import type { Ports } from '../ports.ts';
import { planBatches, planWaves } from '../waves.ts';
import { putManifest } from './batch-manifest.ts';

export const sealCampaignInput = z.object({ campaignId: z.string() });

export type SealCampaignOutput =
  | {
      readonly verdict: 'go';
      readonly root: string;
      readonly waves: number;
      readonly approval: boolean;
      readonly approvalSeconds: number;
    }
  | {
      readonly verdict: 'end';
      readonly ending: 'nothing-to-do' | 'scanned' | 'stopped';
      readonly reason: Reason;
    };

/**
 * Waves are planned here and not when the campaign opens, so that the canaries are servers that really have
 * something to install. Planning is a function of the sealed plans, so doing it again gives the same waves.
 */
export async function sealCampaign(
  ports: Pick<Ports, 'records' | 'objects'>,
  input: z.input<typeof sealCampaignInput>,
  now: Instant,
): Promise<SealCampaignOutput> {
  const { campaignId } = sealCampaignInput.parse(input);
  const campaign = await load(ports.records, campaigns, campaignKey(campaignId));
  const stopped = stoppedBy(campaign);
  if (stopped) return { verdict: 'end', ending: 'stopped', reason: stopped };
  const prepared = await listAll(ports.records, batches, `campaign#${campaignId}`, 'batch#p-');
  const members = prepared.flatMap(({ place, family, metal, sealed }) =>
    (sealed?.plans ?? []).map(({ serverId }) => ({ id: serverId, place, family, metal })),
  );
  if (members.length === 0) return nothingSealed(prepared);
  if (campaign.policy.mode === 'scan') {
    const detail = `policy ${campaign.policy.name} only scans: ${members.length} of ${campaign.serverCount} servers have updates to install`;
    return { verdict: 'end', ending: 'scanned', reason: { code: 'scan-only', detail } };
  }
  const root = rootHash(
    campaignId,
    prepared.flatMap(({ id, sealed }) => (sealed ? [{ batchId: id, digest: sealed.digest }] : [])),
  );
  const waves: NonNullable<Campaign['seal']>['waves'] = [];
  for (const [index, wave] of planWaves(members, campaign.policy.waves).entries()) {
    waves.push(await layOutWave(ports, campaign, index, wave));
  }
  const sealed = await update(ports.records, campaigns, campaignKey(campaignId), (current) => {
    const next = current.seal ? undefined : advanceCampaign(current, 'sealed');
    return next && { ...next, seal: { root, at: now, ready: members.length, waves } };
  });
  const latest = plusSeconds(campaign.window.end, -phaseSeconds(campaign, 'patch'));
  return {
    verdict: 'go',
    root: sealed.seal?.root ?? root,
    waves: waves.length,
    approval: campaign.policy.approval.required,
    approvalSeconds: approvalSeconds(campaign, secondsBetween(now, latest)),
  };
}

async function layOutWave(
  ports: Pick<Ports, 'records' | 'objects'>,
  campaign: Campaign,
  wave: number,
  members: Parameters<typeof planBatches>[0],
) {
  const all = planBatches(members).map((plan, index) => newBatch(campaign.id, wave, plan, index));
  await inParallel(all, storeParallelism, (batch) => create(ports.records, batches, batch));
  const key = `campaigns/${campaign.id}/wave-${wave}.json`;
  await putManifest(ports.objects, campaign, 'patch', key, all);
  return { servers: members.length, batches: all.length, key };
}

/** Nothing to do is what the servers say; where they could not be asked, it is a campaign that went wrong. */
function nothingSealed(prepared: readonly Batch[]): SealCampaignOutput {
  const counts: Partial<Record<JobState, number>> = {};
  for (const { runs, serverIds } of prepared) {
    const counted = Object.entries(runs.prepare?.counts ?? { preparing: serverIds.length });
    for (const [state, number] of counted as [JobState, number][])
      counts[state] = (counts[state] ?? 0) + number;
  }
  const detail = Object.entries(counts)
    .map(([state, number]) => `${number} ${state}`)
    .join(', ');
  const needNothing: readonly string[] = ['nothing-to-do', 'held', 'superseded'] satisfies JobState[];
  return Object.keys(counts).every((state) => needNothing.includes(state))
    ? {
        verdict: 'end',
        ending: 'nothing-to-do',
        reason: { code: 'nothing-sealed', detail: `no server has a plan to carry out: ${detail}` },
      }
    : {
        verdict: 'end',
        ending: 'stopped',
        reason: { code: 'nothing-prepared', detail: `no server could be prepared: ${detail}` },
      };
}
