/** Brings servers back to what they were before a campaign that has ended, because a person asks for it. */
import * as z from 'zod';
import { rollbackBatch } from '../batch.ts';
import { Refused } from '../calls.ts';
import { type Campaign, isCampaignEnded } from '../campaign.ts';
import { pinKey } from '../document.ts';
import {
  batches,
  budgetEntries,
  budgetPartition,
  campaignKey,
  campaigns,
  create,
  jobKey,
  jobs,
  listAll,
  parseRecord,
  update,
} from '../entities.ts';
import { fencedBy } from '../fence.ts';
import type { Instant } from '../instant.ts';
import { type Job, reopenForRollback } from '../job.ts';
import { inParallel, storeParallelism } from '../parallel.ts';
import { PortError, type Ports, type Presence } from '../ports.ts';
import { rollbackToSchema } from '../rehearsal.ts';
import {
  askedOf,
  mostBatches,
  mostServers,
  type Rollback,
  rollbackKey,
  rollbackSchema,
  rollbacks,
  whyNotBack,
} from '../rollback.ts';
import { type Place, placeKey } from '../server.ts';
import { planBatches } from '../waves.ts';
import { nobody } from './answer-run.ts';
import { claimRollback } from './claim-ha-groups.ts';
import { closeRollback } from './close-rollback.ts';
import { type DispatchPorts, dispatchBatch } from './dispatch-batch.ts';
import { giveUpBatch } from './give-up-batch.ts';
import { readServers } from './lay-out.ts';
import { loadFences } from './load-fences.ts';
import { loadJobs } from './load-jobs.ts';
import { refuseWhilePaused } from './pause-all.ts';

export const rollBackInput = z.object({
  campaignId: z.string(),
  /** Ids or names; without them all that the campaign patched. */
  servers: z.array(z.string().min(1).max(255)).min(1).max(mostServers).optional(),
  to: rollbackToSchema.default('packages'),
  dryRun: z.boolean().default(false),
  by: rollbackSchema.shape.by,
  reason: rollbackSchema.shape.reason,
});

type RollBackPorts = DispatchPorts & Pick<Ports, 'notices'>;

/** Jobs that are read at once, to find those that may go back. */
const mostLooked = 5000;

export interface RollBackOutput {
  readonly number: number;
  readonly dryRun: boolean;
  readonly servers: number;
  /** Of the whole campaign, those that are not asked, and why. */
  readonly left: readonly { readonly server: string; readonly why: string }[];
}

/**
 * What servers answer comes by the same events as in a campaign; `show-rollback` tells it.
 *
 * @throws Refused before anything was changed
 */
export async function rollBack(
  ports: RollBackPorts,
  input: z.input<typeof rollBackInput>,
  now: Instant,
): Promise<RollBackOutput> {
  const asked = rollBackInput.parse(input);
  await refuseWhilePaused(ports);
  const campaign = await endedCampaign(ports, asked.campaignId);
  const before = await closedBefore(ports, asked.campaignId, now);
  const { going, left } = await choose(ports, campaign, asked, now);
  const plans = planBatches(going.map(({ server }) => server));
  if (going.length > mostServers || plans.length > mostBatches)
    throw new Refused(
      'too-many-servers',
      `${going.length} servers in ${plans.length} batches are more than ${mostServers} in ${mostBatches}: name some, and ask for the others afterwards`,
    );
  const rollback: Rollback = {
    schema: 1,
    campaignId: campaign.id,
    number: (before?.number ?? 0) + 1,
    by: asked.by,
    reason: asked.reason,
    to: asked.to,
    dryRun: asked.dryRun,
    at: now,
    servers: going.length,
    serverIds: going.map(({ server }) => server.id),
    endedAt: null,
    counts: {},
    past: before ? [askedOf(before), ...before.past].slice(0, 20) : [],
  };
  await claim(ports, rollback);
  const laidOut = plans.map((plan, index) =>
    rollbackBatch(campaign.id, rollback.number, { to: asked.to, dryRun: asked.dryRun }, plan, index),
  );
  // Before any job is taken out of its end: whoever closes finds by them what has to have one again.
  await inParallel(laidOut, storeParallelism, (batch) => create(ports.records, batches, batch));
  if (!asked.dryRun) await reopen(ports, rollback, now);
  await inParallel(laidOut, 4, ({ id }) => dispatch(ports, campaign.id, id, now));
  return { number: rollback.number, dryRun: rollback.dryRun, servers: rollback.servers, left };
}

async function endedCampaign({ records }: Pick<Ports, 'records'>, id: string): Promise<Campaign> {
  const record = await records.get(campaignKey(id));
  if (record === undefined) throw new Refused('unknown-campaign', `there is no campaign ${id}`);
  const campaign = parseRecord(campaigns, record);
  if (isCampaignEnded(campaign.state) && campaign.endedAt !== null) return campaign;
  throw new Refused(
    'campaign-not-ended',
    `campaign ${id} is ${campaign.state}: its own way back is at work; stop it and wait for its report`,
  );
}

/** The rollback before this one. @throws Refused while it is open */
async function closedBefore(
  ports: RollBackPorts,
  campaignId: string,
  now: Instant,
): Promise<Rollback | undefined> {
  const read = async () => {
    const record = await ports.records.get(rollbackKey(campaignId));
    return record && parseRecord(rollbacks, record);
  };
  const found = await read();
  if (found === undefined || found.endedAt !== null) return found;
  // All may have answered by now, and the sweeper not have come.
  await closeRollback(ports, found, now);
  const last = await read();
  if (last?.endedAt === null) throw stillOpen(last);
  return last;
}

const stillOpen = ({ campaignId, number, by, at, reason }: Rollback) =>
  new Refused(
    'rollback-open',
    `rollback ${number} of ${campaignId}, asked for by ${by} at ${at} (${reason}), is under way: wait for its end`,
  );

/** One at a time: two that come together find the same place. */
async function claim({ records }: Pick<Ports, 'records'>, wanted: Rollback): Promise<void> {
  if (await create(records, rollbacks, wanted)) return;
  await update(records, rollbacks, rollbackKey(wanted.campaignId), (current) => {
    if (current.endedAt === null || current.number >= wanted.number) throw stillOpen(current);
    return wanted;
  });
}

interface Choice {
  readonly going: readonly Job[];
  readonly left: { readonly server: string; readonly why: string }[];
}

async function choose(
  ports: RollBackPorts,
  campaign: Campaign,
  { servers: named, dryRun }: z.output<typeof rollBackInput>,
  now: Instant,
): Promise<Choice> {
  if (!named && campaign.serverCount > mostLooked)
    throw new Refused(
      'too-many-servers',
      `campaign ${campaign.id} has ${campaign.serverCount} servers, and no more than ${mostLooked} are looked through at once: name those that go back`,
    );
  const members = await readServers(ports.objects, campaign);
  const wanted = named && new Set(named.map((name) => name.toLowerCase()));
  const chosen = wanted
    ? members.filter(({ id, name }) => wanted.has(id) || wanted.has(name.toLowerCase()))
    : members;
  const known = new Set(chosen.flatMap(({ id, name }) => [id, name.toLowerCase()]));
  const unknown = named?.find((name) => !known.has(name.toLowerCase()));
  if (unknown !== undefined)
    throw new Refused('unknown-server', `no server of campaign ${campaign.id} is called ${unknown}`);
  const all = await loadJobs(
    ports.records,
    campaign.id,
    chosen.map(({ id }) => id),
  );
  const why = new Map(await obstacles(ports, campaign, all));
  if (!dryRun) {
    const free = all.filter(({ server }) => !why.has(server.id));
    for (const [id, reason] of await haObstacles(ports, campaign, free, now)) why.set(id, reason);
  }
  const left = all.flatMap(({ server }) => {
    const reason = why.get(server.id);
    return reason === undefined ? [] : [{ server: server.name, why: reason }];
  });
  // Of those that somebody names, none is passed over.
  if (named && left[0])
    throw new Refused(
      'can-not-go-back',
      left
        .map(({ why }) => why)
        .join('; ')
        .slice(0, 2000),
    );
  const going = all.filter(({ server }) => !why.has(server.id));
  if (going.length === 0) {
    const example = left[0] ? `: ${left[0].why}` : '';
    throw new Refused('nothing-to-roll-back', `no server of ${campaign.id} can be brought back${example}`);
  }
  return { going, left };
}

/** Why servers can not go back, by id. */
async function obstacles(
  ports: RollBackPorts,
  campaign: Campaign,
  all: readonly Job[],
): Promise<ReadonlyMap<string, string>> {
  const mayGo = all.filter((job) => whyNotBack(job) === undefined);
  const fences = await loadFences(
    ports.records,
    mayGo.map(({ server }) => server.id),
  );
  const later = await patchedSince(ports, campaign, mayGo);
  const presence = await presenceOf(ports, all);
  const why = (job: Job): string | undefined => {
    const { id, name, place, family } = job.server;
    const since = later.get(id);
    if (since !== undefined)
      return `${name} was patched by campaign ${since} since: its packages are those of that campaign`;
    if (!campaign.documents[pinKey(place, family, 'rollback')])
      return `campaign ${campaign.id} pinned no document to bring ${name} back`;
    // A command that it takes hours later would find nobody who thinks of it.
    if (presence.get(id) === 'offline') return `the agent of ${name} does not answer`;
    return presence.get(id) === 'gone' ? `${name} is gone, or has no opt-in tag any more` : undefined;
  };
  return new Map(
    all.flatMap((job) => {
      const reason = whyNotBack(job) ?? fencedBy(fences.get(job.server.id), campaign)?.detail ?? why(job);
      return reason === undefined ? [] : [[job.server.id, reason] as const];
    }),
  );
}

/** Of an HA group one member goes back at a time: the others are asked for when it has. */
async function haObstacles(
  ports: Pick<Ports, 'records'>,
  campaign: Campaign,
  all: readonly Job[],
  now: Instant,
): Promise<ReadonlyMap<string, string>> {
  const first = new Map<string, string>();
  const why = new Map<string, string>();
  for (const job of all) {
    const { id, name, haGroups = [] } = job.server;
    const groups = haGroups.map((group) => group.toLowerCase());
    const taken = groups.find((group) => first.has(group));
    const reason =
      taken === undefined
        ? (await claimRollback(ports, campaign, job, now))?.detail
        : `${first.get(taken)} of HA group ${taken} goes back first: ask for ${name} when it has`;
    if (reason !== undefined) why.set(id, reason);
    else for (const group of groups) first.set(group, name);
  }
  return why;
}

async function presenceOf(
  { fleet }: Pick<Ports, 'fleet'>,
  all: readonly Job[],
): Promise<ReadonlyMap<string, Presence>> {
  const places = new Map<string, Place>(all.map(({ server: { place } }) => [placeKey(place), place]));
  const found = await inParallel([...places.values()], 4, (place) =>
    fleet.presence(
      place,
      all.filter(({ server }) => placeKey(server.place) === placeKey(place)).map(({ server }) => server.id),
    ),
  );
  return new Map(found.flatMap((each) => [...each]));
}

/** By server, a campaign of the same policy that patched it since: what every campaign charges its budget names it. */
async function patchedSince(
  { records }: Pick<Ports, 'records'>,
  { id, policy, quarter }: Campaign,
  all: readonly Job[],
): Promise<ReadonlyMap<string, string>> {
  const entries = await inParallel(quartersFrom(quarter), 8, (name) =>
    listAll(records, budgetEntries(policy.name, name), budgetPartition(policy.name, name), 'batch#'),
  );
  const others = new Set(entries.flat().map(({ campaignId }) => campaignId));
  others.delete(id);
  const since = new Map<string, string>();
  for (const other of others) {
    const found = await records.getMany(all.map(({ server }) => jobKey(other, server.id)));
    for (const [index, record] of found.entries()) {
      const job = record && parseRecord(jobs, record);
      const ours = all[index]?.dispatched?.at;
      if (job?.dispatched && ours !== undefined && job.dispatched.at > ours) since.set(job.server.id, other);
    }
  }
  return since;
}

/** `2027-Q1` and those of two years; a calendar has up to nine quarters a year, and what it has not is empty. */
function quartersFrom(quarter: string): string[] {
  const [year = 0, number = 0] = quarter.split('-Q').map(Number);
  const most = 9;
  const first = year * most + number - 1;
  return Array.from({ length: 2 * most }, (_, index) => first + index).map(
    (at) => `${Math.floor(at / most)}-Q${(at % most) + 1}`,
  );
}

async function reopen(
  { records }: Pick<Ports, 'records'>,
  { campaignId, by, at, reason, serverIds }: Rollback,
  now: Instant,
): Promise<void> {
  const detail = `${by} asked for it at ${at}: ${reason}`.slice(0, 400);
  await inParallel(serverIds, storeParallelism, (id) =>
    update(records, jobs, jobKey(campaignId, id), (job) =>
      reopenForRollback(job, now, { code: 'rollback-by-hand', detail }),
    ),
  );
}

/** One that is refused or throttled has reached nobody, and ends at once; of one that broke off the sweeper finds out. */
async function dispatch(
  ports: RollBackPorts,
  campaignId: string,
  batchId: string,
  now: Instant,
): Promise<void> {
  const ref = { campaignId, batchId, phase: 'rollback' as const };
  try {
    await dispatchBatch(ports, { ...ref, taskToken: nobody }, now);
  } catch (error) {
    if (!(error instanceof PortError) || error.code === 'ambiguous') throw error;
    await giveUpBatch(ports, { ...ref, error: error.code, cause: error.message }, now);
  }
}
