/** Owns what must be true of a campaign at its end, whatever failed on its way: what it says, and what was done. */
import { isCampaignEnded } from '../../../core/campaign.ts';
import { dueShards } from '../../../core/entities.ts';
import { instantOf } from '../../../core/instant.ts';
import { isEnded, type JobState } from '../../../core/job.ts';
import { readReport } from '../../support/campaign-world.ts';
import type { AwsWorld } from '../campaign-world.ts';
import type { CampaignOutcome } from './campaign-runs.ts';

/** Of servers that say that nothing was done to them. */
const untouched: ReadonlySet<JobState> = new Set(['not-started', 'nothing-to-do', 'unsupported', 'held']);

/** @returns everything that is not true, a line each */
export async function untruths(world: AwsWorld, outcome: CampaignOutcome): Promise<string[]> {
  const { status, campaign, jobs, patched } = outcome;
  const found: string[] = [];
  if (campaign === undefined) {
    // Whoever asked for it was told that it was not made.
    for (const [server, count] of patched) if (count > 0) found.push(`${server} was patched by no campaign`);
    return found;
  }
  if (!isCampaignEnded(campaign.state)) found.push(`the campaign is still ${campaign.state}`);
  if (status === 'RUNNING') found.push('its execution still runs');
  for (const { server, state } of jobs) {
    const times = patched.get(server.id) ?? 0;
    if (!isEnded(state)) found.push(`${server.name} has no end: ${state}`);
    if (times > 1) found.push(`${server.name} was patched ${times} times`);
    if (times === 0 && state === 'succeeded') found.push(`${server.name} succeeded, and was never patched`);
    if (times > 0 && untouched.has(state)) found.push(`${server.name} is ${state}, and was patched`);
  }
  const isAll = jobs.every(({ state }) => state === 'succeeded');
  if (campaign.state === 'completed' && status === 'SUCCEEDED' && jobs.length === 0)
    found.push('it completed without servers');
  if (isAll && campaign.state !== 'completed') found.push(`all succeeded, and it is ${campaign.state}`);
  found.push(...(await reported(world, outcome)));
  const now = instantOf(world.clock.now());
  for (const shard of dueShards) {
    const due = await world.clock.busy(() => world.records.listDue(shard, now, 10));
    for (const { key } of due) found.push(`${key.partition} ${key.sort} is still looked at again`);
  }
  return found;
}

/** The report is what people see: it says what the jobs say. */
async function reported(world: AwsWorld, { campaign, jobs }: CampaignOutcome): Promise<string[]> {
  try {
    const read = await world.clock.busy(() => readReport(world.objects, campaign?.id));
    const told = new Map(read.jobs.map(({ server, state }) => [server.id, state]));
    return [
      ...(read.report.state === campaign?.state ? [] : [`the report says ${read.report.state}`]),
      ...jobs.flatMap(({ server, state }) =>
        told.get(server.id) === state
          ? []
          : [`the report says that ${server.name} is ${told.get(server.id)}, not ${state}`],
      ),
    ];
  } catch (error) {
    return [`there is no report: ${error}`];
  }
}
