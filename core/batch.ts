/** Owns the batch: up to 50 servers that one command serves, and how far that command has come in each phase. */
import * as z from 'zod';
import type { Campaign } from './campaign.ts';
import { instantSchema } from './instant.ts';
import { jobStateSchema } from './job.ts';
import type { Phase } from './phase.ts';
import { rehearsalSchema, rollbackToSchema } from './rehearsal.ts';
import { familySchema, placeSchema, serverIdSchema } from './server.ts';
import { type BatchPlan, batchLimit } from './waves.ts';

/**
 * One phase of a batch. `dispatching` is leased to one dispatcher; `sent` once every command is recorded; `complete`
 * once every server's job has its result; `answered` once the state machine took the answer.
 */
const runSchema = z.object({
  state: z.enum(['dispatching', 'sent', 'complete', 'answered']),
  /** Of the state that waits; a retry or redrive brings a new one. */
  token: z.string(),
  startedAt: instantSchema,
  /** Until then nobody else may dispatch this phase. */
  leaseUntil: instantSchema,
  /** Servers that passed the gates, in the order of the commands' ranges. */
  serverIds: z.array(serverIdSchema).max(batchLimit),
  /** Those of them whose agent did not answer when the command was about to be sent. */
  offlineIds: z.array(serverIdSchema),
  /** Null until the gate was passed; from then on servers and order are fixed. */
  order: z.object({ key: z.string(), sha256: z.string() }).nullable(),
  /** By range of `serverIds`, `0-49`: a refused call is split in halves. */
  commands: z.record(z.string(), z.string()),
  /** Ranges that were refused as a whole: from then on only their halves are sent. */
  split: z.array(z.string()),
  /** Ranges that a dispatcher began to send: they may have run, unless Run Command said that nothing did. */
  attempted: z.array(z.string()),
  /** When every server must have answered; those that have not are settled as lost or unreachable. */
  deadline: instantSchema,
  counts: z.partialRecord(jobStateSchema, z.number().int().positive()).nullable(),
});
export type Run = z.infer<typeof runSchema>;

export const batchSchema = z.object({
  schema: z.literal(1),
  campaignId: z.string(),
  id: z.string().regex(/^(p|w\d+|r\d+)-\d{4,}$/),
  /** Null for the batches that are prepared, before there are waves. */
  wave: z.number().int().nonnegative().nullable(),
  place: placeSchema,
  family: familySchema,
  /** Whether its servers are bare metal. */
  metal: z.literal(true).exactOptional(),
  serverIds: z.array(serverIdSchema).min(1).max(batchLimit),
  runs: z.object({
    prepare: runSchema.optional(),
    patch: runSchema.optional(),
    verify: runSchema.optional(),
    rollback: runSchema.optional(),
  }),
  /** Of a rollback that a person asked for: no state machine waits for it, and the policy is not what says how far. */
  byHand: z
    .object({
      to: rollbackToSchema,
      dryRun: z.boolean(),
      /** What servers answered to a dry run. */
      answers: z.array(rehearsalSchema).max(batchLimit),
    })
    .exactOptional(),
  /** When a sweeper with too much to do looked at it last: it goes to the end of the row. */
  sweptAt: instantSchema.nullable(),
  /** The plans of a prepared batch. */
  sealed: z
    .object({ digest: z.string(), plans: z.array(z.object({ serverId: serverIdSchema, hash: z.string() })) })
    .nullable(),
});
export type Batch = z.infer<typeof batchSchema>;

/**
 * One of the batches that are laid out together, before anything has happened in it.
 *
 * @param wave null for those that are prepared; the ids of the others begin with it
 * @param index its place among them
 */
export function newBatch(campaignId: string, wave: number | null, plan: BatchPlan, index: number): Batch {
  const { place, family, metal, serverIds } = plan;
  const id = `${wave === null ? 'p' : `w${wave}`}-${String(index + 1).padStart(4, '0')}`;
  return {
    schema: 1,
    campaignId,
    id,
    wave,
    place,
    family,
    ...(metal && { metal }),
    serverIds: [...serverIds],
    runs: {},
    sweptAt: null,
    sealed: null,
  };
}

/** One of the batches of the n-th rollback of a campaign by hand. */
export function rollbackBatch(
  campaignId: string,
  number: number,
  byHand: Pick<NonNullable<Batch['byHand']>, 'to' | 'dryRun'>,
  plan: BatchPlan,
  index: number,
): Batch {
  const id = `r${number}-${String(index + 1).padStart(4, '0')}`;
  return { ...newBatch(campaignId, null, plan, index), id, byHand: { ...byHand, answers: [] } };
}

/**
 * The campaign as far as the batch goes: servers that restart fast do not wait for those that do not, and what a person
 * asked for goes as far as that person said.
 */
export function campaignFor({ metal, byHand }: Batch, { metal: _some, ...campaign }: Campaign): Campaign {
  const { policy } = campaign;
  const policyByHand = byHand && { ...policy, rollback: { ...policy.rollback, automatic: byHand.to } };
  return { ...campaign, ...(metal && { metal }), policy: policyByHand ?? policy };
}

/** The batch with this run in place of the one that the phase had. */
export function withRun(batch: Batch, phase: Phase, run: Run): Batch {
  return { ...batch, runs: { ...batch.runs, [phase]: run } };
}

/** Whether every server of the run has its result, be the state machine told of it or not. */
export function isComplete(run: Run | undefined): boolean {
  return run?.state === 'complete' || run?.state === 'answered';
}

/** The servers that a command may have reached: it is recorded, or nobody knows how the call ended. */
export function maybeSent(run: Run): ReadonlySet<string> {
  const ranges = [...Object.keys(run.commands), ...run.attempted];
  return new Set(ranges.flatMap((range) => run.serverIds.slice(...sliceOf(range))));
}

/** @param range `0-49`, both ends included */
function sliceOf(range: string): [number, number] {
  const [first = 0, last = -1] = range.split('-').map(Number);
  return [first, last + 1];
}
