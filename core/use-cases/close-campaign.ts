/** Ends a campaign: no job is left without an end, and the report says what became of every server. */
import * as z from 'zod';
import { type Batch, isComplete } from '../batch.ts';
import { type Campaign, isCampaignEnded } from '../campaign.ts';
import { batches, campaignKey, campaigns, jobKey, jobs, listAll, update } from '../entities.ts';
import type { Instant } from '../instant.ts';
import { type Job, type JobState, moveJob } from '../job.ts';
import { type Reason, reasonSchema } from '../outcome.ts';
import { inParallel } from '../parallel.ts';
import type { Ports } from '../ports.ts';
import { type Report, reportKey, reportPartSchema } from '../report.ts';
import { layOut, readServers } from './lay-out.ts';
import { loadJobs } from './load-jobs.ts';
import { reportJob } from './report-job.ts';
import { writeBudget } from './write-budget.ts';

export const closeCampaignInput = z.object({
  campaignId: z.string(),
  ending: z.enum(['completed', 'stopped', 'denied', 'missed', 'nothing-to-do', 'scanned', 'broken']),
  reason: reasonSchema.nullable(),
});

export interface CloseCampaignOutput {
  readonly ending: Campaign['state'];
  readonly reason: Reason | null;
  readonly counts: Report['counts'];
  readonly report: string;
}

/** Closing again writes the same report; the first ending stands. */
export async function closeCampaign(
  ports: Pick<Ports, 'records' | 'objects' | 'notices' | 'measures'>,
  input: z.input<typeof closeCampaignInput>,
  now: Instant,
): Promise<CloseCampaignOutput> {
  const { campaignId, ending, reason } = closeCampaignInput.parse(input);
  // First of all: from here on nothing is dispatched any more.
  const campaign = await update(ports.records, campaigns, campaignKey(campaignId), (current) =>
    isCampaignEnded(current.state) ? undefined : { ...current, state: ending, reason },
  );
  const prepared = await everyBatch(ports, campaign, now);
  const laidOut = await listAll(ports.records, batches, `campaign#${campaignId}`, 'batch#w');
  const waves = new Map(laidOut.flatMap(({ serverIds, wave }) => serverIds.map((id) => [id, wave] as const)));
  const counts: Report['counts'] = {};
  const parts = await inParallel(prepared, 4, async (batch) => {
    const key = `campaigns/${campaignId}/report/${batch.id}.json`;
    const rows =
      (await writtenPart(ports, key)) ?? (await writePart(ports, campaign, batch, waves, key, now));
    for (const { state } of rows) counts[state] = (counts[state] ?? 0) + 1;
    return key;
  });
  await chargeLosses(ports, campaign, laidOut, now);
  const endedAt = campaign.endedAt ?? now;
  const report = reportOf({ ...campaign, endedAt }, counts, parts, endedAt);
  await ports.objects.put(reportKey(campaignId), JSON.stringify(report));
  await ports.notices.send(closingNotice(campaign, counts));
  // Last of all: until then the sweeper closes it again.
  await update(ports.records, campaigns, campaignKey(campaignId), (current) =>
    current.endedAt === null ? { ...current, endedAt } : undefined,
  );
  return { ending: campaign.state, reason: campaign.reason, counts, report: reportKey(campaignId) };
}

/** A campaign that never opened, or died while it did, has not laid out all its servers: they end here as well. */
async function everyBatch(
  ports: Pick<Ports, 'records' | 'objects'>,
  campaign: Campaign,
  now: Instant,
): Promise<Batch[]> {
  const prepared = await listAll(ports.records, batches, `campaign#${campaign.id}`, 'batch#p-');
  const found = prepared.reduce((sum, { serverIds }) => sum + serverIds.length, 0);
  if (found === campaign.serverCount) return prepared;
  const servers = await readServers(ports.objects, campaign);
  return layOut(
    ports,
    campaign.id,
    servers,
    () => ({ state: 'not-started', reason: whyEnded(campaign) }),
    now,
  );
}

function whyEnded({ reason, state }: Campaign): Reason {
  return reason ?? { code: 'campaign-ended', detail: `the campaign ended: ${state}` };
}

/** What has not begun does not begin any more; what has and gave no answer is lost, never a success. */
function endJob(
  ports: Pick<Ports, 'records'>,
  campaign: Campaign,
  job: Job,
  wave: number | null,
  now: Instant,
): Promise<Job> {
  const to = endFor[job.state];
  if (!to) return Promise.resolve(job);
  const reason = unfinished[to] ?? whyEnded(campaign);
  return update(ports.records, jobs, jobKey(campaign.id, job.server.id), (current) => {
    const end = endFor[current.state];
    const moved = end && moveJob(current, end, now, [reason]);
    return moved && { ...moved, wave };
  });
}

/** An attempt before this one may have come so far: its jobs had all ended, so what it wrote still holds. */
async function writtenPart(
  ports: Pick<Ports, 'objects'>,
  key: string,
): Promise<readonly Pick<Job, 'state'>[] | undefined> {
  const content = await ports.objects.get(key);
  return content && reportPartSchema.parse(JSON.parse(Buffer.from(content).toString('utf8'))).jobs;
}

async function writePart(
  ports: Pick<Ports, 'records' | 'objects' | 'measures'>,
  campaign: Campaign,
  batch: Batch,
  waves: ReadonlyMap<string, number | null>,
  key: string,
  now: Instant,
): Promise<readonly Pick<Job, 'state'>[]> {
  const members = await loadJobs(ports.records, campaign.id, batch.serverIds);
  const ended = await inParallel(members, 16, (job) =>
    endJob(ports, campaign, job, waves.get(job.server.id) ?? null, now),
  );
  const rows = await inParallel(ended, 16, (job) => reportJob(ports.objects, job));
  await ports.objects.put(key, JSON.stringify({ schema: 1, jobs: rows }));
  const left = members.filter(
    ({ state }, index) => state === 'rolling-back' && state !== ended[index]?.state,
  );
  if (left.length > 0) ports.measures.count('rollbacks-failed', left.length);
  return ended;
}

/** A batch that never completed has not charged its failures, and jobs that were lost just now are failures too. */
async function chargeLosses(
  ports: Pick<Ports, 'records'>,
  campaign: Campaign,
  laidOut: readonly Batch[],
  now: Instant,
): Promise<void> {
  const open = laidOut.filter(
    ({ runs }) => runs.patch && !(isComplete(runs.patch) && isComplete(runs.verify)),
  );
  await inParallel(open, 4, async (batch) => {
    const members = await loadJobs(ports.records, campaign.id, batch.serverIds);
    await writeBudget(ports, campaign, batch, members, now);
  });
}

const endFor: Partial<Record<JobState, JobState>> = {
  planned: 'not-started',
  preparing: 'not-started',
  ready: 'not-started',
  patching: 'lost',
  verifying: 'lost',
  'rolling-back': 'rollback-failed',
};

const unfinished: Partial<Record<JobState, Reason>> = {
  lost: { code: 'no-result', detail: 'the campaign closed before the server gave a result' },
  'rollback-failed': {
    code: 'rollback-unfinished',
    detail: 'the campaign closed before the server had gone back',
  },
};

function reportOf(campaign: Campaign, counts: Report['counts'], parts: string[], closedAt: Instant): Report {
  const { serversKey: _serversKey, approval, ...rest } = campaign;
  return {
    schema: 1,
    campaign: rest,
    approval: approval?.decision ? { root: approval.root, ...approval.decision } : null,
    state: campaign.state,
    reason: campaign.reason,
    closedAt,
    counts,
    parts,
  };
}

function closingNotice(campaign: Campaign, counts: Report['counts']) {
  const table = Object.entries(counts).map(([state, number]) => `  ${String(number).padStart(6)}  ${state}`);
  const isBad = !['completed', 'nothing-to-do', 'scanned'].includes(campaign.state);
  return {
    id: `${campaign.id}-closed`,
    kind: isBad ? ('campaign-stopped' as const) : ('campaign-closed' as const),
    campaignId: campaign.id,
    subject:
      campaign.state === 'scanned'
        ? `Scanned ${campaign.serverCount} servers: ${counts['not-started'] ?? 0} have updates to install`
        : `Patching ${campaign.state}: ${counts.succeeded ?? 0} of ${campaign.serverCount} servers succeeded`,
    text:
      `Campaign ${campaign.id} (policy ${campaign.policy.name}, ${campaign.quarter}) ended: ${campaign.state}.\n` +
      `${campaign.reason ? `Reason: ${campaign.reason.detail}\n` : ''}\n${table.join('\n')}\n\nReport: ${reportKey(campaign.id)}\n`,
  };
}
