import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { patchTimeBudget, policySchema, rollbackTimeBudget } from '../../core/policy.ts';
import { policyOf } from '../support/samples.ts';

const hook = { name: 'drain', when: 'before-patch', run: { path: '/opt/drain' } };

describe('a policy', () => {
  test('that says only its name asks for an approval, a canary, a reboot where needed, and compliance', () => {
    expect(policySchema.parse({ schema: 1, name: 'production' })).toEqual({
      schema: 1,
      name: 'production',
      mode: 'all',
      approval: { required: true, timeoutSeconds: 259_200 },
      waves: { canary: 1, percentages: [25, 100], soakSeconds: 900 },
      errorBudget: { failures: 5, share: 0.1 },
      reboot: 'if-needed',
      rebootWindow: { cron: '0 3 * * *', minutes: 120 },
      removals: 'refuse',
      services: 'report',
      backup: {
        configuration: 'required',
        snapshots: 'none',
        paths: ['/etc'],
        exclude: [],
        maxBytes: 256 * 1024 ** 2,
        keepDays: 90,
        keepLast: 3,
      },
      hooks: [],
      validation: { services: [], probes: [], alarms: [] },
      rollback: {
        automatic: 'configuration',
        graceSeconds: 3600,
        packages: 'keep',
        maxBytes: 1024 ** 3,
        keepDays: 14,
        never: expect.arrayContaining(['glibc*', 'libc6*', 'systemd*', 'selinux-policy*']),
      },
      requireHealthy: true,
      requireCompliant: true,
      maxMetadataAgeHours: 24,
      timeouts: {
        delivery: 300,
        prepare: 1800,
        patch: 3600,
        backup: 300,
        reboot: 300,
        rebootMetal: 1200,
        verify: 600,
      },
    });
  });

  test('that says a part of something keeps the other parts', () => {
    const policy = policyOf({
      waves: { canary: 3 },
      errorBudget: { share: 0 },
      approval: { required: false },
    });
    expect(policy.waves).toEqual({ canary: 3, percentages: [25, 100], soakSeconds: 900 });
    expect(policy.errorBudget).toEqual({ failures: 5, share: 0 });
    expect(policy.approval.timeoutSeconds).toBe(259_200);
  });

  test.each([
    [{ name: 'Production' }, 'name', 'is not a policy name'],
    [{ name: 'a'.repeat(33) }, 'name', 'is not a policy name'],
    [{ waves: { percentages: [25, 50] } }, 'waves.percentages', 'must end with 100'],
    [{ waves: { percentages: [50, 50, 100] } }, 'waves.percentages', 'must rise'],
    [{ waves: { percentages: [50, 25, 100] } }, 'waves.percentages', 'must rise'],
    [{ waves: { percentages: [] } }, 'waves.percentages', 'Too small'],
    [{ waves: { percentages: [0, 100] } }, 'waves.percentages[0]', 'Too small'],
    [{ waves: { percentages: [12.5, 100] } }, 'waves.percentages[0]', 'expected int'],
    [{ waves: { canary: 0 } }, 'waves.canary', 'Too small'],
    [{ approval: {} }, 'approval.required', 'expected boolean'],
    [{ approval: { required: 'no' } }, 'approval.required', 'expected boolean'],
    [{ errorBudget: { share: 10 } }, 'errorBudget.share', 'Too big'],
    [{ errorBudget: { failures: -1 } }, 'errorBudget.failures', 'Too small'],
    [{ reboot: 'sometimes' }, 'reboot', '"never"|"if-needed"|"always"|"separate-window"'],
    [{ timeouts: { delivery: 29 } }, 'timeouts.delivery', 'Too small'],
    [{ timeouts: { patch: 86_401 } }, 'timeouts.patch', 'Too big'],
    [{ schema: 2 }, 'schema', 'expected 1'],
    [{ rebootWindow: { cron: '0 3 * *' } }, 'rebootWindow.cron', '0 3 * *'],
    [{ backup: { configuration: 'best-effort' } }, 'backup.waiver', 'say in words'],
    [{ backup: { paths: ['/etc/../root'] } }, 'backup.paths[0]', 'must not contain ..'],
    [{ backup: { paths: ['etc'] } }, 'backup.paths[0]', 'is not an absolute path'],
    [{ hooks: [hook, hook] }, 'hooks', 'names a hook twice'],
    [
      { hooks: Array.from({ length: 12 }, (_, i) => ({ ...hook, name: `h${i}`, timeoutSeconds: 3600 })) },
      'hooks',
      'time limits of more than 28800 seconds together',
    ],
    [{ hooks: [{ ...hook, run: { path: 'drain.sh' } }] }, 'hooks[0].run', 'is not an absolute path'],
    [
      { hooks: [{ ...hook, run: { object: 'hooks/drain.sh' } }] },
      'hooks[0].run',
      'needs a path on the server',
    ],
    [{ hooks: [{ ...hook, only: {} }] }, 'hooks[0].only', 'names neither servers nor hostGroups'],
    [
      { validation: { probes: [{ kind: 'http', name: 'web', url: 'ftp://localhost' }] } },
      'validation.probes[0].url',
      'Invalid URL',
    ],
    [
      { validation: { probes: [{ kind: 'command', name: 'web', command: ['check'] }] } },
      'validation.probes[0].command',
      'must begin with an absolute path',
    ],
  ])('of %j is refused, naming %s', (changes, path, message) => {
    const refused = policySchema.safeParse({ schema: 1, name: 'production', ...changes });
    const text = z.prettifyError(refused.error as z.ZodError);
    expect(text).toContain(message);
    expect(text).toContain(`at ${path}`);
  });

  test.each([
    ['debian', 'libc6', 'libc6-i386', 'apt', 'libapt-pkg7.0', 'dpkg', 'libsystemd0', 'udev'],
    [
      'rhel',
      'glibc-common',
      'dnf',
      'dnf5',
      'dnf-data',
      'libdnf5-cli',
      'yum',
      'rpm',
      'rpm-libs',
      'systemd-libs',
    ],
    ['suse', 'glibc', 'zypper', 'libzypp', 'libsolv-tools', 'rpm', 'libudev1', 'selinux-policy-targeted'],
    ['arch', 'glibc', 'lib32-glibc', 'pacman', 'systemd'],
  ])('leaves the going back of what everything of %s stands on to a person', (_, ...names) => {
    const globs = policyOf().rollback.never.map(
      (glob) => new RegExp(`^${glob.replaceAll('.', '[.]').replaceAll('*', '.*')}$`),
    );
    expect(names.filter((name) => !globs.some((glob) => glob.test(name)))).toEqual([]);
  });

  test('gives a host its time for a reboot only where it may reboot', () => {
    expect(patchTimeBudget(policyOf({ reboot: 'never' }))).toBe(3600 + 300);
    expect(patchTimeBudget(policyOf({ reboot: 'separate-window' }))).toBe(3600 + 300);
    // The minute after which an agent shuts down is added.
    expect(patchTimeBudget(policyOf({ reboot: 'always' }))).toBe(3600 + 300 + 60 + 300);
    expect(patchTimeBudget(policyOf({ reboot: 'always' }), true)).toBe(3600 + 300 + 60 + 1200);
  });

  test('gives a host the time of its backup and of its hooks beside that of its transaction', () => {
    const bare = policyOf({ reboot: 'never', timeouts: { patch: 1000, backup: 200 } });
    const of = (...hooks: object[]) => policyOf({ ...bare, hooks });
    const seconds = (...hooks: object[]) => [
      patchTimeBudget(of(...hooks)) - 1200,
      rollbackTimeBudget(of(...hooks)) - 1000,
    ];
    const at = (when: string, timeoutSeconds: number, more = {}) => ({
      ...hook,
      name: `${when}-${timeoutSeconds}`,
      when,
      timeoutSeconds,
      ...more,
    });
    const undo = { path: '/opt/undo' };
    expect(seconds()).toEqual([0, 0]);
    // Five more until one that does not listen has ended.
    expect(seconds(at('before-patch', 60), at('before-patch', 90))).toEqual([160, 0]);
    expect(seconds(at('before-patch', 60), at('after-patch', 30))).toEqual([100, 0]);
    expect(seconds(at('before-rollback', 60), at('after-rollback', 30))).toEqual([0, 100]);
    // Either it is undone, or it goes on to those after it.
    expect(seconds(at('before-patch', 60, { undo }), at('after-patch', 30))).toEqual([130, 0]);
    expect(seconds(at('before-patch', 60, { undo }), at('after-patch', 95))).toEqual([165, 0]);
    expect(seconds(at('before-rollback', 60, { undo }))).toEqual([0, 130]);
  });

  test('counts hooks of host groups for the longest group, since a server is in one', () => {
    const at = (name: string, timeoutSeconds: number, only: object) => ({
      ...hook,
      name,
      timeoutSeconds,
      only,
    });
    const hooks = [
      at('web', 60, { hostGroups: ['web'] }),
      at('both', 20, { hostGroups: ['web', 'db'] }),
      at('db', 100, { hostGroups: ['db'] }),
      at('one', 10, { servers: ['web-1'], hostGroups: ['cache'] }),
    ];
    expect(patchTimeBudget(policyOf({ hooks })) - patchTimeBudget(policyOf())).toBe(20 + 100 + 10 + 3 * 5);
  });

  test('keeps all that it may give a host within what Run Command executes', () => {
    const longest = { when: 'before-patch', timeoutSeconds: 3600, undo: { path: '/opt/undo' } };
    const policy = policyOf({
      reboot: 'always',
      timeouts: { patch: 86_400, backup: 14_400, rebootMetal: 7200 },
      hooks: Array.from({ length: 7 }, (_, i) => ({ ...hook, ...longest, name: `h${i}` })),
    });
    expect(patchTimeBudget(policy, true) + 60).toBeLessThanOrEqual(172_800);
    expect(rollbackTimeBudget(policy, true) + 60).toBeLessThanOrEqual(172_800);
  });
});
