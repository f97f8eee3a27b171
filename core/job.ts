/** Owns the job: one server's passage through a campaign, and the one-way graph of its states. */
import * as z from 'zod';
import { archiveSchema, snapshotSchema } from './backup.ts';
import { type Instant, instantSchema } from './instant.ts';
import { factsSchema, type Reason, reasonSchema } from './outcome.ts';
import { serverSchema } from './server.ts';
import { foundSchema, rungSchema, summarySchema } from './summary.ts';

export const jobStateSchema = z.enum([
  'planned',
  'preparing',
  'ready',
  'patching',
  'verifying',
  'rolling-back',
  'succeeded',
  'nothing-to-do',
  'unsupported',
  'drifted',
  'failed',
  'rolled-back',
  'rollback-failed',
  'unreachable',
  'superseded',
  'lost',
  'held',
  'not-started',
]);
export type JobState = z.infer<typeof jobStateSchema>;

/** Every move there is. States without moves are ends. No cycle, so a late or doubled event can never move a job back. */
const moves: Readonly<Record<JobState, readonly JobState[]>> = {
  planned: ['preparing', 'superseded', 'held', 'not-started', 'unreachable', 'unsupported'],
  preparing: [
    'ready',
    'nothing-to-do',
    'unsupported',
    'failed',
    'unreachable',
    'superseded',
    'held',
    'not-started',
  ],
  ready: ['patching', 'superseded', 'held', 'not-started', 'drifted', 'failed'],
  patching: [
    'verifying',
    'rolling-back',
    'drifted',
    'failed',
    'unreachable',
    'lost',
    'not-started',
    'superseded',
  ],
  verifying: ['succeeded', 'rolling-back', 'failed', 'lost'],
  'rolling-back': ['rolled-back', 'rollback-failed', 'lost'],
  succeeded: [],
  'nothing-to-do': [],
  unsupported: [],
  drifted: [],
  failed: [],
  'rolled-back': [],
  'rollback-failed': [],
  unreachable: [],
  superseded: [],
  lost: [],
  held: [],
  'not-started': [],
};

export function isEnded(state: JobState): boolean {
  return moves[state].length === 0;
}

export function mayMove(from: JobState, to: JobState): boolean {
  return moves[from].includes(to);
}

/** What one phase brought, kept small since every write of a job pays for its size: the whole is in the result object. */
const phaseResultSchema = z.object({
  at: instantSchema,
  /** Status words of Run Command. */
  status: z.string().max(64),
  /** Null when the server never said anything that could be trusted. */
  result: summarySchema.shape.result.nullable(),
  warnings: summarySchema.shape.warnings,
  newer: z.number().int().nonnegative(),
  /** Of what was counted, the numbers that are known. */
  found: z.partialRecord(foundSchema.keyof(), z.number().int().nonnegative()).default({}),
  /** The archive of the configuration, as the server said it. */
  backup: archiveSchema.nullable().default(null),
  /** Of a rollback. */
  rungs: z.array(rungSchema).max(3).default([]),
  object: summarySchema.shape.object,
  /** Why the result object proves nothing; null when it does. */
  unproven: reasonSchema.nullable(),
  boot: summarySchema.shape.boot,
  system: summarySchema.shape.system.nullable(),
  seconds: summarySchema.shape.seconds,
});
export type PhaseResult = z.infer<typeof phaseResultSchema>;

export const jobSchema = z.object({
  schema: z.literal(1),
  campaignId: z.string(),
  server: serverSchema,
  state: jobStateSchema,
  /** Why the state is what it is; the first is the one people read. */
  reasons: z.array(reasonSchema).max(8),
  history: z.array(z.object({ state: jobStateSchema, at: instantSchema })),
  wave: z.number().int().nonnegative().nullable(),
  facts: factsSchema,
  /** The sealed plan; its entries are in the prepare phase's result object. */
  plan: z
    .object({
      sha256: z.string(),
      entries: z.number().int(),
      security: z.number().int(),
      downloadBytes: z.number().int(),
      objectKey: z.string(),
    })
    .nullable(),
  /** When its patch was dispatched, and whether its agent answered then: what the failure rate counts. */
  dispatched: z.object({ at: instantSchema, online: z.boolean() }).nullable(),
  phases: z.object({
    prepare: phaseResultSchema.optional(),
    patch: phaseResultSchema.optional(),
    verify: phaseResultSchema.optional(),
    rollback: phaseResultSchema.optional(),
  }),
  /** Of its volumes, taken before its patch. */
  snapshots: z.array(snapshotSchema).max(100).default([]),
  /** Why it is patched without snapshots although its policy asks for them. */
  noSnapshots: reasonSchema.optional(),
});
export type Job = z.infer<typeof jobSchema>;

/**
 * The job in its new state, or undefined when that move does not exist: the event came late or twice. Whatever comes of
 * a rollback, it stays known why there was one.
 */
export function moveJob(
  job: Job,
  to: JobState,
  at: Instant,
  reasons: readonly Reason[] = [],
): Job | undefined {
  if (!mayMove(job.state, to)) return undefined;
  const before = job.state === 'rolling-back' ? job.reasons : [];
  return {
    ...job,
    state: to,
    reasons: [...reasons, ...before].slice(0, 8),
    history: [...job.history, { state: to, at }],
  };
}

const mayReopen: ReadonlySet<JobState> = new Set([
  'succeeded',
  'failed',
  // Asked again, a server goes on where its way back was interrupted, and else says the same again.
  'rollback-failed',
  // It may have been cut off in mid-transaction. Whatever still runs there is waited for by the server itself.
  'lost',
]);

/** Whether there may be something on its server that this job has put there, and that can be undone. */
export function mayGoBack({ state, plan, dispatched }: Job): boolean {
  return plan !== null && dispatched !== null && mayReopen.has(state);
}

/**
 * The one way out of an end: a person wants the server back as it was before its patch. No event ever comes by here.
 *
 * @returns undefined where there is none, or a rollback is under way already
 */
export function reopenForRollback(job: Job, at: Instant, reason: Reason): Job | undefined {
  if (!mayGoBack(job)) return undefined;
  return {
    ...job,
    state: 'rolling-back',
    reasons: [reason, ...job.reasons].slice(0, 8),
    history: [...job.history, { state: 'rolling-back', at }],
  };
}

/** States that count against the error budget once the patch was dispatched. */
const failures: ReadonlySet<JobState> = new Set([
  // Whatever the way back brings, the patch has failed.
  'rolling-back',
  'failed',
  'rolled-back',
  'rollback-failed',
  'lost',
  'unreachable',
]);

/**
 * Whether a job counts as failed in the error budget. Superseded and never-dispatched servers do not, nor one that
 * was already offline when its patch was sent: that says nothing about the patch.
 */
export function isFailure(job: Job): boolean {
  if (job.dispatched === null || !failures.has(job.state)) return false;
  return job.state !== 'unreachable' || job.dispatched.online;
}
