/** Owns a reboot as a job of its own: one per server at a time, in a window, proven by the boot that follows. */
import * as z from 'zod';
import { type OrderRef, summarySeconds } from './document.ts';
import { dueShards, type Entity, shardOf } from './entities.ts';
import { type Instant, instantSchema, plusSeconds } from './instant.ts';
import { reasonSchema } from './outcome.ts';
import { type Policy, rebootTimeout } from './policy.ts';
import type { RecordKey } from './ports.ts';
import { type Server, serverIdSchema, serverSchema } from './server.ts';
import { validationSchema } from './validation.ts';
import { windowSchema } from './window.ts';

/**
 * A server that is restarted by the agent (exit code 194) says nothing between asking for it and being back, so two of
 * these are inferred, and the others are seen:
 *
 * - `pending`: it waits for its window, or for what keeps it from being sent, which is told.
 * - `sent`: seen. Run Command took the command.
 * - `rebooting`: inferred. The command is in progress, and the agent does not answer.
 * - `completed`: seen. The server said that it runs on another boot id and is well, or that it had no need.
 * - `failed`: seen. It refused, came back unwell, or could not be told to.
 * - `timeout`: inferred. Nothing was heard of it by its deadline; it may be down.
 * - `cancelled`: by a person, before it was sent.
 * - `missed`: its window closed before it could be sent.
 */
const rebootStateSchema = z.enum([
  'pending',
  'sent',
  'rebooting',
  'completed',
  'failed',
  'timeout',
  'cancelled',
  'missed',
]);
export type RebootState = z.infer<typeof rebootStateSchema>;

const open: ReadonlySet<RebootState> = new Set(['pending', 'sent', 'rebooting']);
export const isOpen = ({ state }: { readonly state: RebootState }): boolean => open.has(state);

/** Ended without the restart that was asked for: people have to hear of it. */
const unwell: ReadonlySet<RebootState> = new Set(['failed', 'timeout', 'missed']);
export const isUnwell = ({ state }: { readonly state: RebootState }): boolean => unwell.has(state);

export const rebootModeSchema = z.enum(['if-needed', 'always']);

/** A command may reach nobody; it is sent again within the window, once. */
export const mostAttempts = 2;

const pastSchema = z.object({
  id: z.string(),
  state: rebootStateSchema,
  reason: z.string(),
  by: z.string(),
  requestedAt: instantSchema,
  endedAt: instantSchema,
  detail: z.string().max(400),
});

export const rebootSchema = z.object({
  schema: z.literal(1),
  /** Also the job's name on the server. */
  id: z.string().regex(/^reboot-m?i-[0-9a-f]{8,17}-\d{1,12}$/),
  server: serverSchema,
  mode: rebootModeSchema,
  reason: z.string().min(1).max(300),
  by: z.string().min(1).max(255),
  requestedAt: instantSchema,
  window: windowSchema,
  state: rebootStateSchema,
  /** Why the state is what it is, or what it waits for. */
  reasons: z.array(reasonSchema).max(8),
  attempts: z.number().int().min(0).max(mostAttempts),
  /** The last command; its id is null while nobody knows whether it went out. */
  sent: z.object({ at: instantSchema, commandId: z.string().nullable(), deadline: instantSchema }).nullable(),
  boot: z.object({ before: z.string(), after: z.string() }).nullable(),
  endedAt: instantSchema.nullable(),
  /** Of the policy as it was when the reboot was asked for. */
  terms: z.object({
    policy: z.string(),
    deliverySeconds: z.number().int().positive(),
    rebootSeconds: z.number().int().positive(),
    requireHealthy: z.boolean(),
    validation: validationSchema,
    hybridRoleId: z.string().optional(),
  }),
  /** Those before it, newest first. */
  past: z.array(pastSchema).max(20),
});
export type Reboot = z.infer<typeof rebootSchema>;

/** One place for each server: a second reboot finds it taken. */
export const rebootKey = (serverId: string): RecordKey => ({
  partition: `reboot#${serverIdSchema.parse(serverId)}`,
  sort: 'reboot',
});

const rebootShard = (shard: string) => `reboots-${shard}`;
export const rebootShards: readonly string[] = dueShards.map(rebootShard);

export const reboots: Entity<Reboot> = {
  schema: rebootSchema,
  key: ({ server }) => rebootKey(server.id),
  due: (reboot) =>
    isOpen(reboot)
      ? { shard: rebootShard(shardOf(reboot.server.id)), at: reboot.sent?.at ?? reboot.window.start }
      : undefined,
};

/** What the agent waits before it restarts the server, and what its validation takes afterwards. */
const aroundSeconds = 60 + 180;

type Limits = Pick<Reboot['terms'], 'deliverySeconds' | 'rebootSeconds'>;
const budgetSeconds = ({ rebootSeconds }: Pick<Limits, 'rebootSeconds'>): number =>
  rebootSeconds + aroundSeconds;
const killMargin = 60;

/** Seconds from sending a reboot until it has certainly ended or timed out. */
export function rebootCommandSeconds({ terms }: Reboot): number {
  return commandSeconds(terms);
}

/** A run that sends reboots takes all of them to be sent when it began. The stack gives that function no more. */
export const sendSeconds = 300;

const commandSeconds = (limits: Limits): number =>
  sendSeconds + limits.deliverySeconds + budgetSeconds(limits) + killMargin + summarySeconds;

/** Why no server can be restarted in the windows of a policy that leaves restarts to them. */
export function windowTooShort({
  reboot,
  rebootWindow: { minutes },
  timeouts,
}: Pick<Policy, 'reboot' | 'rebootWindow' | 'timeouts'>): string | undefined {
  const terms = { deliverySeconds: timeouts.delivery, rebootSeconds: rebootTimeout(timeouts, false) };
  const needed = Math.ceil(commandSeconds(terms) / 60);
  return reboot === 'separate-window' && minutes < needed
    ? `is too short: a reboot takes up to ${needed} minutes with timeouts.delivery and timeouts.reboot`
    : undefined;
}

export function rebootParameters(
  reboot: Reboot,
  bucket: { readonly bucket: string; readonly region: string },
  order: OrderRef,
): Record<string, string> {
  return {
    CampaignId: reboot.id,
    Bucket: bucket.bucket,
    BucketRegion: bucket.region,
    OrderKey: order.key,
    OrderSha256: order.sha256,
    ...(reboot.terms.hybridRoleId !== undefined && { HybridPrefix: reboot.terms.hybridRoleId }),
    Reboot: reboot.mode,
    TimeBudget: String(budgetSeconds(reboot.terms)),
    RebootReserve: String(reboot.terms.rebootSeconds),
    ExecutionTimeout: String(budgetSeconds(reboot.terms) + killMargin),
  };
}

export function termsOf(policy: Policy, server: Server, hybridRoleId?: string): Reboot['terms'] {
  return {
    policy: policy.name,
    deliverySeconds: policy.timeouts.delivery,
    rebootSeconds: rebootTimeout(policy.timeouts, server.metal ?? false),
    requireHealthy: policy.requireHealthy,
    validation: policy.validation,
    ...(hybridRoleId !== undefined && { hybridRoleId }),
  };
}

/** The reboot in an end, with what it was kept among those before it once the next one comes. */
export function endReboot(
  reboot: Reboot,
  state: RebootState,
  reasons: Reboot['reasons'],
  now: Instant,
): Reboot {
  return { ...reboot, state, reasons: reasons.slice(0, 8), endedAt: now };
}

export function pastOf({
  id,
  state,
  reason,
  by,
  requestedAt,
  endedAt,
  reasons,
  past,
}: Reboot): Reboot['past'] {
  const last = {
    id,
    state,
    reason,
    by,
    requestedAt,
    endedAt: endedAt ?? requestedAt,
    detail: reasons[0]?.detail ?? '',
  };
  return [last, ...past].slice(0, 20);
}

/** When it may be sent at the latest. */
export function latestSend(reboot: Reboot): Instant {
  return plusSeconds(reboot.window.end, -rebootCommandSeconds(reboot));
}
