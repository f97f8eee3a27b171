/** Owns the plan: the exact package transaction of one server, its canonical text, and the hashes that seal it. */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import { serverIdSchema } from './server.ts';

/*
 * The patterns are as narrow as the package managers allow, because these values travel as lines that a root shell
 * reads. Versions: Debian policy 5.6.12, RPM and pacman use the same characters plus `_`, `^` and `:`.
 */
const packageName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9+._@-]{0,127}$/);
const packageVersion = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9.+:~^_-]{0,127}$/);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

export const planEntrySchema = z
  .object({
    /**
     * `install` also of a kernel beside those that are there. `replace` is a removal for which another entry, an
     * install or upgrade that obsoletes it, gives the reason. `downgrade` where a distribution's own repository says so.
     */
    action: z.enum(['install', 'upgrade', 'downgrade', 'remove', 'replace']),
    name: packageName,
    architecture: z.string().regex(/^[a-z0-9_]{1,16}$/),
    from: packageVersion.nullable(),
    to: packageVersion.nullable(),
    /** Where the package comes from, as the package manager names it; `-` for a removal. */
    repository: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9+.:/_~-]{0,127}$|^-$/),
    security: z.boolean(),
    /** Bytes to download. */
    size: z.number().int().nonnegative(),
    /** Of the package file, as the repository's signed metadata states it; null for a removal. */
    sha256: sha256.nullable(),
    /**
     * How the version before can be had again: its file is kept on the server, as a repository had it or, signed by
     * nobody, put together from what is installed (`repacked`); a repository still lists it; or not at all. Null where
     * there was none.
     */
    rollback: z.enum(['kept', 'repacked', 'repository', 'none']).nullable(),
    /** Bytes and hash of the file that is kept. */
    oldSize: z.number().int().nonnegative(),
    oldSha256: sha256.nullable(),
  })
  .superRefine((entry, context) => {
    const brings = bringsFile(entry);
    if (brings && (entry.to === null || entry.sha256 === null)) {
      context.addIssue({
        code: 'custom',
        message: `${entry.action} of ${entry.name} names no version or no file hash`,
      });
    }
    if (!brings && entry.to !== null) {
      context.addIssue({ code: 'custom', message: `removal of ${entry.name} names a version to install` });
    }
    if (entry.action !== 'install' && entry.from === null) {
      context.addIssue({
        code: 'custom',
        message: `${entry.action} of ${entry.name} names no installed version`,
      });
    }
    if ((entry.from === null) !== (entry.rollback === null)) {
      context.addIssue({
        code: 'custom',
        message: `${entry.action} of ${entry.name} says ${entry.rollback} of a version before that is ${entry.from}`,
      });
    }
    if (
      (entry.rollback === 'kept' || entry.rollback === 'repacked') !== (entry.oldSha256 !== null) ||
      (!entry.oldSha256 && entry.oldSize > 0)
    ) {
      context.addIssue({
        code: 'custom',
        message: `${entry.action} of ${entry.name} is covered by ${entry.rollback} and names ${entry.oldSha256 ?? 'no file'}`,
      });
    }
  });
export type PlanEntry = z.infer<typeof planEntrySchema>;

/** Whether a package file has to be there for it. */
function bringsFile({ action }: Pick<PlanEntry, 'action'>): boolean {
  return action !== 'remove' && action !== 'replace';
}

const orNone = (text: string) => (text === '-' ? null : text);

/** One entry as twelve tab-separated fields: the form servers write, read and hash. */
export function planLine(entry: PlanEntry): string {
  const { action, name, architecture, from, to, repository, security, size, sha256: hash } = entry;
  const { rollback, oldSize, oldSha256 } = entry;
  return [
    action,
    name,
    architecture,
    from ?? '-',
    to ?? '-',
    repository,
    security ? 'yes' : 'no',
    size,
    hash ?? '-',
    rollback ?? '-',
    oldSize,
    oldSha256 ?? '-',
  ].join('\t');
}

/** @throws ZodError when a field does not hold what its name says */
export function parsePlanLine(line: string): PlanEntry {
  const fields = line.split('\t');
  if (fields.length !== 12)
    throw new Error(`plan line has ${fields.length} fields instead of 12: ${line.slice(0, 200)}`);
  const [action, name, architecture, from = '', to = '', repository, security, size, hash = ''] = fields;
  const [rollback = '', oldSize, oldHash = ''] = fields.slice(9);
  return planEntrySchema.parse({
    action,
    name,
    architecture,
    from: orNone(from),
    to: orNone(to),
    repository,
    security: z.enum(['yes', 'no']).parse(security) === 'yes',
    size: bytes(size),
    sha256: orNone(hash),
    rollback: orNone(rollback),
    oldSize: bytes(oldSize),
    oldSha256: orNone(oldHash),
  });
}

function bytes(text: string | undefined): number {
  const digits = z.string().regex(/^(0|[1-9]\d{0,14})$/);
  return Number(digits.parse(text));
}

/** Order of bytes, the same as `LC_ALL=C sort`: the patterns above allow ASCII only. */
export const byBytes = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** The text whose SHA-256 is the seal: it names its server, so that one server's plan can not pass for another's. */
export function canonicalPlan(serverId: string, entries: readonly PlanEntry[]): string {
  return `quarterdeck-plan\t1\t${serverIdSchema.parse(serverId)}\n${lines(entries.map(planLine))}`;
}

/** @returns lower-case hex SHA-256 of the canonical plan */
export function planHash(serverId: string, entries: readonly PlanEntry[]): string {
  return sha256Of(canonicalPlan(serverId, entries));
}

/** Seals the plans of one batch: its digest is what the campaign's root is made of. */
export function batchDigest(plans: readonly { serverId: string; hash: string }[]): string {
  return sha256Of(
    `quarterdeck-batch\t1\n${lines(plans.map(({ serverId, hash }) => `${serverId}\t${hash}`))}`,
  );
}

/**
 * Seals a campaign. A tree of two levels, so that 100,000 servers seal batch by batch and the root is made of
 * some 2,000 digests. This hash is what an approval binds.
 */
export function rootHash(
  campaignId: string,
  batches: readonly { batchId: string; digest: string }[],
): string {
  const leaves = lines(batches.map(({ batchId, digest }) => `${batchId}\t${digest}`));
  return sha256Of(`quarterdeck-campaign\t1\t${campaignId}\n${leaves}`);
}

export function sha256Of(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

function lines(unsorted: readonly string[]): string {
  return unsorted
    .toSorted(byBytes)
    .map((line) => `${line}\n`)
    .join('');
}
