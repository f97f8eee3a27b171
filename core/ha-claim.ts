/** Owns who of an HA group may be patched: one member at a time, and only while every other is known to be well. */
import * as z from 'zod';
import { campaignIdSchema } from './campaign.ts';
import { type Instant, instantSchema } from './instant.ts';
import { isEnded, type Job, type JobState } from './job.ts';
import type { Reason } from './outcome.ts';
import { serverIdSchema } from './server.ts';

/** A member's passage through a campaign: how it stands is what its job says. */
const claimSchema = z.object({
  serverId: serverIdSchema,
  name: z.string(),
  campaignId: campaignIdSchema,
  policy: z.string(),
  quarter: z.string(),
  at: instantSchema,
});
export type HaClaim = z.infer<typeof claimSchema>;

/** A member that was about to be restarted: how far that is, its reboot says. */
const restartSchema = z.object({ serverId: serverIdSchema, name: z.string(), at: instantSchema });
export type HaRestart = z.infer<typeof restartSchema>;

export const haGroupSchema = z.object({
  schema: z.literal(1),
  group: z.string().min(1),
  /** Newest first. */
  claims: z.array(claimSchema),
  /** What has ended is forgotten with the next write. */
  restarts: z.array(restartSchema).exactOptional(),
});
export type HaGroup = z.infer<typeof haGroupSchema>;

/** How a claim stands, by its job. */
export interface Standing {
  readonly claim: HaClaim;
  readonly job: Job;
  /** When a person said that the failures of the claim's policy and quarter were looked at. */
  readonly acknowledgedAt: Instant | undefined;
}

const well: ReadonlySet<JobState> = new Set(['succeeded', 'nothing-to-do']);

/**
 * The claims once `claim` is added, or why it must not be. Another member holds it up while it is under way, whatever
 * the campaign, and when it was touched in this quarter and did not end verified and healthy. A member that ended
 * badly does not hold itself up: patching it again is how it gets well.
 *
 * @param standings of all claims that are there, newest first
 * @param isOf whether failures of a quarter count
 */
export function addClaim(
  group: string,
  standings: readonly Standing[],
  claim: HaClaim,
  isOf = (quarter: string) => quarter === claim.quarter,
): { readonly claims: readonly HaClaim[] } | { readonly reason: Reason } {
  const isOwn = (other: HaClaim) => other.serverId === claim.serverId;
  const underWay = memberUnderWay(group, standings, claim);
  if (underWay) return { reason: underWay };
  const unwell = lastTouched(standings).filter(
    (standing) => isOf(standing.claim.quarter) && isUnwell(standing),
  );
  const peer = unwell.find((standing) => !isOwn(standing.claim));
  if (peer) {
    const { name, campaignId, policy, quarter } = peer.claim;
    const detail =
      `${name} of HA group ${group} ended as ${peer.job.state} in campaign ${campaignId} and is not verified healthy: ` +
      `patch it again, or mend it and acknowledge the failures of ${policy} in ${quarter}`;
    return { reason: { code: 'ha-peer-not-healthy', detail: detail.slice(0, 400) } };
  }
  // What became of this member before counts for the others until it is well again.
  const kept = unwell
    .map((standing) => standing.claim)
    .filter((other) => other.campaignId !== claim.campaignId);
  return { claims: [claim, ...kept] };
}

/** The same for a restart: it is of no campaign, so that failures of all quarters count until somebody has looked at them. */
export function addRestart(
  group: string,
  standings: readonly Standing[],
  claim: HaClaim,
): ReturnType<typeof addClaim> {
  return addClaim(group, standings, claim, () => true);
}

/**
 * The same for a way back that a person asks for: it waits for members that are under way, and for no others, since it
 * may be what makes the group well.
 */
export function addRollback(
  group: string,
  standings: readonly Standing[],
  claim: HaClaim,
): ReturnType<typeof addClaim> {
  const reason = memberUnderWay(group, standings, claim);
  if (reason) return { reason };
  const others = standings
    .map((standing) => standing.claim)
    .filter((other) => other.serverId !== claim.serverId || other.campaignId !== claim.campaignId);
  return { claims: [claim, ...others] };
}

function memberUnderWay(
  group: string,
  standings: readonly Standing[],
  { serverId, campaignId }: HaClaim,
): Reason | undefined {
  for (const { claim: other, job } of standings) {
    if (isEnded(job.state) || (other.serverId === serverId && other.campaignId === campaignId)) continue;
    const detail = `${other.name} of HA group ${group} is under way in campaign ${other.campaignId}: ${job.state}`;
    return { code: 'ha-peer-under-way', detail: detail.slice(0, 400) };
  }
  return undefined;
}

/** Of each member the latest claim whose patch was sent: the others changed nothing. */
function lastTouched(standings: readonly Standing[]): Standing[] {
  const seen = new Set<string>();
  return standings.filter(({ claim: { serverId }, job }) => {
    if (job.dispatched === null || seen.has(serverId)) return false;
    seen.add(serverId);
    return true;
  });
}

function isUnwell({ claim, job, acknowledgedAt }: Standing): boolean {
  if (!isEnded(job.state) || well.has(job.state)) return false;
  const endedAt = job.history.at(-1)?.at ?? claim.at;
  return acknowledgedAt === undefined || endedAt > acknowledgedAt;
}
