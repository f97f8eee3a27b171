/** Owns the fence before a server whose root volume was replaced: what its disk knew of campaigns is gone. */
import * as z from 'zod';
import type { Campaign } from './campaign.ts';
import type { Entity } from './entities.ts';
import { stateBefore, stateWhenLost, stateWhenNotSent } from './gate.ts';
import { instantSchema } from './instant.ts';
import type { JobState } from './job.ts';
import type { Reason } from './outcome.ts';
import type { Phase } from './phase.ts';
import type { RecordKey } from './ports.ts';
import { serverIdSchema } from './server.ts';

const fenceSchema = z.object({
  schema: z.literal(1),
  serverId: serverIdSchema,
  /** Campaigns that were made up to then send nothing to it any more. */
  since: instantSchema,
  /** Whose snapshot its root volume was made of. */
  campaignId: z.string(),
  by: z.string(),
  /** Nobody knows yet when the disk of before takes the place of the one of now: until then nothing is sent at all. */
  replacing: z.boolean().exactOptional(),
});
export type Fence = z.infer<typeof fenceSchema>;

export const fenceKey = (serverId: string): RecordKey => ({
  partition: `fence#${serverId}`,
  sort: 'fence',
});

export const fences: Entity<Fence> = {
  schema: fenceSchema,
  key: (fence) => fenceKey(fence.serverId),
};

/**
 * A server keeps on its own disk what it was told by which job, so that a command that comes twice runs once. With the
 * disk of before, a command of such a campaign would run again.
 */
export function fencedBy(
  fence: Fence | undefined,
  campaign: Pick<Campaign, 'id' | 'createdAt'>,
): Reason | undefined {
  if (fence === undefined) return undefined;
  const { serverId, since, campaignId, replacing = false } = fence;
  if (replacing) {
    const detail = `the root volume of ${serverId} is being replaced since ${since} by a snapshot of campaign ${campaignId}: make a new campaign afterwards`;
    return { code: 'fenced', detail };
  }
  if (campaign.createdAt > since) return undefined;
  return {
    code: 'fenced',
    detail: `the root volume of ${serverId} was replaced at ${since} by a snapshot of campaign ${campaignId}: make a new campaign`,
  };
}

/** The state a job ends in that is fenced off: one that was to be patched is as if its server had been replaced. */
export function stateWhenFenced(phase: Phase, state: JobState): JobState {
  if (phase === 'verify' || phase === 'rollback') return stateWhenNotSent[phase];
  return state === stateBefore[phase] ? 'superseded' : stateWhenLost[phase];
}
