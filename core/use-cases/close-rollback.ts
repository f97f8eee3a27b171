/** Ends a rollback by hand once all its batches have: no job is left on its way, and the report tells the new ends. */
import { type Batch, isComplete } from '../batch.ts';
import { batches, jobKey, jobs, listAll, parseRecord, update } from '../entities.ts';
import { type Instant, plusSeconds } from '../instant.ts';
import { inParallel } from '../parallel.ts';
import type { Ports } from '../ports.ts';
import { type Report, reportKey, reportPartSchema, reportSchema } from '../report.ts';
import { askedOf, type Rollback, recheckSeconds, rollbackKey, rollbacks } from '../rollback.ts';
import { giveUpBatch } from './give-up-batch.ts';
import { loadJobs } from './load-jobs.ts';
import { reportJob } from './report-job.ts';
import type { SettlePorts } from './settle-run.ts';

type ClosePorts = SettlePorts & Pick<Ports, 'notices'>;

export const rollbackBatches = ({ records }: Pick<Ports, 'records'>, { campaignId, number }: Rollback) =>
  listAll(records, batches, `campaign#${campaignId}`, `batch#r${number}-`);

/** Does nothing while servers are still at it; closing again writes the same. */
export async function closeRollback(ports: ClosePorts, rollback: Rollback, now: Instant): Promise<void> {
  if (rollback.endedAt !== null) return;
  await giveUpForgotten(ports, rollback, now);
  const all = await rollbackBatches(ports, rollback);
  if (all.some((batch) => !isDone(batch, rollback, now))) return;
  const counts = rollback.dryRun ? countAnswers(all) : await countJobs(ports, rollback);
  const ended: Rollback = { ...rollback, endedAt: now, counts };
  if (!rollback.dryRun) {
    await reportAgain(ports, ended);
    await ports.notices.send(closingNotice(ended));
  }
  // Last of all: until then the sweeper closes it again.
  await update(ports.records, rollbacks, rollbackKey(rollback.campaignId), (current) =>
    current.number === rollback.number && current.endedAt === null
      ? { ...current, endedAt: now, counts }
      : undefined,
  );
}

const isForgotten = ({ runs: { rollback: run } }: Batch, { at }: Rollback, now: Instant): boolean =>
  run === undefined
    ? now >= plusSeconds(at, recheckSeconds)
    : run.state === 'dispatching' && now >= plusSeconds(run.leaseUntil, recheckSeconds);

function isDone(batch: Batch, rollback: Rollback, now: Instant): boolean {
  return isComplete(batch.runs.rollback) || (!batch.runs.rollback && isForgotten(batch, rollback, now));
}

/** Whoever asked for it died over it: nothing of that begins hours later, when nobody thinks of it any more. */
async function giveUpForgotten(ports: ClosePorts, rollback: Rollback, now: Instant): Promise<void> {
  const { campaignId } = rollback;
  for (const batch of await rollbackBatches(ports, rollback)) {
    if (!isForgotten(batch, rollback, now)) continue;
    const error = 'it was never dispatched to its end';
    await giveUpBatch(ports, { campaignId, batchId: batch.id, phase: 'rollback', error }, now);
  }
}

function countAnswers(all: readonly Batch[]): Rollback['counts'] {
  return countOf(
    all.flatMap(({ byHand }) => byHand?.answers ?? []).map(({ result }) => result ?? 'no-answer'),
  );
}

async function countJobs(
  { records }: Pick<Ports, 'records'>,
  { campaignId, serverIds }: Rollback,
): Promise<Rollback['counts']> {
  const found = await records.getMany(serverIds.map((id) => jobKey(campaignId, id)));
  return countOf(found.flatMap((record) => (record ? [parseRecord(jobs, record).state] : [])));
}

function countOf(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}

/** The parts in which one of its servers is, and the head with the counts of all parts and who asked. */
async function reportAgain(
  { records, objects }: Pick<Ports, 'records' | 'objects'>,
  rollback: Rollback,
): Promise<void> {
  const { campaignId } = rollback;
  const ids = new Set(rollback.serverIds);
  const prepared = await listAll(records, batches, `campaign#${campaignId}`, 'batch#p-');
  const counts: Report['counts'] = {};
  await inParallel(prepared, 4, async ({ id, serverIds }) => {
    const key = `campaigns/${campaignId}/report/${id}.json`;
    const members = serverIds.some((serverId) => ids.has(serverId))
      ? await loadJobs(records, campaignId, serverIds)
      : undefined;
    const rows = members
      ? await inParallel(members, 16, (job) => reportJob(objects, job))
      : reportPartSchema.parse(await readJson(objects, key)).jobs;
    if (members) await objects.put(key, JSON.stringify({ schema: 1, jobs: rows }));
    for (const { state } of rows) counts[state] = (counts[state] ?? 0) + 1;
  });
  const head = reportSchema.parse(await readJson(objects, reportKey(campaignId)));
  const others = head.rollbacks?.filter(({ number }) => number !== rollback.number) ?? [];
  const report: Report = { ...head, counts, rollbacks: [...others, askedOf(rollback)] };
  await objects.put(reportKey(campaignId), JSON.stringify(report));
}

async function readJson(objects: Ports['objects'], key: string): Promise<unknown> {
  const content = await objects.get(key);
  if (content === undefined) throw new Error(`${key} is not in the bucket: the campaign was never reported`);
  return JSON.parse(Buffer.from(content).toString('utf8'));
}

function closingNotice({ campaignId, number, by, reason, servers, counts }: Rollback) {
  const back = counts['rolled-back'] ?? 0;
  const table = Object.entries(counts).map(([state, count]) => `  ${String(count).padStart(6)}  ${state}`);
  return {
    id: `${campaignId}-rollback-${number}`,
    kind: back === servers ? ('campaign-closed' as const) : ('campaign-stopped' as const),
    campaignId,
    subject: `Rolled back by hand: ${back} of ${servers} servers`,
    text:
      `Rollback ${number} of campaign ${campaignId}, asked for by ${by}: ${reason}\n\n${table.join('\n')}\n\n` +
      `Report: ${reportKey(campaignId)}\n`,
  };
}
