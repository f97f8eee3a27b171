/** Owns the JSON summary that every document prints last: what a server says of one phase of its job. */
import * as z from 'zod';
import { archiveSchema } from './backup.ts';
import { factsSchema, reasonSchema } from './outcome.ts';
import { documentPhaseSchema } from './phase.ts';
import { serverIdSchema } from './server.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const bootId = z.string().regex(/^[0-9a-f-]{36}$/);

/** Null, or left out, where it was not looked for or could not be told. */
const count = z.number().int().nonnegative().nullable().default(null);

export const foundSchema = z.object({
  /** Files of the plan's packages that are not as their packages brought them: `dpkg --verify`, `rpm -V`, `pacman -Qkk`. */
  integrityBefore: count,
  integrityAfter: count,
  /** Differences after that were none before, configuration files aside. */
  integrityUnexpected: count,
  /** Running services with files open that an update took away. */
  oldServices: count,
  restartedServices: count,
  /** Entries of the plan by how the version before can be had again; each of them has one. */
  rollbackKept: count,
  rollbackRepacked: count,
  rollbackRepository: count,
  rollbackNone: count,
  /** Packages that the operator holds or locks, and that were left as they are. */
  held: count,
  /** Packages of no repository: AUR, hand-made, removed upstream. */
  foreign: count,
  /** Security updates that only Ubuntu Pro would bring. */
  proUpdates: count,
  /** Configuration files that packages left beside the operator's: .dpkg-dist, .rpmnew, .pacnew. */
  leftovers: count,
  /** Configuration files that are not as they were before the transaction. */
  configurationChanged: count,
  /** Of the services and probes of the policy, those that are not as it asks. */
  servicesDown: count,
  probesFailed: count,
  hooksFailed: count,
  /** Packages outside of the plan that changed since the patch began. */
  outsidePlan: count,
});

/** One rung of a rollback, and whether the server was healthy after it. */
export const rungSchema = z.object({
  rung: z.enum(['packages', 'configuration', 'kernel']),
  healthy: z.boolean().nullable(),
});

export const summarySchema = z.object({
  schema: z.literal(1),
  phase: documentPhaseSchema,
  campaign: z.string().max(64),
  server: serverIdSchema,
  /** Exit contract of the script: 0, 1, 2, or 100 and above. */
  code: z.number().int().min(0).max(255),
  result: z.enum([
    // prepare
    'planned',
    'nothing-to-do',
    'unsupported',
    'blocked',
    // patch
    'patched',
    'drifted',
    'refused',
    // verify
    'verified',
    // rollback
    'rolled-back',
    // rollback, with DryRun: what it would do is in the result
    'possible',
    // reboot; the other is that it had no need of one
    'rebooted',
    'not-needed',
    // any
    'failed',
  ]),
  /** Why the result is not the good one; the first is the one people read. */
  reasons: z.array(reasonSchema).max(5),
  /** What an operator should know although the phase went well. */
  warnings: z.array(reasonSchema).max(5),
  /** The plan this phase is about: seen (prepare) or sealed (patch, verify). */
  plan: z
    .object({
      sha256,
      entries: z.number().int().nonnegative(),
      security: z.number().int().nonnegative(),
      downloadBytes: z.number().int().nonnegative(),
    })
    .nullable(),
  facts: factsSchema,
  /** What was counted beside the packages; the lists are in the result object. */
  found: foundSchema.prefault({}),
  /** The archive of the configuration, whose hash S3 confirmed; null where none was made. */
  backup: archiveSchema.nullable().default(null),
  /** rollback: the rungs that were climbed, in order. */
  rungs: z.array(rungSchema).max(3).default([]),
  /** Entries for which something newer than the sealed version is published. */
  newer: z.number().int().nonnegative(),
  boot: z.object({ before: bootId, after: bootId }).nullable(),
  /** The result object in S3; null when it could not be written, which makes the result unverified. */
  object: z.object({ key: z.string().max(500), sha256, bytes: z.number().int().positive() }).nullable(),
  /** What runs there, from /etc/os-release. */
  system: z.object({ id: z.string().max(40), version: z.string().max(40), kernel: z.string().max(80) }),
  /** Seconds by name of the step, from /proc/uptime; to the millisecond, so that every store can hold them. */
  seconds: z
    .record(z.string().regex(/^[a-z][a-z0-9-]{0,31}$/), z.number().min(0).max(10_000_000).transform(toMillis))
    .refine((seconds) => Object.keys(seconds).length <= 20, 'names more than 20 steps'),
});
export type Summary = z.infer<typeof summarySchema>;

function toMillis(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}
