import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { patchTimeBudget, policySchema } from '../../core/policy.ts';
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
      timeouts: { delivery: 300, prepare: 1800, patch: 3600, reboot: 300, rebootMetal: 1200, verify: 600 },
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
    expect(patchTimeBudget(policyOf({ reboot: 'never' }))).toBe(3600);
    expect(patchTimeBudget(policyOf({ reboot: 'separate-window' }))).toBe(3600);
    // The minute after which an agent shuts down is added.
    expect(patchTimeBudget(policyOf({ reboot: 'always' }))).toBe(3600 + 60 + 300);
    expect(patchTimeBudget(policyOf({ reboot: 'always' }), true)).toBe(3600 + 60 + 1200);
  });
});
