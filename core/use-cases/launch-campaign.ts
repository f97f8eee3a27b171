/** Starts a planned campaign when its time has come: once, however often it is told to, and never into its window. */
import type { LeftOut } from '../calendar/campaign-server.ts';
import type { PlannedWindow } from '../calendar/quarter-plan.ts';
import { campaignKey, campaigns, parseRecord, update } from '../entities.ts';
import { type Firing, firingInputSchema, lateAfter, latestLaunch } from '../firing.ts';
import { type Instant, plusSeconds } from '../instant.ts';
import type { Reason } from '../outcome.ts';
import type { Policy } from '../policy.ts';
import type { Ports } from '../ports.ts';
import type { Settings } from '../settings.ts';
import { CampaignRefused, createCampaign } from './create-campaign.ts';
import { firingKey, firings, loadWindows, putWindows, windowsObject } from './firings.ts';
import { refusalNotice, startNotice } from './launch-notices.ts';
import { readServers } from './lay-out.ts';
import { pausedBy } from './pause-all.ts';
import { plannedServers } from './planned-servers.ts';

export type LaunchPorts = Pick<Ports, 'records' | 'objects' | 'executions' | 'notices'>;

export type Launch =
  | {
      readonly campaignId: string;
      readonly started: true;
      /** By an earlier call. */
      readonly already: boolean;
      readonly late: boolean;
      /** Planned and not in the campaign, each with what to mend. */
      readonly leftOut: readonly LeftOut[];
    }
  | { readonly campaignId: string; readonly started: false; readonly reason: Reason };

/** What a person sets within the lead time moves the moment, and the old schedule fires all the same. */
const earlySeconds = 300;

/**
 * The campaign's name is the schedule's, so doubled firings start one. Its servers are those of the plan, as the
 * inventory knows them now.
 *
 * @param event what the schedule tells
 */
export async function launchCampaign(
  ports: LaunchPorts,
  settings: Settings,
  event: unknown,
  now: Instant,
): Promise<Launch> {
  const { campaignId, quarter } = firingInputSchema.parse(event);
  const key = firingKey(quarter, campaignId);
  const record = await ports.records.get(key);
  const not = (code: string, detail: string): Launch => ({
    campaignId,
    started: false,
    reason: { code, detail: detail.slice(0, 400) },
  });
  if (record === undefined) return not('not-planned', `the plan of ${quarter} has no campaign ${campaignId}`);
  const firing = parseRecord(firings, record);
  switch (firing.state) {
    case 'launched':
      return { campaignId, started: true, already: true, late: false, leftOut: [] };
    case 'withdrawn':
    case 'missed':
      return {
        campaignId,
        started: false,
        reason: firing.reason ?? { code: firing.state, detail: firing.state },
      };
    case 'expected':
    case 'refused':
      break;
  }
  const made = await adopt(ports, firing);
  if (made) return made;
  if (now < plusSeconds(firing.fireAt, -earlySeconds)) {
    return not('not-due', `it is ${now}, and the plan starts it at ${firing.fireAt}`);
  }
  if (now >= latestLaunch(firing)) return miss(ports, firing, now);
  const paused = await pausedBy(ports);
  if (paused) return postpone(ports, firing, paused);
  return start(ports, settings, firing, now);
}

async function start(ports: LaunchPorts, settings: Settings, firing: Firing, now: Instant): Promise<Launch> {
  const { campaignId, quarter, window } = firing;
  const late = now > lateAfter(firing);
  const { windows, servers, leftOut } = await plannedServers(ports, settings, firing);
  const policy = settings.policies[firing.policy];
  const refuse = (code: string, detail: string) =>
    settle(ports, firing, 'refused', { code, detail: detail.slice(0, 400) });
  if (policy === undefined) return refuse('no-policy', `no policy holds for environment ${firing.policy}`);
  if (servers.length === 0) {
    const why = leftOut[0] ? `, ${leftOut[0].server}: ${leftOut[0].why}` : '';
    return refuse('no-servers', `none of its ${leftOut.length} servers can be patched${why}`);
  }
  const { hybridRoleId } = settings;
  const asked = {
    campaignId,
    policy: policyIn(firing, policy),
    quarter,
    window,
    requestedBy: 'calendar',
    servers,
  };
  try {
    await createCampaign(ports, { ...asked, ...(hybridRoleId !== undefined && { hybridRoleId }) }, now);
  } catch (error) {
    if (!(error instanceof CampaignRefused)) throw error;
    // Another firing of the same schedule may have made it in between, of what the inventory said then.
    return (await adopt(ports, firing)) ?? refuse('campaign-refused', error.message);
  }
  await markLaunched(ports, firing, windows, now);
  if (late || leftOut.length > 0)
    await ports.notices.send(startNotice(firing, servers.length, leftOut, late, now));
  return { campaignId, started: true, already: false, late, leftOut };
}

/** The lane installs security updates alone, and where the policy only looks, it only looks as well. */
function policyIn({ lane }: Firing, policy: Policy): Policy {
  return lane && policy.mode === 'all' ? { ...policy, mode: lane } : policy;
}

/** A campaign that is there was made by somebody who died before saying so, and has the servers that it has. */
async function adopt(ports: LaunchPorts, firing: Firing): Promise<Launch | undefined> {
  const { campaignId } = firing;
  const record = await ports.records.get(campaignKey(campaignId));
  if (record === undefined) return undefined;
  const campaign = parseRecord(campaigns, record);
  await ports.executions.start(campaignId, { campaignId });
  const names = new Set((await readServers(ports.objects, campaign)).map(({ name }) => name));
  const windows = (await loadWindows(ports.objects, firing)).filter(({ server }) => names.has(server));
  await markLaunched(ports, firing, windows, campaign.createdAt);
  const late = campaign.createdAt > lateAfter(firing);
  return { campaignId, started: true, already: true, late, leftOut: [] };
}

/** Its windows are from then on those of the servers that are in it: a plan gives the others another, if it can. */
async function markLaunched(
  { records, objects }: Pick<Ports, 'records' | 'objects'>,
  firing: Firing,
  windows: readonly PlannedWindow[],
  at: Instant,
): Promise<void> {
  const { quarter, campaignId, fireAt } = firing;
  const object = windowsObject(windows);
  await putWindows(objects, object);
  const late = { code: 'launched-late', detail: `started at ${at}, it was due at ${fireAt}` };
  const reason = at > lateAfter(firing) ? late : null;
  await update(records, firings, firingKey(quarter, campaignId), (current) =>
    current.state === 'launched'
      ? undefined
      : {
          ...current,
          state: 'launched' as const,
          launchedAt: at,
          reason,
          windowsKey: object.key,
          servers: windows.length,
        },
  );
}

function miss(ports: LaunchPorts, firing: Firing, now: Instant): Promise<Launch> {
  const { window, fireAt, reason } = firing;
  const why = reason ? `; ${reason.detail}` : '';
  const detail = `it is ${now}, its window began at ${window.start}, and it had not been started at ${fireAt}${why}`;
  return settle(ports, firing, 'missed', { code: 'launch-missed', detail: detail.slice(0, 400) });
}

/** Stays expected: the next planning after the pause starts it, while its window is ahead. */
async function postpone(
  { records }: Pick<Ports, 'records'>,
  { quarter, campaignId }: Firing,
  reason: Reason,
): Promise<Launch> {
  await update(records, firings, firingKey(quarter, campaignId), (current) =>
    current.state === 'expected' ? { ...current, reason } : undefined,
  );
  return { campaignId, started: false, reason };
}

/** People hear of it once, and again when the reason is another. */
async function settle(
  ports: Pick<Ports, 'records' | 'notices'>,
  firing: Firing,
  state: 'missed' | 'refused',
  reason: Reason,
): Promise<Launch> {
  const { quarter, campaignId } = firing;
  const stored = await update(ports.records, firings, firingKey(quarter, campaignId), (current) =>
    current.state === 'launched' ? undefined : { ...current, state, reason },
  );
  if (stored.state === 'launched')
    return { campaignId, started: true, already: true, late: false, leftOut: [] };
  const isNews = firing.reason?.code !== reason.code;
  if (isNews) await ports.notices.send(refusalNotice(firing, state, reason));
  return { campaignId, started: false, reason };
}
