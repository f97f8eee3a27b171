/** Looks again at everything that waits: events are best effort, so nothing may depend on them alone. */
import type { Batch } from '../batch.ts';
import { type Campaign, overdueAt } from '../campaign.ts';
import { batches, campaigns, dueShards, parseRecord, update } from '../entities.ts';
import { type Instant, plusSeconds } from '../instant.ts';
import { phaseSchema } from '../phase.ts';
import type { Ports, StoredRecord } from '../ports.ts';
import { rollbackSort, rollbacks } from '../rollback.ts';
import { rootVolumeSort, rootVolumes } from '../root-volume.ts';
import { answerApproval } from './answer-approval.ts';
import { closeCampaign } from './close-campaign.ts';
import { closeRollback } from './close-rollback.ts';
import { type FollowPorts, followRootVolume } from './follow-root-volume.ts';
import { type SettlePorts, settleRun } from './settle-run.ts';

type SweepPorts = SettlePorts & FollowPorts & Pick<Ports, 'executions'>;

/** Batches and campaigns of one shard that one sweep looks at; what is beyond comes with the next, before these. */
const perShard = 200;

/** How long a dispatcher may be silent past its lease before its state is told to dispatch again. */
const dispatchGrace = 180;

export interface SweepReport {
  readonly looked: number;
  /** Items that could not be swept, and why; they stay due. */
  readonly failed: readonly { readonly item: string; readonly error: string }[];
}

/** One item that can not be swept does not keep the others from it. */
export async function sweep(ports: SweepPorts, now: Instant): Promise<SweepReport> {
  const failed: { item: string; error: string }[] = [];
  let looked = 0;
  for (const shard of dueShards) {
    const due = await ports.records.listDue(shard, now, perShard);
    for (const record of due) {
      looked++;
      const name = `${record.key.partition}/${record.key.sort}`;
      const note = (error: unknown) => failed.push({ item: name, error: String(error) });
      await sweepRecord(ports, record, now).catch(note);
      // A write for each is paid only where there may be more than these.
      if (due.length === perShard) await putBack(ports, record, now).catch(note);
    }
  }
  return { looked, failed };
}

async function sweepRecord(ports: SweepPorts, record: StoredRecord, now: Instant): Promise<void> {
  if (record.key.sort === 'campaign') return sweepCampaign(ports, parseRecord(campaigns, record), now);
  if (record.key.sort === rootVolumeSort)
    return followRootVolume(ports, parseRecord(rootVolumes, record), now);
  if (record.key.sort === rollbackSort) return closeRollback(ports, parseRecord(rollbacks, record), now);
  const batch = parseRecord(batches, record);
  for (const phase of phaseSchema.options) {
    if (!batch.runs[phase]) continue;
    await settleRun(ports, { campaignId: batch.campaignId, batchId: batch.id, phase }, now);
    await reviveDispatch(ports, batch, phase, now);
  }
}

/** An execution may never have started, or have died where no state could catch it. */
async function sweepCampaign(ports: SweepPorts, campaign: Campaign, now: Instant): Promise<void> {
  const { id, state } = campaign;
  if (now >= overdueAt(campaign)) {
    const detail = `nothing was heard of its execution since it was ${state}`;
    await closeCampaign(
      ports,
      { campaignId: id, ending: 'broken', reason: { code: 'execution-lost', detail } },
      now,
    );
    return;
  }
  if (state === 'planned') await ports.executions.start(id, { campaignId: id });
  await answerApproval(ports, id);
}

/** What waits on makes room for what has not been looked at. */
async function putBack(ports: SettlePorts, record: StoredRecord, now: Instant): Promise<void> {
  if (['campaign', rootVolumeSort, rollbackSort].includes(record.key.sort)) return;
  await update(ports.records, batches, record.key, (batch) => ({ ...batch, sweptAt: now }));
}

/** A dispatcher that died leaves a lease behind; failing its token makes the state machine's retry dispatch anew. */
async function reviveDispatch(
  ports: SettlePorts,
  batch: Batch,
  phase: keyof Batch['runs'],
  now: Instant,
): Promise<void> {
  const run = batch.runs[phase];
  // Whoever closes a rollback by hand ends what was never dispatched.
  if (run?.state !== 'dispatching' || batch.byHand || now < plusSeconds(run.leaseUntil, dispatchGrace))
    return;
  await ports.callbacks.fail(
    run.token,
    'DispatchLost',
    `the dispatch of ${batch.id} did not finish before ${run.leaseUntil}`,
  );
}
