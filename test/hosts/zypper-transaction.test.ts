import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FamilyRepository } from '../../apps/local/hosts/families/family-repository.ts';
import { plain, type TrialFamilies } from './family-fleet.ts';
import { shell } from './observe.ts';
import { changes, createZypperFleet, versions } from './zypper-fleet.ts';

const hosts = {
  sealed: 'leap-15',
  held: 'leap-15',
  security: 'leap-15',
  named: 'leap-15',
  replaced: 'leap-15',
  scripts: 'leap-15',
  rolling: 'tumbleweed',
  micro: 'sle-micro-5',
  idle: 'sles-15',
} as const;

const conf = (version: string, content: string) =>
  plain('conf-tool', version, { files: { '/etc/conf-tool.conf': { content, config: true } } });
const kernel = (version: string) =>
  plain('kernel-default', version, {
    provides: ['multiversion(kernel)', 'kernel'],
    files: { [`/usr/lib/modules/${version}-default/vmlinuz`]: { content: version } },
  });

const installed = [
  plain('ballast', '1.0'),
  plain('tool', '1.0', { requires: ['libtool9'] }),
  plain('libtool9', '1.0'),
  plain('bystander', '1.0'),
  plain('zypper', '1.0'),
  plain('amazon-ssm-agent', '3.0.0'),
  conf('1.0', 'as shipped\n'),
  plain('before-tool', '1.0'),
  plain('after-tool', '1.0'),
  plain('old-half', '1.0'),
  plain('new-half', '1.0'),
  kernel('6.4.0'),
];

let families: TrialFamilies;
let repository: FamilyRepository;

beforeAll(async () => {
  families = await createZypperFleet({ hosts, installed });
  repository = families.fleet.repository('leap-15');
  for (const release of new Set(Object.values(hosts)))
    await families.fleet.repository(release).publish('main', [plain('ballast', '1.0')]);
});
afterAll(() => families?.close());

describe('a sealed plan on zypper', () => {
  it('is installed exactly, with marks kept, and prepare leaves what zypper keeps as it was', async () => {
    const host = families.host('sealed');
    await shell(
      host,
      "zypper -n ref; echo as the operator wants >/etc/conf-tool.conf; printf 'libtool9\\n' >/var/lib/zypp/AutoInstalled; touch /root/before; sleep 0.1",
    );
    const updates = [
      plain('tool', '1.1', { requires: ['libtool9', 'tool-data'] }),
      plain('libtool9', '1.1'),
      plain('tool-data', '1.1'),
      plain('amazon-ssm-agent', '3.9.0'),
      conf('1.1', 'as shipped later\n'),
    ];
    const { run, plan } = await families.whilePublished('leap-15', updates, () => families.prepare(host));
    expect(run.summary).toMatchObject({ code: 0, result: 'planned', found: { held: 0 } });
    expect(changes(plan)).toEqual([
      'install tool-data - 1.1-1',
      'upgrade conf-tool 1.0-1 1.1-1',
      'upgrade libtool9 1.0-1 1.1-1',
      'upgrade tool 1.0-1 1.1-1',
    ]);
    expect(Number(/^download\t(\d+)$/m.exec(run.sections.get('totals') ?? '')?.[1])).toBe(
      run.summary.plan?.downloadBytes,
    );
    const written = await shell(
      host,
      'find /etc /var /usr /boot -xdev -newer /root/before -type f ! -path "/var/lib/quarterdeck/*" ! -path "/var/log/journal/*"',
    );
    expect(
      written.stdout
        .split('\n')
        .filter((path) => !/rpmdb\.sqlite-(shm|wal)$|^\/var\/lib\/YaST2\/cookies$|^$/.test(path)),
    ).toEqual([]);
    // The versions of the plan are gone from the repository, and newer ones are there.
    await families.whilePublished('leap-15', [plain('tool', '1.2'), plain('unplanned', '1.0')], async () => {
      const patch = await families.run(host, 'patch', { plan });
      expect(patch.summary).toMatchObject({
        code: 0,
        result: 'patched',
        reasons: [],
        newer: 1,
        facts: { installed: true, rebootPending: false, healthy: true },
        found: { integrityUnexpected: 0, leftovers: 1 },
      });
      expect(patch.sections.get('newer')).toBe('tool\tnoarch\t1.2-1\n');
      expect(patch.sections.get('leftovers')).toBe('/etc/conf-tool.conf.rpmnew\n');
      expect(patch.sections.get('integrity')).toMatch(/^-\t\/etc\/conf-tool.conf\t\S+\tconfig$/m);
      expect(await versions(host)).toMatchObject({
        tool: '1.1-1',
        libtool9: '1.1-1',
        'tool-data': '1.1-1',
        bystander: '1.0-1',
        'amazon-ssm-agent': '3.0.0-1',
      });
      expect((await shell(host, 'grep -v "^#" /var/lib/zypp/AutoInstalled; zypper -n ll')).stdout).toMatch(
        /^libtool9\n.*no package locks/s,
      );
      const { summary } = await families.run(host, 'verify', { plan });
      expect(summary).toMatchObject({ code: 0, result: 'verified', newer: 1, facts: { installed: true } });
      expect((await shell(host, 'ls /var/lib/quarterdeck/*')).stdout.trim()).toBe(
        'configuration\nold\nstate',
      );
    });
  });

  it('leaves out what the order excludes and the operator locked, and says what stays behind', async () => {
    const host = families.host('held');
    await shell(host, 'zypper -n al bystander; cp /etc/zypp/locks /root/locks');
    const updates = [
      plain('tool', '1.1'),
      plain('libtool9', '1.1'),
      plain('bystander', '1.1'),
      plain('new-half', '1.1', { requires: ['absent >= 2'] }),
      plain('zypper', '1.1', { vendor: 'Somebody else' }),
    ];
    await families.whilePublished('leap-15', updates, async () => {
      const { run, plan } = await families.prepare(host, { exclusions: ['libtool*'] });
      expect(changes(plan)).toEqual(['upgrade tool 1.0-1 1.1-1']);
      expect(run.sections.get('holds')).toBe('bystander\n');
      expect(run.summary.warnings.find(({ code }) => code === 'kept-back')?.detail).toContain(
        'bystander, libtool9, new-half',
      );
      const patch = await families.run(host, 'patch', { plan, exclusions: ['libtool*'] });
      expect(patch.summary).toMatchObject({ result: 'patched', facts: { installed: true } });
      expect(await versions(host)).toMatchObject({ tool: '1.1-1', libtool9: '1.0-1', bystander: '1.0-1' });
      expect((await shell(host, 'cmp /etc/zypp/locks /root/locks && zypper -n ll')).stdout).toContain(
        'bystander',
      );
    });
  });
});

describe('security updates on zypper', () => {
  const advisories = [
    {
      id: 'openSUSE-SLE-15.6-2026-1',
      type: 'security',
      severity: 'Important',
      cves: ['CVE-2026-0001', 'CVE-2026-0002'],
      packages: ['tool'],
      rebootSuggested: true,
    },
    { id: 'openSUSE-SLE-15.6-2026-2', type: 'bugfix', packages: ['bystander'] },
    { id: 'openSUSE-SLE-15.6-2026-3', type: 'security', packages: ['zypper'], restartSuggested: true },
  ] as const;
  const updates = [
    plain('tool', '1.1'),
    plain('bystander', '1.1'),
    plain('zypper', '1.1'),
    plain('libtool9', '1.1'),
  ];

  it('are unsupported where no repository publishes patches', async () => {
    await families.whilePublished('leap-15', updates, async () => {
      const { run } = await families.prepare(families.host('security'), { parameters: { Mode: 'security' } });
      expect(run.summary).toMatchObject({
        code: 107,
        result: 'unsupported',
        reasons: [{ code: 'no-security-repository' }],
      });
    });
  });

  it('come with those of the update stack and those that ask for a reboot, which then takes place', async () => {
    const host = families.host('security');
    const publication = () =>
      families.whilePublished(
        'leap-15',
        updates,
        async () => {
          const { run, plan } = await families.prepare(host, { parameters: { Mode: 'security' } });
          expect(changes(plan)).toEqual(['upgrade tool 1.0-1 1.1-1', 'upgrade zypper 1.0-1 1.1-1']);
          expect(plan.every(({ security }) => security)).toBe(true);
          expect(run.sections.get('advisories')).toBe(
            [
              'openSUSE-SLE-15.6-2026-1\tsecurity\timportant\tCVE-2026-0001,CVE-2026-0002\ttool\tnoarch\n',
              'openSUSE-SLE-15.6-2026-3\tsecurity\t-\t-\tzypper\tnoarch\n',
            ].join(''),
          );
          expect(run.summary.facts.rebootPending).toBe(false);
          const patch = await families.run(host, 'patch', { plan });
          expect(patch.summary).toMatchObject({
            result: 'patched',
            facts: { installed: true, rebooted: true, rebootPending: false, healthy: true },
          });
          expect(patch.summary.boot?.before).not.toBe(patch.summary.boot?.after);
          const again = await families.prepare(host, {
            campaign: '2027-q1-again',
            parameters: { Mode: 'security' },
          });
          expect(again.run.summary).toMatchObject({
            code: 2,
            result: 'nothing-to-do',
            facts: { installed: true },
          });
        },
        { advisories },
      );
    await publication();
  });

  it('go by name: advisories, CVEs, packages and patterns, and what nobody knows is unsupported', async () => {
    const host = families.host('named');
    const pattern = plain('patterns-base-web', '1.0', {
      provides: ['pattern() = web'],
      requires: ['libtool9', 'never-installed'],
    });
    const planned = async (Mode: string, ...names: string[]) => {
      const selection = { names, repositories: { enable: [], disable: [] } };
      const { run, plan } = await families.prepare(host, {
        campaign: `2027-q1-${Mode}-${names.length}`,
        parameters: { Mode },
        terms: { never: [], selection },
      });
      return [run.summary.result, ...changes(plan)];
    };
    await families.whilePublished(
      'leap-15',
      [...updates, pattern],
      async () => {
        expect(await planned('advisories', 'CVE-2026-0002')).toEqual(['planned', 'upgrade tool 1.0-1 1.1-1']);
        expect(await planned('advisories', 'openSUSE-SLE-15.6-2026-2', 'openSUSE-SLE-15.6-2026-3')).toEqual([
          'planned',
          'upgrade bystander 1.0-1 1.1-1',
          'upgrade zypper 1.0-1 1.1-1',
        ]);
        expect(await planned('advisories', 'CVE-1999-0001', 'a', 'b')).toEqual(['unsupported']);
        expect(await planned('packages', 'tool', 'not-installed')).toEqual([
          'planned',
          'upgrade tool 1.0-1 1.1-1',
        ]);
        expect(await planned('packages', 'not-installed')).toEqual(['nothing-to-do']);
        expect(await planned('groups', 'web')).toEqual(['planned', 'upgrade libtool9 1.0-1 1.1-1']);
        expect(await planned('groups', 'web', 'nobody')).toEqual(['unsupported']);
      },
      { advisories },
    );
  });
});

describe('removals on zypper', () => {
  it('need permission; a package that another replaces comes back with it', async () => {
    const host = families.host('replaced');
    const before = [plain('old-half', '1.0'), plain('new-half', '1.0')];
    await repository.publish('main', before);
    const merged = plain('new-half', '1.1', { obsoletes: ['old-half'] });
    await families.whilePublished('leap-15', [merged, plain('tool', '1.1')], async () => {
      const refused = await families.prepare(host, { campaign: '2027-q1-refused' });
      expect(changes(refused.plan)).toEqual(['upgrade tool 1.0-1 1.1-1']);
      expect(refused.run.summary.warnings.find(({ code }) => code === 'kept-back')?.detail).toContain(
        'new-half',
      );
      const { plan } = await families.prepare(host, { parameters: { Removals: 'allow' } });
      expect(changes(plan)).toEqual([
        'replace old-half 1.0-1 -',
        'upgrade new-half 1.0-1 1.1-1',
        'upgrade tool 1.0-1 1.1-1',
      ]);
      expect(plan.map(({ rollback }) => rollback)).toEqual(['kept', 'kept', 'none']);
      const patch = await families.run(host, 'patch', { plan });
      expect(patch.summary).toMatchObject({ result: 'patched', facts: { installed: true } });
      expect(await versions(host, 'old-half', 'new-half')).toEqual({ 'new-half': '1.1-1' });
    });
  });
});

describe('scripts on zypper', () => {
  it('that fail are found, whatever zypper thinks of it', async () => {
    const host = families.host('scripts');
    const failing = (name: string, script: string) =>
      plain(name, '1.1', { scripts: { [script]: 'echo no luck; exit 1' } });
    const attempt = async (campaign: string) => {
      const { plan } = await families.prepare(host, { campaign });
      return families.run(host, 'patch', { plan, campaign });
    };
    await families.whilePublished('leap-15', [failing('after-tool', 'afterInstall')], async () => {
      const { summary } = await attempt('2027-q1-after');
      expect(summary).toMatchObject({ code: 100, result: 'failed', facts: { installed: true } });
      expect(summary.reasons[0]).toMatchObject({
        code: 'package-manager',
        detail: expect.stringMatching(/^zypper ended with 107: .*%post\(after-tool-1\.1-1.*scriptlet failed/),
      });
    });
    await families.whilePublished('leap-15', [failing('before-tool', 'beforeInstall')], async () => {
      const { summary } = await attempt('2027-q1-before');
      expect(summary).toMatchObject({ code: 100, result: 'failed', facts: { installed: false } });
      expect(summary.reasons.map(({ code }) => code)).toEqual(['not-installed', 'package-manager']);
      expect(summary.reasons[1]?.detail).toMatch(/^zypper ended with 8: .*before-tool/);
      expect(await versions(host, 'before-tool')).toEqual({ 'before-tool': '1.0-1' });
    });
  });
});

describe('distributions with zypper', () => {
  it('that roll are upgraded as a whole, also to older versions, and are not asked for security alone', async () => {
    const host = families.host('rolling');
    await families.whilePublished(
      'tumbleweed',
      [plain('tool', '0.9'), plain('libtool9', '1.1')],
      async () => {
        const { run } = await families.prepare(host, {
          campaign: '2027-q1-secure',
          parameters: { Mode: 'security' },
        });
        expect(run.summary).toMatchObject({ code: 107, reasons: [{ code: 'mode-unsupported' }] });
        const { plan } = await families.prepare(host);
        expect(changes(plan)).toEqual(['downgrade tool 1.0-1 0.9-1', 'upgrade libtool9 1.0-1 1.1-1']);
        const patch = await families.run(host, 'patch', { plan });
        expect(patch.summary).toMatchObject({
          result: 'patched',
          facts: { installed: true, compliant: true },
        });
        expect(await versions(host, 'tool')).toEqual({ tool: '0.9-1' });
      },
    );
  });

  it('are not moved to packages of another vendor', async () => {
    const foreign = plain('bystander', '2.0', { vendor: 'Somebody else' });
    await families.whilePublished('tumbleweed', [foreign], async () => {
      const { run } = await families.prepare(families.host('rolling'), { campaign: '2027-q1-vendor' });
      expect(run.summary).toMatchObject({
        code: 100,
        result: 'blocked',
        reasons: [{ code: 'resolver-failed' }],
      });
      expect(run.summary.reasons[0]?.detail).toContain('bystander');
    });
  });

  it('whose root is not written to are told so', async () => {
    const { run } = await families.prepare(families.host('micro'));
    expect(run.summary).toMatchObject({
      code: 107,
      result: 'unsupported',
      reasons: [{ code: 'variant-unknown' }],
    });
    expect(run.summary.reasons[0]?.detail).toContain('transactional-update');
  });

  it('are not compliant past their end, unless long-term support is there', async () => {
    const host = families.host('idle');
    const { run } = await families.prepare(host);
    expect(run.summary).toMatchObject({
      code: 2,
      result: 'nothing-to-do',
      facts: { installed: true, compliant: false },
      warnings: [{ code: 'release-end-of-life' }],
    });
    await shell(host, "sed -i 's/^.repo-extra./[SLE-LTSS-Updates]/' /etc/zypp/repos.d/repo-extra.repo");
    expect((await families.prepare(host, { campaign: '2027-q1-ltss' })).run.summary).toMatchObject({
      code: 2,
      facts: { compliant: true },
      warnings: [],
    });
  });
});

describe('repositories of zypper', () => {
  it('are left out and enabled by the order, and stay for the operator as they are', async () => {
    const host = families.host('idle');
    const extra = families.fleet.repository('sles-15');
    await shell(host, "sed -i 's/^enabled=1/enabled=0/' /etc/zypp/repos.d/repo-extra.repo");
    await extra.publish('main', [plain('tool', '1.1')]);
    await extra.publish('extra', [plain('libtool9', '1.1')]);
    const planned = async (enable: string[], disable: string[]) => {
      const { run, plan } = await families.prepare(host, {
        campaign: `2027-q1-${enable.length}-${disable.length}`,
        terms: { never: [], selection: { names: [], repositories: { enable, disable } } },
      });
      return [run.summary.reasons[0]?.code, ...changes(plan)];
    };
    expect(await planned([], [])).toEqual([undefined, 'upgrade tool 1.0-1 1.1-1']);
    expect(await planned(['SLE-*'], ['repo-up*'])).toEqual([undefined, 'upgrade libtool9 1.0-1 1.1-1']);
    expect(await planned([], ['*'])).toEqual(['no-repositories']);
    expect((await shell(host, 'grep -h enabled /etc/zypp/repos.d/*')).stdout).toBe('enabled=0\nenabled=1\n');
  });
});

describe('kernels on zypper', () => {
  it('come beside the one that is there, need a reboot, and stay when the rest goes back', async () => {
    const host = families.host('named');
    await families.whilePublished('leap-15', [kernel('6.4.1')], async () => {
      const { plan } = await families.prepare(host, { campaign: '2027-q1-kernel' });
      expect(changes(plan)).toEqual(['install kernel-default - 6.4.1-1']);
      const patch = await families.run(host, 'patch', {
        plan,
        campaign: '2027-q1-kernel',
        parameters: { Reboot: 'never' },
      });
      expect(patch.summary).toMatchObject({
        result: 'patched',
        facts: { installed: true, rebootPending: true },
      });
      expect(patch.summary.warnings.map(({ code }) => code)).toContain('reboot-needed');
      expect(await versions(host, 'kernel-default')).toEqual({ 'kernel-default': '6.4.0-1 6.4.1-1' });
      const back = await families.run(host, 'rollback', { plan, campaign: '2027-q1-kernel' });
      expect(back.summary).toMatchObject({ code: 2, warnings: [{ code: 'kernel-left' }] });
    });
  });

  it('leave the boot default with a way back, by the name that GRUB has for the one before', async () => {
    const host = families.host('named');
    const trial = { campaign: '2027-q1-grub', parameters: { Reboot: 'never' } };
    const entry = (release: string) =>
      `\tmenuentry 'SLES 15, with Linux ${release}' $menuentry_id_option 'gnulinux-${release}-advanced-0a' {\n\t}\n`;
    await host.writeFile(
      '/boot/grub2/grub.cfg',
      `set default="\${saved_entry}"\nsubmenu 'Advanced' $menuentry_id_option 'gnulinux-advanced-0a' {\n${['6.4.2-1-default', '6.4.0-1-default'].map(entry).join('')}}\n`,
      0o644,
    );
    await host.writeFile('/usr/sbin/grub2-set-default', '#!/bin/sh\necho "$*" >/root/chosen\n', 0o755);
    await shell(host, 'cd /boot && touch vmlinuz-6.4.2-1-default vmlinuz-6.4.0-1-default');
    await families.whilePublished('leap-15', [kernel('6.4.2')], async () => {
      const { plan } = await families.prepare(host, trial);
      expect((await families.run(host, 'patch', { ...trial, plan })).summary.result).toBe('patched');
      const { summary, workExits } = await families.run(host, 'rollback', { ...trial, plan });
      expect(workExits).toEqual([0]);
      expect(summary).toMatchObject({
        code: 0,
        result: 'rolled-back',
        rungs: [{ rung: 'packages' }],
        facts: { rebootPending: true },
      });
      expect(summary.warnings).toContainEqual({
        code: 'kernel-left',
        detail: 'stays installed, and 6.4.0-1-default is booted from now on: kernel-default',
      });
    });
    expect(await host.readFile('/root/chosen')).toBe(
      'gnulinux-advanced-0a>gnulinux-6.4.0-1-default-advanced-0a\n',
    );
  });
});
