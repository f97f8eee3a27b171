/** Owns a rollback that a person asks for after a campaign has ended: of which servers, how far, and what came of it. */
import * as z from 'zod';
import { type Entity, shardOf } from './entities.ts';
import { instantSchema, plusSeconds } from './instant.ts';
import { type Job, mayGoBack } from './job.ts';
import type { RecordKey } from './ports.ts';
import { rollbackToSchema } from './rehearsal.ts';
import { serverIdSchema } from './server.ts';

/** One call dispatches all of it within the lease of a dispatcher; for more servers a person asks again. */
export const mostServers = 500;
export const mostBatches = 20;

export const askedRollbackSchema = z.object({
  /** Counts those of the campaign from 1; its batches are called `r1-0001`. */
  number: z.number().int().positive(),
  by: z.string().min(1).max(255),
  reason: z.string().min(1).max(300),
  to: rollbackToSchema,
  /** Servers say what they would do, and do nothing. */
  dryRun: z.boolean(),
  at: instantSchema,
  servers: z.number().int().positive(),
  endedAt: instantSchema.nullable(),
  /** By the state of jobs, and of a dry run by what servers answered. */
  counts: z.record(z.string(), z.number().int().positive()),
});

export const rollbackSchema = z.object({
  schema: z.literal(1),
  campaignId: z.string(),
  ...askedRollbackSchema.shape,
  serverIds: z.array(serverIdSchema).min(1).max(mostServers),
  /** Those before it, newest first. */
  past: z.array(askedRollbackSchema).max(20),
});
export type Rollback = z.infer<typeof rollbackSchema>;
type AskedRollback = z.infer<typeof askedRollbackSchema>;

/** One place for each campaign: a second rollback finds it taken while the first is open. */
export const rollbackSort = 'rollback';
export const rollbackKey = (campaignId: string): RecordKey => ({
  partition: `rollback#${campaignId}`,
  sort: rollbackSort,
});

/** After which the sweeper looks whether it has ended, and ends what was never dispatched. */
export const recheckSeconds = 300;

export const rollbacks: Entity<Rollback> = {
  schema: rollbackSchema,
  key: ({ campaignId }) => rollbackKey(campaignId),
  due: ({ campaignId, at, endedAt }) =>
    endedAt === null ? { shard: shardOf(campaignId), at: plusSeconds(at, recheckSeconds) } : undefined,
};

export function askedOf({
  schema: _schema,
  campaignId: _campaign,
  serverIds: _ids,
  past: _past,
  ...asked
}: Rollback): AskedRollback {
  return asked;
}

/** Why there is nothing to bring back by this job; undefined when there may be. */
export function whyNotBack(job: Job): string | undefined {
  if (mayGoBack(job)) return undefined;
  const { server, state, plan, dispatched } = job;
  return plan === null || dispatched === null
    ? `${server.name} was not patched by this campaign`
    : `the job of ${server.name} is ${state}`;
}
