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
import { addClaim, type HaClaim, type HaGroup, haGroupSchema, type Standing } from '../ha-claim.ts';
import type { Instant } from '../instant.ts';
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
export async function claimHaGroups(
  { records }: Pick<Ports, 'records'>,
  { id, policy, quarter }: Campaign,
  { server }: Job,
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
    const reason = await claimGroup(records, group, claim);
    if (reason) return reason;
  }
  return undefined;
}

/**
 * Why a server should not be restarted now: another member of its groups is being patched, or is not well. Looked at and
 * not claimed, since a restart takes minutes; one that a campaign takes up meanwhile finds the reboot itself.
 */
export async function haPeerInTheWay(
  { records }: Pick<Ports, 'records'>,
  server: Server,
  quarter: string,
  now: Instant,
): Promise<Reason | undefined> {
  const campaignId = 'a-reboot';
  const claim = { serverId: server.id, name: server.name, campaignId, policy: '', quarter, at: now };
  for (const group of server.haGroups ?? []) {
    const record = await records.get(groupKey(group));
    if (record === undefined) continue;
    const standings: Standing[] = [];
    for (const each of parseRecord(groups, record).claims) {
      const standing = await standingOf(records, each);
      if ('missing' in standing)
        return {
          code: 'ha-peer-unknown',
          detail: `${standing.missing} of HA group ${group}: its job is gone`,
        };
      standings.push(standing);
    }
    const decided = addClaim(group, standings, claim);
    if ('reason' in decided) return decided.reason;
  }
  return undefined;
}

/** A member that restarts is not well, whoever asked for it. */
async function rebootingPeer(
  records: Records,
  group: string,
  standings: readonly Standing[],
  { serverId }: HaClaim,
): Promise<Reason | undefined> {
  const peers = [...new Set(standings.map(({ claim }) => claim.serverId))].filter((id) => id !== serverId);
  const found = await records.getMany(peers.map(rebootKey));
  for (const record of found) {
    const reboot = record && parseRecord(reboots, record);
    if (!reboot || (reboot.state !== 'sent' && reboot.state !== 'rebooting')) continue;
    const detail = `${reboot.server.name} of HA group ${group} is being restarted since ${reboot.sent?.at}`;
    return { code: 'ha-peer-under-way', detail };
  }
  return undefined;
}

async function claimGroup(records: Records, group: string, claim: HaClaim): Promise<Reason | undefined> {
  const key = groupKey(group);
  for (let attempt = 0; attempt < 20; attempt++) {
    const record = await records.get(key);
    const parsed = record && groups.schema.safeParse(record.body);
    if (parsed && !parsed.success) {
      const detail = `what is stored of HA group ${group} can not be read, so nobody knows how its members are`;
      return { code: 'ha-group-unreadable', detail };
    }
    const before = parsed?.data.claims ?? [];
    const standings = await Promise.all(before.map((each) => standingOf(records, each)));
    const lost = standings.find((standing) => 'missing' in standing);
    if (lost)
      return { code: 'ha-peer-unknown', detail: `${lost.missing} of HA group ${group}: its job is gone` };
    const decided = addClaim(group, standings as Standing[], claim);
    if ('reason' in decided) return decided.reason;
    const rebooting = await rebootingPeer(records, group, standings as Standing[], claim);
    if (rebooting) return rebooting;
    const next = recordOf<HaGroup>(groups, { schema: 1, group, claims: [...decided.claims] });
    if (await (record ? records.replace(next, record.revision) : records.create(next))) return undefined;
  }
  throw new Error(`the claims of HA group ${group} change too often to be written`);
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
