/** Owns backups: what a policy asks for before a server is patched, and what is recorded of one. */
import * as z from 'zod';
import { instantSchema } from './instant.ts';
import type { Reason } from './outcome.ts';

const path = z
  .string()
  .max(255)
  .regex(/^\/[A-Za-z0-9._+@/*-]+$/, 'is not an absolute path: letters, digits and ._+@/*- after a slash')
  .refine((text) => !text.split('/').includes('..'), 'must not contain ..');

/** `best-effort` patches without a backup where there can be none, and needs a waiver that says why that is right. */
const needSchema = z.enum(['required', 'best-effort', 'none']);

export const backupPolicySchema = z
  .strictObject({
    /** Configuration files and the list of packages, to the backup bucket. */
    configuration: needSchema.default('required'),
    /** Snapshots of all EBS volumes; servers without EBS can not have them. */
    snapshots: needSchema.default('none'),
    /** Why a server may be patched without its backup, in words; kept with each backup that failed. */
    waiver: z.string().min(10).max(400).optional(),
    paths: z.array(path).min(1).max(50).default(['/etc']),
    /** Globs of paths that are left out. */
    exclude: z.array(path).max(50).default([]),
    /** Of the archive; a larger one is a backup that failed. */
    maxBytes: z
      .number()
      .int()
      .min(1024 ** 2)
      .max(5 * 1024 ** 3)
      .default(256 * 1024 ** 2),
    keepDays: z.number().int().min(1).max(3650).default(90),
    /** Of each server, however old: the newest ones that are good are never removed. */
    keepLast: z.number().int().min(1).max(100).default(3),
  })
  .refine(
    ({ configuration, snapshots, waiver }) =>
      waiver !== undefined || (configuration !== 'best-effort' && snapshots !== 'best-effort'),
    {
      path: ['waiver'],
      message: 'is missing: best-effort patches without a backup, say in words why that is right',
    },
  );
export type BackupPolicy = z.infer<typeof backupPolicySchema>;

/** The archive that a server put into the backup bucket; S3 has confirmed its hash. */
export const archiveSchema = z.object({
  key: z.string().max(500),
  /** Of the object. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.number().int().positive(),
  /** Entries of the archive. */
  files: z.number().int().nonnegative(),
});
export type Archive = z.infer<typeof archiveSchema>;

export const snapshotSchema = z.object({
  snapshotId: z.string().regex(/^snap-[0-9a-f]{8,17}$/),
  volumeId: z.string().regex(/^vol-[0-9a-f]{8,17}$/),
  device: z.string().max(64),
  root: z.boolean(),
  /** As EC2 said when it was looked at last; the content is that of the moment of its start in any case. */
  state: z.enum(['pending', 'completed', 'error', 'recoverable', 'recovering']),
  startedAt: instantSchema,
  encrypted: z.boolean(),
});
export type Snapshot = z.infer<typeof snapshotSchema>;

/** Why a server may not be patched for want of snapshots, or undefined when it may. */
export function withoutSnapshots(policy: BackupPolicy, snapshots: readonly Snapshot[]): Reason | undefined {
  if (policy.snapshots !== 'required' || snapshots.length > 0) return undefined;
  return {
    code: 'snapshot-missing',
    detail: 'the policy requires snapshots of all volumes, and none were recorded before the patch',
  };
}

/** Why a server is patched without snapshots, where its policy would rather have them and nobody has said so yet. */
export function patchedBare(
  { snapshots: need, waiver }: BackupPolicy,
  {
    snapshots,
    noSnapshots,
  }: { readonly snapshots: readonly Snapshot[]; readonly noSnapshots?: Reason | undefined },
): Reason | undefined {
  if (need !== 'best-effort' || snapshots.length > 0 || noSnapshots !== undefined) return undefined;
  const detail = `none were recorded before the patch, and nobody knows why; waived: ${waiver}`;
  return { code: 'snapshot-missing', detail: detail.slice(0, 400) };
}
