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
