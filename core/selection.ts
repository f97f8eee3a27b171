/** Owns what a campaign asks for beyond its policy: named updates, repositories, and the release to resolve against. */
import * as z from 'zod';

/*
 * All of it reaches package managers of root, so nothing may begin like an option or hold what a shell, a glob or a
 * configuration file reads as more than a name. Names in use: RHSA-2026:1234, ALAS2023-2026-1, CVE-2026-12345,
 * openSUSE-SLE-15.6-2026-1, @development-tools, pattern names, libstdc++6.
 */
const name = z
  .string()
  .regex(
    /^@?[A-Za-z0-9][A-Za-z0-9+._:~-]{0,127}$/,
    'is not the name of an advisory, a CVE, a package or a group',
  );
const repository = z
  .string()
  .regex(/^[A-Za-z0-9*][A-Za-z0-9*._:+-]{0,127}$/, 'is not the id of a repository, in which * is any text');

const listOf = <T extends z.ZodType>(item: T) => z.array(item).max(200).default([]);

export const selectionSchema = z
  .object({
    /** Which updates instead of those that the policy's mode means; without it the policy decides. */
    mode: z.enum(['advisories', 'packages', 'groups']).optional(),
    /** Advisory or CVE ids, package names, or groups (zypper: patterns), as the mode says. */
    names: listOf(name),
    /** Repositories to turn on or leave out, for the resolution of this campaign alone. */
    repositories: z.object({ enable: listOf(repository), disable: listOf(repository) }).prefault({}),
    /** Release that Amazon Linux 2023 is updated to, `2023.9.20260112`: its repositories are locked to one. */
    release: z
      .string()
      .regex(
        /^2023[.][0-9]{1,3}[.][0-9]{8}$/,
        'is not a release: write it like 2023.9.20260112, never latest',
      )
      .optional(),
  })
  .superRefine(({ mode, names }, context) => {
    if (mode !== undefined && names.length === 0)
      context.addIssue({
        code: 'custom',
        message: `mode ${mode} needs names: list at least one`,
        path: ['names'],
      });
    if (mode === undefined && names.length > 0)
      context.addIssue({
        code: 'custom',
        message: 'names need a mode: advisories, packages or groups',
        path: ['mode'],
      });
    if (mode === 'advisories') {
      const odd = names.find((text) => !/^[A-Za-z][A-Za-z0-9]*[A-Za-z0-9._-]*-[A-Za-z0-9._:-]+$/.test(text));
      if (odd !== undefined)
        context.addIssue({ code: 'custom', message: `${odd} is not an advisory or CVE id`, path: ['names'] });
    }
  });
export type Selection = z.infer<typeof selectionSchema>;
