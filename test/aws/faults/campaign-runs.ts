/** Owns one campaign after the other on the same resources: each over all servers, in a window and quarter of its own. */
import * as z from 'zod';
import { type Campaign, isCampaignEnded } from '../../../core/campaign.ts';
import { campaignKey, campaigns, jobKey, jobs, parseRecord } from '../../../core/entities.ts';
import { instantOf } from '../../../core/instant.ts';
import type { Job } from '../../../core/job.ts';
import type { Server } from '../../../core/server.ts';
import type { AwsWorld } from '../campaign-world.ts';

export interface CampaignRun {
  readonly id: string;
  /** What a person does when the approval is asked for; nobody answers when it is absent. */
  readonly whenAsked?: 'approve' | 'deny' | 'stop';
  /** All that have opted in, when none are given. */
  readonly servers?: readonly Server[];
}

export interface CampaignOutcome {
  /** Of the execution; undefined when it never began. */
  readonly status: string | undefined;
  readonly campaign: Campaign | undefined;
  readonly jobs: readonly Job[];
  /** Times that a server's transaction began in this campaign, by its id. */
  readonly patched: ReadonlyMap<string, number>;
}

const minute = 60_000;

/** Of the schedule: a campaign that has not ended by then never does. Its window is over after four hours. */
const mostSweeps = 12 * 24 * 4;

/** Each campaign has a quarter of its own: the failures of one must not hold the next. */
let runs = 0;

/**
 * Makes a campaign and lets people, events and the schedule go on until both it and its execution have ended, or never
 * will. People try again what failed, as often as six times.
 */
export async function runCampaign(
  world: AwsWorld,
  { id, whenAsked, servers }: CampaignRun,
): Promise<CampaignOutcome> {
  const { clock, fleet, engine, records, invoke } = world;
  const at = (minutes: number) => instantOf(clock.now() + minutes * minute);
  const before = new Map(fleet.patched);
  const quarter = `${2030 + ++runs}-Q1`;
  const window = { start: at(40), end: at(240), zone: 'Europe/Berlin' };
  const requestedBy = 'requester@example.com';
  await persistently(() =>
    invoke('create-campaign', {
      ...{ campaignId: id, policy: 'production', quarter, window, requestedBy },
      ...(servers && { servers }),
    }),
  );
  const read = async () => {
    const record = await clock.busy(() => records.get(campaignKey(id)));
    return record && parseRecord(campaigns, record);
  };
  let isAnswered = false;
  for (let sweeps = 0; sweeps < mostSweeps; sweeps++) {
    const campaign = await read();
    const status = engine.execution(id)?.status;
    if (campaign && isCampaignEnded(campaign.state) && status !== 'RUNNING') break;
    if (campaign?.state === 'awaiting-approval' && whenAsked && !isAnswered) {
      isAnswered = true;
      await persistently(() => answer(world, campaign, whenAsked));
    }
    await new Promise<void>((resolve) => clock.at(clock.now() + 5 * minute, resolve));
    // Its alarm counts; the next one is due anyway.
    await invoke('sweep', {}).catch(() => undefined);
  }
  const campaign = await read();
  return {
    status: engine.execution(id)?.status,
    campaign,
    jobs: campaign ? await clock.busy(() => jobsOf(world, campaign)) : [],
    patched: new Map(
      [...fleet.patched].map(([server, count]) => [server, count - (before.get(server) ?? 0)]),
    ),
  };
}

const serverListSchema = z.array(z.looseObject({ id: z.string() }));

/** Those that were laid out; a campaign that broke before has none. */
async function jobsOf({ records, objects }: AwsWorld, { id, serversKey }: Campaign): Promise<Job[]> {
  const list = Buffer.from((await objects.get(serversKey)) ?? '[]').toString('utf8');
  const keys = serverListSchema.parse(JSON.parse(list)).map((server) => jobKey(id, server.id));
  const found = await records.getMany(keys);
  return found.flatMap((record) => (record ? [parseRecord(jobs, record)] : []));
}

function answer(
  { invoke }: AwsWorld,
  { id: campaignId, seal }: Campaign,
  how: 'approve' | 'deny' | 'stop',
): Promise<unknown> {
  const decision = { campaignId, by: 'approver@example.com', reason: 'looked at' };
  if (how === 'stop') return invoke('stop-campaign', decision);
  return invoke('decide-approval', { ...decision, root: seal?.root, approved: how === 'approve' });
}

async function persistently(act: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await act();
      return;
    } catch (error) {
      if (attempt === 6) throw error;
    }
  }
}
