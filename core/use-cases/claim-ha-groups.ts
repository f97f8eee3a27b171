/** Claims a server's HA groups before its patch is sent; whatever can not be made sure of counts against it. */
import type { Campaign } from '../campaign.ts';
import {
  acknowledgementKey,
  acknowledgements,
  type Entity,
  jobKey,
  jobs,
  parseRecord,
  recordOf,
} from '../entities.ts';
import {
  addClaim,
  addRestart,
  addRollback,
  type HaClaim,
  type HaGroup,
  type HaRestart,
  haGroupSchema,
  type Standing,
} from '../ha-claim.ts';
import { type Instant, plusSeconds } from '../instant.ts';
import type { Job } from '../job.ts';
import type { Reason } from '../outcome.ts';
import type { Ports, RecordKey, Records } from '../ports.ts';
import { rebootKey, reboots } from '../reboot.ts';
import type { Server } from '../server.ts';

const groupKey = (group: string): RecordKey => ({
  partition: `ha#${group.toLowerCase()}`,
  sort: 'claims',
});
const groups: Entity<HaGroup> = { schema: haGroupSchema, key: ({ group }) => groupKey(group) };

/**
 * Nothing has to be given back: a claim holds for as long as its job has no end, and what it ends as decides for the
 * others. Two who claim at once write on condition, so one of them finds the other.
 *
 * @returns why the server must not be patched, or undefined when its groups are claimed
 */
export function claimHaGroups(
  { records }: Pick<Ports, 'records'>,
  campaign: Campaign,
  job: Job,
  now: Instant,
): Promise<Reason | undefined> {
  return claimFor(records, campaign, job, addClaim, now);
}

/** The same before a way back that a person asks for, after the end of its campaign. */
export function claimRollback(
  { records }: Pick<Ports, 'records'>,
  campaign: Campaign,
  job: Job,
  now: Instant,
): Promise<Reason | undefined> {
  return claimFor(records, campaign, job, addRollback, now);
}

async function claimFor(
  records: Records,
  { id, policy, quarter }: Campaign,
  { server }: Job,
  decide: typeof addRollback,
  now: Instant,
): Promise<Reason | undefined> {
  const claim: HaClaim = {
    serverId: server.id,
    name: server.name,
    campaignId: id,
    policy: policy.name,
    quarter,
    at: now,
  };
  // In one order, so that two members of the same two groups do not take one each.
  for (const group of [...new Set(server.haGroups ?? [])].toSorted()) {
    const reason = await changeGroup(records, group, claim, now, decide, (_, claims) => ({ claims }));
    if (reason) return reason;
  }
  return undefined;
}

/**
 * The same before a restart: it is written into the groups as well, so that neither a patch nor another restart of a
 * member begins beside it. Calling it again changes nothing.
 */
export async function claimRestart(
  { records }: Pick<Ports, 'records'>,
  { id, name, haGroups = [] }: Server,
  now: Instant,
): Promise<Reason | undefined> {
  const campaignId = 'a-reboot';
  const claim: HaClaim = { serverId: id, name, campaignId, policy: '', quarter: '', at: now };
  for (const group of [...new Set(haGroups)].toSorted()) {
    const reason = await changeGroup(records, group, claim, now, addRestart, ({ claims }) => ({
      claims,
      restarts: [{ serverId: id, name, at: now }],
    }));
    if (reason) return reason;
  }
  return undefined;
}

/** @param next what the group is when nobody is in the way: `claims` has the new one among them */
async function changeGroup(
  records: Records,
  group: string,
  claim: HaClaim,
  now: Instant,
  decide: typeof addRollback,
  next: (current: Pick<HaGroup, 'claims'>, claims: HaClaim[]) => Pick<HaGroup, 'claims' | 'restarts'>,
): Promise<Reason | undefined> {
  const key = groupKey(group);
  for (let attempt = 0; attempt < 20; attempt++) {
    const record = await records.get(key);
    const parsed = record && groups.schema.safeParse(record.body);
    if (parsed && !parsed.success) {
      const detail = `what is stored of HA group ${group} can not be read, so nobody knows how its members are`;
      return { code: 'ha-group-unreadable', detail };
    }
    const { claims: before = [], restarts = [] } = parsed?.data ?? {};
    const standings = await Promise.all(before.map((each) => standingOf(records, each)));
    const lost = standings.find((standing) => 'missing' in standing);
    if (lost)
      return { code: 'ha-peer-unknown', detail: `${lost.missing} of HA group ${group}: its job is gone` };
    const decided = decide(group, standings as Standing[], claim);
    if ('reason' in decided) return decided.reason;
    const restarting = await restartInTheWay(records, group, restarts, claim, now);
    if (restarting) return restarting;
    const changed = { schema: 1 as const, group, ...next({ claims: before }, [...decided.claims]) };
    const stored = recordOf<HaGroup>(groups, changed);
    if (await (record ? records.replace(stored, record.revision) : records.create(stored))) return undefined;
  }
  throw new Error(`the claims of HA group ${group} change too often to be written`);
}

/** Between the claim and the command lies less than this; who died in between comes again. */
const aboutToBeSent = 600;
/** A member that did not come back is down for all anybody knows; after that somebody has seen to it. */
const mayBeDown = 86_400;

async function restartInTheWay(
  records: Records,
  group: string,
  restarts: readonly HaRestart[],
  { serverId }: HaClaim,
  now: Instant,
): Promise<Reason | undefined> {
  const others = restarts.filter((restart) => restart.serverId !== serverId);
  const found = await records.getMany(others.map((restart) => rebootKey(restart.serverId)));
  for (const [index, { name, at }] of others.entries()) {
    const record = found[index];
    const reboot = record && parseRecord(reboots, record);
    const isSent = reboot?.state === 'sent' || reboot?.state === 'rebooting';
    if (isSent || (reboot?.state === 'pending' && now < plusSeconds(at, aboutToBeSent))) {
      const detail = `${name} of HA group ${group} is being restarted since ${at}`;
      return { code: 'ha-peer-under-way', detail };
    }
    if (reboot?.state === 'timeout' && now < plusSeconds(reboot.endedAt ?? at, mayBeDown)) {
      const detail = `${name} of HA group ${group} was restarted at ${at} and was not heard of again`;
      return { code: 'ha-peer-not-healthy', detail };
    }
  }
  return undefined;
}

async function standingOf(records: Records, claim: HaClaim): Promise<Standing | { missing: string }> {
  const { campaignId, serverId, policy, quarter } = claim;
  const [job, acknowledged] = await records.getMany([
    jobKey(campaignId, serverId),
    acknowledgementKey(policy, quarter),
  ]);
  if (job === undefined) return { missing: claim.name };
  const { at } = acknowledged ? parseRecord(acknowledgements(policy, quarter), acknowledged) : {};
  return { claim, job: parseRecord(jobs, job), acknowledgedAt: at };
}
