/** Owns what the sections of a result object say, for every family and phase alike. */
import * as z from 'zod';
import { hookMoments } from './hook.ts';
import { parsePlanLine, planEntrySchema } from './plan.ts';

const name = z.string().min(1).max(300);
const bytes = z
  .string()
  .regex(/^-?\d{1,15}$/)
  .transform(Number);

const fileState = z
  .object({
    type: z.enum(['file', 'link']),
    /** Of the content, or of a link's target. */
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    /** Octal mode, numbers of owner and group: `644:0:0`. */
    attributes: z.string().regex(/^[0-7]{1,4}:\d+:\d+$/),
  })
  .nullable();

const versionSchema = z.object({ name, architecture: name, version: name });

export const resultSchema = z.object({
  /** prepare: the plan, as it was hashed. */
  plan: z.array(planEntrySchema).optional(),
  /**
   * prepare: why entries are there. Apart from the plan, since repositories complete their advisories later, and a plan
   * must not be another one for that.
   */
  advisories: z
    .array(
      z.object({
        /** As the vendor names it, `RHSA-2026:1234`. */
        id: name,
        kind: z.enum(['security', 'bugfix', 'enhancement', 'other']),
        /** The vendor's own word in lower case, or null. */
        severity: name.nullable(),
        cves: z.array(name),
        name,
        architecture: name,
      }),
    )
    .optional(),
  /** prepare: bytes to download, and by how much installed packages grow. */
  totals: z.object({ download: bytes, installed: bytes }).partial().optional(),
  /** patch, verify: published above the plan's version. */
  newer: z.array(versionSchema).optional(),
  before: z.array(versionSchema).optional(),
  after: z.array(versionSchema).optional(),
  /** Files of the plan's packages that are not as packages brought them. `what` is the family's own word for it. */
  integrity: z
    .array(z.object({ package: name.nullable(), path: name, what: name, config: z.boolean() }))
    .optional(),
  /** Units that still use replaced files. */
  services: z.array(name).optional(),
  /** What the policy asks of the server beside its packages, and what was seen of it. */
  validation: z
    .array(
      z.object({
        kind: z.enum(['service', 'http', 'tcp', 'command']),
        name,
        verdict: z.enum(['ok', 'failed', 'unknown']),
        detail: z.string().max(300),
      }),
    )
    .optional(),
  /** verify: packages outside of the plan that changed since the patch began; null is not there. */
  outside: z
    .array(z.object({ name, architecture: name, before: name.nullable(), now: name.nullable() }))
    .optional(),
  /** rollback: what was done on each rung, or would be; what was left and why can be told from the action. */
  steps: z
    .array(
      z.object({
        rung: z.enum(['packages', 'configuration', 'kernel']),
        /** `leave`: others changed it since, or it stays installed; `missing`: it can not be brought back. */
        action: z.enum(['back', 'remove', 'restore', 'leave', 'missing', 'boot']),
        /** A package, a path, or the release of a kernel. */
        subject: name,
        /** Versions of a package. */
        from: name.nullable(),
        to: name.nullable(),
      }),
    )
    .optional(),
  holds: z.array(name).optional(),
  /** prepare: packages of no enabled repository. */
  foreign: z.array(name).optional(),
  /** prepare: what Ubuntu Pro has for the server, and how many security updates it lacks for want of that; null is unknown. */
  pro: z
    .object({
      attached: z.boolean().nullable(),
      services: z.array(name),
      /** Suites of ESM that apt has. */
      pockets: z.array(name),
      updates: z.number().int().nonnegative().nullable(),
    })
    .optional(),
  /** Configuration files left beside the operator's. */
  leftovers: z.array(name).optional(),
  /** patch: files of the configuration that the transaction changed, brought (no `before`) or took (no `after`). */
  configuration: z
    .array(z.object({ path: z.string().min(1).max(4096), before: fileState, after: fileState }))
    .optional(),
  /** patch, rollback: in the order in which they ran. */
  hooks: z
    .array(
      z.object({
        moment: z.enum(hookMoments),
        name,
        kind: z.enum(['run', 'undo']),
        verdict: z.enum(['ok', 'failed']),
        /** Null where it never ran, or was ended for what it printed. */
        code: z.number().int().min(0).max(255).nullable(),
        seconds: z.number().int().nonnegative(),
      }),
    )
    .optional(),
  /** patch, where a backup was asked for: what was installed before it. */
  manifest: z
    .array(
      versionSchema.extend({
        /** Repository or vendor. */
        origin: name.nullable(),
        mark: z.enum(['manual', 'automatic']).nullable(),
        held: z.boolean(),
      }),
    )
    .optional(),
  /** patch, where a backup was asked for: files and links in it, as a restore has to bring them back. */
  files: z
    .array(
      z.object({
        path: name,
        type: z.enum(['f', 'l']),
        /** SHA-256 of a file, target of a link. */
        value: z.string(),
        /** Octal mode, and owner and group by number: `644:0:0`. */
        attributes: z.string().regex(/^[0-7]{1,5}:\d+:\d+$/),
      }),
    )
    .optional(),
  log: z.string().optional(),
});
export type Result = z.infer<typeof resultSchema>;

const orNull = (text: string | undefined) => (text === '-' ? null : text);

const listed = (text: string | undefined) => orNull(text)?.split(',') ?? [];

const readers: { [K in keyof Result]-?: (text: string) => unknown } = {
  plan: (text) => rows(text).map((row) => parsePlanLine(row.join('\t'))),
  advisories: (text) =>
    rows(text).map(([id, kind, severity, cves, name, architecture]) => ({
      id,
      kind,
      severity: orNull(severity),
      cves: cves === '-' ? [] : cves?.split(','),
      name,
      architecture,
    })),
  totals: (text) => Object.fromEntries(rows(text).map(([key, value]) => [key, value])),
  newer: versions,
  before: versions,
  after: versions,
  integrity: (text) =>
    rows(text).map(([owner, path, what, config]) => ({
      package: orNull(owner),
      path,
      what,
      config: z.enum(['config', 'file']).parse(config) === 'config',
    })),
  services: lines,
  validation: (text) => rows(text).map(([kind, name, verdict, detail]) => ({ kind, name, verdict, detail })),
  outside: (text) =>
    rows(text).map(([name, architecture, before, now]) => ({
      name,
      architecture,
      before: orNull(before),
      now: orNull(now),
    })),
  steps: (text) =>
    rows(text).map(([rung, action, subject, from, to]) => ({
      rung,
      action,
      subject,
      from: orNull(from),
      to: orNull(to),
    })),
  holds: lines,
  foreign: lines,
  pro: (text) => {
    const { attached, services, pockets, updates } = Object.fromEntries(rows(text));
    return {
      attached: attached === '-' ? null : attached === 'yes',
      services: listed(services),
      pockets: listed(pockets),
      updates: updates === '-' ? null : Number(updates),
    };
  },
  leftovers: lines,
  configuration: (text) =>
    rows(text).map(([path, type, sha256, attributes, ...after]) => ({
      path,
      before: stateOf([type, sha256, attributes]),
      after: stateOf(after),
    })),
  manifest: (text) =>
    rows(text).map(([name, architecture, version, origin, mark, held]) => ({
      name,
      architecture,
      version,
      origin: orNull(origin),
      mark: orNull(mark),
      held: held === 'held',
    })),
  files: (text) => rows(text).map(([path, type, value, attributes]) => ({ path, type, value, attributes })),
  hooks: (text) =>
    rows(text).map(([moment, name, kind, verdict, code, seconds]) => ({
      moment,
      name,
      kind,
      verdict,
      code: code === '-' ? null : Number(code),
      seconds: Number(seconds),
    })),
  log: (text) => text,
};

function stateOf([type, sha256, attributes]: readonly (string | undefined)[]): unknown {
  return type === '-' ? null : { type: type === 'l' ? 'link' : 'file', sha256, attributes };
}

/** @throws ZodError when a section does not hold what its name says */
export function readSections(sections: ReadonlyMap<string, string>): Result {
  return resultSchema.parse(
    Object.fromEntries(
      Object.entries(readers).flatMap(([key, read]) => {
        const text = sections.get(key);
        return text === undefined ? [] : [[key, read(text)]];
      }),
    ),
  );
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

function rows(text: string): string[][] {
  return lines(text).map((line) => line.split('\t'));
}

function versions(text: string): unknown {
  return rows(text).map(([name, architecture, version]) => ({ name, architecture, version }));
}
