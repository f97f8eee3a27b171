/** Owns the policy: what holds for every campaign of an environment. */
import * as z from 'zod';
import { backupPolicySchema } from './backup.ts';
import { parseCron } from './calendar/cron.ts';
import { exclusionPattern } from './exclusion-pattern.ts';
import { hookMoments, hookSchema, hookSeconds } from './hook.ts';
import { validationSchema } from './validation.ts';

/**
 * Going back with these breaks more than it mends: all that runs is linked to them, they are what runs all, or it is
 * they that would have to bring themselves back, and could not read what newer ones have written.
 */
const neverRolledBack = [
  'glibc*',
  'lib32-glibc',
  'libc6*',
  'libc-bin',
  'systemd*',
  'libsystemd*',
  'libudev*',
  'udev',
  'selinux-policy*',
  'apt',
  'libapt-pkg*',
  'dpkg',
  'dnf*',
  'libdnf*',
  'yum',
  'rpm*',
  'libsolv*',
  'zypper',
  'libzypp*',
  'pacman',
];

const seconds = (fallback: number, minimum: number, maximum: number) =>
  z.number().int().min(minimum).max(maximum).default(fallback);

/** Run Command executes nothing for longer than 48 hours; with the longest of all time limits, this much is left for hooks, and for undoing them. */
const mostHookSeconds = 28_800;

/**
 * What a command may cost in time, as durations: a server's clock is never asked. What a host gets for its patch is the
 * sum of `patch`, `backup`, the time limits of the policy's hooks, and `reboot`, so that none of them lives on the time of
 * another (patchTimeBudget).
 */
const timeoutsSchema = z.object({
  /** How long a command may wait for its agent; Run Command takes 30 s to 30 days. */
  delivery: seconds(300, 30, 2_592_000),
  prepare: seconds(1800, 30, 172_800),
  /** The transaction, and all that is looked at around it: locks, simulation, services and probes. */
  patch: seconds(3600, 30, 86_400),
  /** The archive of the configuration, from its first file to its last byte in the backup bucket. */
  backup: seconds(300, 30, 14_400),
  /** From the moment at which a server goes down until it is up again. */
  reboot: seconds(300, 30, 7200),
  /** The same for bare metal, whose firmware alone may take ten minutes. */
  rebootMetal: seconds(1200, 30, 7200),
  verify: seconds(600, 30, 7200),
});

function refuseWrongCron(text: string, context: z.RefinementCtx): void {
  try {
    parseCron(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message, input: text });
  }
}

export const policySchema = z.object({
  schema: z.literal(1),
  name: z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'is not a policy name: lower case, digits and dashes'),
  /** Which updates are planned. A scan plans all of them, reports what it found, and installs nothing. */
  mode: z.enum(['all', 'security', 'scan']).default('all'),
  approval: z
    .object({ required: z.boolean(), timeoutSeconds: seconds(86_400 * 3, 60, 86_400 * 30) })
    .prefault({ required: true }),
  waves: z
    .object({
      /** Servers of the first wave. */
      canary: z.number().int().min(1).max(1000).default(1),
      /** Share of the other servers done after each later wave, in percent, rising to 100. */
      percentages: z
        .array(z.number().int().min(1).max(100))
        .min(1)
        .max(20)
        .default([25, 100])
        .refine((all) => all.at(-1) === 100, 'must end with 100, or some servers would never be patched')
        .refine((all) => all.every((share, i) => i === 0 || share > (all[i - 1] as number)), 'must rise'),
      /** Time a wave runs on its new versions before it is verified and the next begins. */
      soakSeconds: seconds(900, 0, 86_400),
    })
    .prefault({}),
  /** Patching stops when more servers than this, or a larger share of those dispatched, have failed. */
  errorBudget: z
    .object({
      failures: z.number().int().min(0).default(5),
      share: z.number().min(0).max(1).default(0.1),
    })
    .prefault({}),
  /** `separate-window` patches without one, and leaves a reboot that is needed to a job of its own. */
  reboot: z.enum(['never', 'if-needed', 'always', 'separate-window']).default('if-needed'),
  /** When reboots that are jobs of their own take place, in the zone of each server. */
  rebootWindow: z
    .object({
      cron: z.string().max(100).default('0 3 * * *').superRefine(refuseWrongCron),
      minutes: z.number().int().min(15).max(1440).default(120),
    })
    .prefault({}),
  removals: z.enum(['refuse', 'allow']).default('refuse'),
  /** Whether services that still use replaced files are restarted, where no reboot does it. */
  services: z.enum(['report', 'restart']).default('report'),
  backup: backupPolicySchema.prefault({}),
  hooks: z
    .array(hookSchema)
    .max(20)
    .default([])
    .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, 'names a hook twice')
    .refine(
      (all) => hookMoments.reduce((sum, moment) => sum + hookSeconds(all, moment), 0) <= mostHookSeconds,
      `has time limits of more than ${mostHookSeconds} seconds together: shorten timeoutSeconds`,
    ),
  validation: validationSchema.prefault({}),
  rollback: z
    .object({
      /**
       * How far the way back is climbed without a person when a patch failed or its server is not healthy: the packages,
       * then the configuration files that the transaction changed, then the kernel before. A root volume always needs
       * a person's approval.
       */
      automatic: z.enum(['none', 'packages', 'configuration', 'kernel']).default('configuration'),
      /** Seconds after the window's end in which a rollback may still begin: what a soak outlasts is left to people. */
      graceSeconds: seconds(3600, 0, 86_400),
      /** Whether the files of the versions before are kept on the server, where repositories still have them. */
      packages: z.enum(['keep', 'none']).default('keep'),
      /** What a server may keep for one campaign; what does not fit is covered by repositories or not at all. */
      maxBytes: z
        .number()
        .int()
        .min(0)
        .max(1024 ** 4)
        .default(1024 ** 3),
      keepDays: z.number().int().min(1).max(365).default(14),
      /** Package names or `*` globs that are never rolled back without a person. */
      never: z
        .array(z.string().regex(exclusionPattern, 'is not a package name or a * glob'))
        .max(100)
        .default([...neverRolledBack]),
    })
    .prefault({}),
  /** Whether it must be known that no unit failed; without systemd nobody can tell. */
  requireHealthy: z.boolean().default(true),
  /** Whether a server that is healthy and patched as planned, yet not compliant, counts as succeeded. */
  requireCompliant: z.boolean().default(true),
  maxMetadataAgeHours: z.number().int().min(1).max(720).default(24),
  timeouts: timeoutsSchema.prefault({}),
});
export type Policy = z.infer<typeof policySchema>;

/** Whether a patch may end in a restart. */
export function patchReboots({ reboot }: Policy): boolean {
  return reboot === 'if-needed' || reboot === 'always';
}

/** The kernel before is not the running one until the server has restarted, whatever patching may do. */
export function rollbackReboots(policy: Policy): boolean {
  return patchReboots(policy) || policy.rollback.automatic === 'kernel';
}

/** The agent asks for a shutdown in one minute. */
const shutdownDelay = 60;

function rebootBudget({ timeouts }: Policy, metal: boolean): number {
  return shutdownDelay + rebootTimeout(timeouts, metal);
}

export function rebootTimeout({ reboot, rebootMetal }: Policy['timeouts'], metal: boolean): number {
  return metal ? rebootMetal : reboot;
}

/**
 * Seconds a host gets for its patch. A job either goes on to its transaction and ends with a restart and the hooks after
 * it, or undoes the hooks before it: never both.
 */
export function patchTimeBudget(policy: Policy, metal = false): number {
  const { hooks, timeouts } = policy;
  const after = hookSeconds(hooks, 'after-patch') + (patchReboots(policy) ? rebootBudget(policy, metal) : 0);
  const before = hookSeconds(hooks, 'before-patch') + timeouts.backup;
  return before + timeouts.patch + Math.max(after, hookSeconds(hooks, 'before-patch', 'undo'));
}

/** What may be shortened where a patch has to fit into less time, in the words of the policy. */
export function patchLimits({ hooks }: Pick<Policy, 'hooks'>, metal = false): string {
  const timeouts = ['delivery', 'patch', 'backup', metal ? 'rebootMetal' : 'reboot'];
  return [
    ...timeouts.map((name) => `timeouts.${name}`),
    ...(hooks.length > 0 ? ['timeoutSeconds of hooks'] : []),
  ].join(', ');
}

/** Seconds a host gets for its way back: its packages are as many as those of the patch. */
export function rollbackTimeBudget(policy: Policy, metal = false): number {
  const { hooks, timeouts } = policy;
  const restart = rollbackReboots(policy) ? rebootBudget(policy, metal) : 0;
  const after = hookSeconds(hooks, 'after-rollback') + restart;
  const before = hookSeconds(hooks, 'before-rollback');
  return before + timeouts.patch + Math.max(after, hookSeconds(hooks, 'before-rollback', 'undo'));
}
