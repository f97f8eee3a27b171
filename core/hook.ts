/** Owns hooks: what a team has run on a server around its patch, and what their failure means. */
import * as z from 'zod';
import { onlySchema } from './only.ts';

/** Moments at which hooks run, in the order of a job. Those before see the server as it was. */
export const hookMoments = ['before-patch', 'after-patch', 'before-rollback', 'after-rollback'] as const;

const absolutePath = z
  .string()
  .max(255)
  .regex(/^\/[A-Za-z0-9._+@/-]+$/, 'is not an absolute path: letters, digits and ._+@/- after a slash')
  .refine((path) => !path.split('/').includes('..'), 'must not contain ..');

const scriptSchema = z.union(
  [
    /** There already, and the server's own to guard: it must belong to root and be writable by nobody else. */
    z.strictObject({ path: absolutePath }),
    /** In the campaign bucket below `hooks/`; run only if it hashes to this. */
    z.strictObject({
      object: z.string().regex(/^hooks\/[A-Za-z0-9._/-]{1,200}$/, 'is not a key below hooks/'),
      sha256: z.string().regex(/^[0-9a-f]{64}$/, 'is not a SHA-256: 64 hexadecimal digits'),
    }),
  ],
  'needs a path on the server, or an object below hooks/ and its sha256',
);

/**
 * The contract of a hook, wherever it runs. It gets one JSON object on stdin, `{schema, hook, moment, campaign, server,
 * deadlineSeconds, undo}`, ends with 0 or fails, and may print one JSON object of up to 1 KB. It has to bear being run
 * again when it was cut short. Its `undo` gets the same with `undo: true` and what the hook printed as `output`, or
 * null. It runs when the job goes no further before its transaction, last first, also after a hook that failed or was
 * cut short halfway: it has to bear that too.
 */
export const hookSchema = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'is not a hook name: lower case, digits and dashes'),
  when: z.enum(hookMoments),
  run: scriptSchema,
  undo: scriptSchema.optional(),
  /** Seconds after which it is ended, and has failed. */
  timeoutSeconds: z.number().int().min(1).max(3600).default(60),
  /** `stop`: before the patch, nothing is patched; after it, the server is not healthy. `warn`: it is told, and no more. */
  onFailure: z.enum(['stop', 'warn']).default('stop'),
  only: onlySchema.optional(),
});
export type Hook = z.infer<typeof hookSchema>;

/** Between the signal that asks a hook to end and the one that ends it. */
const killSeconds = 5;

/**
 * Seconds that the hooks of a moment, or the undoing of them, may take on any one server. Those that name servers count
 * for all: one server may be named by several. A server has one host group, so of those for groups alone the longest
 * group counts.
 */
export function hookSeconds(
  hooks: readonly Hook[],
  moment: (typeof hookMoments)[number],
  what: 'run' | 'undo' = 'run',
): number {
  let everywhere = 0;
  const byGroup = new Map<string, number>();
  for (const { when, timeoutSeconds, only, ...scripts } of hooks) {
    if (when !== moment || scripts[what] === undefined) continue;
    const seconds = timeoutSeconds + killSeconds;
    if (only === undefined || only.servers.length > 0) everywhere += seconds;
    else
      for (const group of new Set(only.hostGroups)) byGroup.set(group, (byGroup.get(group) ?? 0) + seconds);
  }
  return everywhere + Math.max(0, ...byGroup.values());
}
