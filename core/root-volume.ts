/** Owns the replacing of a server's root volume: who asked, who approved, and what is proven of it. */
import * as z from 'zod';
import { type Entity, shardOf } from './entities.ts';
import { type Instant, instantSchema, plusSeconds } from './instant.ts';
import { reasonSchema } from './outcome.ts';
import type { RecordKey } from './ports.ts';
import { placeSchema, serverIdSchema } from './server.ts';

const personSchema = z.object({
  by: z.string().min(1).max(255),
  at: instantSchema,
  reason: z.string().max(400),
});

const volumeId = z.string().max(64);

const rootVolumeSchema = z.object({
  schema: z.literal(1),
  campaignId: z.string(),
  serverId: serverIdSchema,
  /** Of the server, for people. */
  name: z.string(),
  place: placeSchema,
  /** Of the root volume, taken before this campaign patched the server; what an approval binds. */
  snapshotId: z.string(),
  snapshotAt: instantSchema,
  /** The volume it was taken of. */
  volumeId,
  /** Approved: nobody knows yet whether EC2 has begun. */
  state: z.enum(['requested', 'denied', 'approved', 'replacing', 'replaced', 'failed']),
  /** Why it failed. */
  reason: reasonSchema.nullable(),
  requested: personSchema,
  decision: personSchema.extend({ approved: z.boolean() }).nullable(),
  taskId: z.string().nullable(),
  /** When the task of EC2 ended well. */
  completedAt: instantSchema.nullable(),
  /** The last boot id that the server told this campaign: what it tells the next one differs, or it did not restart. */
  bootId: z.string().nullable(),
  /** What was seen after the task: the new root volume, and the agent. */
  proof: z.object({ volumeId, agentSeenAt: instantSchema }).nullable(),
});
export type RootVolume = z.infer<typeof rootVolumeSchema>;

export const rootVolumeSort = 'root-volume';

/** Beside the job, of which there is one for a server in a campaign. */
export const rootVolumeKey = (campaignId: string, serverId: string): RecordKey => ({
  partition: `job#${campaignId}#${serverId}`,
  sort: rootVolumeSort,
});

export const rootVolumes: Entity<RootVolume> = {
  schema: rootVolumeSchema,
  key: ({ campaignId, serverId }) => rootVolumeKey(campaignId, serverId),
  due: ({ state, decision, serverId }) =>
    (state === 'approved' || state === 'replacing') && decision
      ? { shard: shardOf(serverId), at: decision.at }
      : undefined,
};

/** A request that nobody decided in this time is asked again: what spoke for it may have changed. */
const decisionSeconds = 86_400;

export function decideUntil({ requested }: Pick<RootVolume, 'requested'>): Instant {
  return plusSeconds(requested.at, decisionSeconds);
}
