import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changes, createDnfFleet, dnfs, kernel, onEveryDnf, versions } from './dnf-fleet.ts';
import type { TrialFamilies } from './family-fleet.ts';
import { plain } from './family-fleet.ts';
import { shell } from './observe.ts';

const dependent = (version: string) => plain('tool', version, { requires: ['libtool'] });
const configured = (version: string, content: string) =>
  plain('conf', version, { files: { '/etc/conf.conf': { content, config: true } } });
const pair = (version: string) => [
  plain('pair', version, { epoch: 1, architecture: 'native' }),
  plain('pair', version, { epoch: 1, architecture: 'i686' }),
];
const installed = [
  dependent('1.0'),
  configured('1.0', 'as shipped\n'),
  ...pair('1.0'),
  ...['libtool', 'bystander', 'locked', 'old-half', 'new-half', 'fails', 'amazon-ssm-agent'].map((name) =>
    plain(name, '1.0'),
  ),
  kernel('1'),
];
const advisories = [
  {
    id: 'RLSA-2026:1',
    type: 'security',
    severity: 'Important',
    cves: ['CVE-2026-0001', 'CVE-2026-0002'],
    packages: ['libtool', 'fails'],
  },
  { id: 'RLBA-2026:2', type: 'bugfix', packages: ['bystander'] },
] as const;
const groups = [{ id: 'tools', name: 'Tools', packages: ['libtool', 'locked', 'absent'] }];

let fleet: TrialFamilies;
beforeAll(async () => {
  fleet = await createDnfFleet({ hosts: onEveryDnf('plan', 'held', 'asked'), installed });
});
afterAll(() => fleet?.close());

/** What the package manager keeps of itself; logs are not. */
const state =
  'find /var/lib/dnf /usr/lib/sysimage/libdnf5 /var/cache/*dnf* /var/lib/rpm /etc/dnf /etc/yum.repos.d -type f ! -name *-shm | sort | xargs sha256sum';

describe.each(dnfs)('a sealed plan on $manager', ({ manager, release }) => {
  it('is installed exactly, kernels beside others and both halves of a pair, and is restarted for', async () => {
    const host = fleet.host(`plan-${release}`);
    const parameters = { Removals: 'allow' };
    await shell(host, 'echo mine >/etc/conf.conf');
    const updates = [
      plain('tool', '1.1', { requires: ['libtool', 'tool-data'] }),
      ...['libtool', 'tool-data', 'amazon-ssm-agent'].map((name) => plain(name, '1.1')),
      ...pair('1.1'),
      configured('1.1', 'as shipped anew\n'),
      plain('new-half', '2.0', { obsoletes: ['old-half'] }),
      kernel('2'),
    ];
    await fleet.whilePublished(
      release,
      updates,
      async () => {
        await shell(host, 'dnf -q history >/dev/null');
        const untouched = await shell(host, state);
        const { run, plan } = await fleet.prepare(host, { parameters });
        expect(run.summary).toMatchObject({ code: 0, result: 'planned', reasons: [], warnings: [] });
        expect((await shell(host, state)).stdout).toBe(untouched.stdout);
        expect(changes(plan)).toEqual([
          'install kernel-core - 5.14.0-2',
          'install tool-data - 1.1-1',
          'replace old-half 1.0-1 -',
          'upgrade conf 1.0-1 1.1-1',
          'upgrade libtool 1.0-1 1.1-1',
          'upgrade new-half 1.0-1 2.0-1',
          'upgrade pair 1:1.0-1 1:1.1-1',
          'upgrade pair 1:1.0-1 1:1.1-1',
          'upgrade tool 1.0-1 1.1-1',
        ]);
        expect(plan.filter(({ security }) => security).map(({ name }) => name)).toEqual(['libtool']);
        expect(run.sections.get('advisories')).toBe(
          'RLSA-2026:1\tsecurity\timportant\tCVE-2026-0001,CVE-2026-0002\tlibtool\tnoarch\n',
        );
        expect(run.sections.get('totals')).toMatch(/^download\t\d+\ninstalled\t-?\d+\n$/);

        const patch = await fleet.run(host, 'patch', { plan, parameters });
        expect(patch.summary).toMatchObject({
          code: 0,
          result: 'patched',
          reasons: [],
          newer: 0,
          facts: { installed: true, rebootPending: false, rebooted: true, healthy: true, compliant: true },
          found: { leftovers: 1, integrityUnexpected: 0 },
        });
        expect(patch.workExits).toEqual([194, 0]);
        expect(await versions(host)).toMatchObject({
          tool: '1.1-1',
          'tool-data': '1.1-1',
          pair: '1.1-1',
          'new-half': '2.0-1',
          'kernel-core': '5.14.0-1 5.14.0-2',
          'amazon-ssm-agent': '1.0-1',
        });
        expect(await versions(host)).not.toHaveProperty('old-half');
        expect(await host.readFile('/etc/conf.conf')).toBe('mine\n');
        const reasons = await shell(
          host,
          'dnf -q -C repoquery --installed --qf "%{name} %{reason}" tool-data',
        );
        expect(reasons.stdout.trim().toLowerCase()).toBe('tool-data dependency');

        const verify = await fleet.run(host, 'verify', { plan, parameters });
        expect(verify.summary).toMatchObject({
          result: 'verified',
          facts: { installed: true, rebootPending: false, rebooted: true, healthy: true, compliant: true },
        });
      },
      { advisories: [{ ...advisories[0], packages: ['libtool'] }] },
    );
  });

  it('keeps exclusions and the operator’s locks, and installs what was sealed when newer is published', async () => {
    const host = fleet.host(`held-${release}`);
    await shell(host, 'dnf -q versionlock add locked-1.0-1.noarch; echo "exclude=new-*" >>/etc/dnf/dnf.conf');
    const updates = ['libtool', 'bystander', 'locked', 'new-half', 'fails'].map((name) => plain(name, '1.1'));
    const trial = { exclusions: ['by*'] };
    await fleet.whilePublished(release, updates, async () => {
      const { run, plan } = await fleet.prepare(host, trial);
      expect(changes(plan)).toEqual(['upgrade fails 1.0-1 1.1-1', 'upgrade libtool 1.0-1 1.1-1']);
      expect(run.summary.found).toMatchObject({ held: 2 });
      expect(run.sections.get('holds')).toMatch(/^locked(-0:1.0-1.[*])?\nnew-[*]\n$/);

      await shell(host, 'dnf -q versionlock add fails-1.0-1.noarch');
      const late = await fleet.run(host, 'patch', { ...trial, plan });
      expect(late.summary).toMatchObject({ code: 104, result: 'drifted' });
      expect(late.summary.reasons[0]?.detail).toContain('fails');
      expect(await versions(host)).toMatchObject({ libtool: '1.0-1', fails: '1.0-1' });
    });
    const sealed = { ...trial, campaign: '2027-q1-sealed' };
    const { plan } = await fleet.whilePublished(release, [plain('libtool', '1.1')], () =>
      fleet.prepare(host, sealed),
    );
    await fleet.whilePublished(
      release,
      ['libtool', 'bystander'].map((name) => plain(name, '1.2')),
      async () => {
        const patch = await fleet.run(host, 'patch', { ...sealed, plan });
        expect(patch.summary).toMatchObject({ result: 'patched', newer: 1, facts: { installed: true } });
        expect(patch.sections.get('newer')).toBe('libtool\tnoarch\t1.2-1\n');
        expect(await versions(host)).toMatchObject({ libtool: '1.1-1', bystander: '1.0-1', locked: '1.0-1' });
      },
    );
  });

  it('lets the oldest kernel make room for a new one, and has that in the plan, only where removals are allowed', async () => {
    const host = fleet.host(`asked-${release}`);
    const campaign = '2027-q1-kernels';
    const parameters = { Removals: 'allow', Reboot: 'never' };
    for (const n of ['2', '3'])
      await fleet.whilePublished(release, [kernel(n)], () => shell(host, 'dnf -y --refresh upgrade'));
    await fleet.whilePublished(release, [kernel('4')], async () => {
      const kept = await fleet.prepare(host, { campaign: '2027-q1-kept-kernels' });
      expect(changes(kept.plan)).toEqual(['install kernel-core - 5.14.0-4']);
      const { plan } = await fleet.prepare(host, { campaign, parameters });
      expect(changes(plan)).toEqual(['install kernel-core - 5.14.0-4', 'remove kernel-core 5.14.0-1 -']);
      const { summary } = await fleet.run(host, 'patch', { campaign, plan, parameters });
      expect(summary).toMatchObject({ result: 'patched', facts: { installed: true, rebootPending: true } });
      expect(await versions(host, 'kernel-core')).toEqual({ 'kernel-core': '5.14.0-2 5.14.0-3 5.14.0-4' });
    });
  });

  it('asks for a restart where an advisory does, as far as the package manager goes by advisories', async () => {
    const host = fleet.host(`held-${release}`);
    const parameters = { Reboot: 'never' };
    const suggested = { ...advisories[0], packages: ['bystander'], rebootSuggested: true };
    await fleet.whilePublished(
      release,
      [plain('bystander', '1.3')],
      async () => {
        const { plan } = await fleet.prepare(host, { campaign: '2027-q1-restart', parameters });
        const { summary } = await fleet.run(host, 'patch', { campaign: '2027-q1-restart', plan, parameters });
        expect(summary).toMatchObject({
          result: 'patched',
          facts: { installed: true, rebootPending: manager === 'dnf 5' },
          warnings:
            manager === 'dnf 5'
              ? [{ code: 'reboot-needed', detail: expect.stringContaining('since boot: bystander') }]
              : [],
        });
      },
      { advisories: [suggested] },
    );
  });

  it('has what was asked for: security, advisories, packages, groups, repositories; or says that it can not', async () => {
    const host = fleet.host(`asked-${release}`);
    let n = 0;
    const ask = async (Mode: string, names: string[] = [], disable: string[] = []) => {
      n += 1;
      const selection = { names, repositories: { enable: [], disable } };
      const { run, plan } = await fleet.prepare(host, {
        campaign: `2027-q1-asked-${n}`,
        terms: { selection, never: [] },
        parameters: { Mode, KeepPackages: 'none' },
      });
      return run.summary.code === 0 ? changes(plan) : [run.summary.result, run.summary.reasons[0]?.code];
    };
    const bystander = 'upgrade bystander 1.0-1 1.1-1';
    const libtool = 'upgrade libtool 1.0-1 1.1-1';
    await fleet.whilePublished(release, [plain('libtool', '1.1')], async () =>
      expect(await ask('security')).toEqual(['unsupported', 'no-security-repository']),
    );
    await fleet.whilePublished(
      release,
      [...['libtool', 'bystander'].map((name) => plain(name, '1.1')), dependent('1.1')],
      async () => {
        expect(await ask('security')).toEqual([libtool]);
        expect(await ask('advisories', ['CVE-2026-0002'])).toEqual([libtool]);
        expect(await ask('advisories', ['RLBA-2026:2'])).toEqual([bystander]);
        expect(await ask('advisories', ['CVE-2030-9999'])).toEqual(['unsupported', 'mode-unsupported']);
        expect(await ask('packages', ['bystander', 'not-here'])).toEqual([bystander]);
        expect(await ask('packages', ['not-here'])).toEqual(['nothing-to-do', undefined]);
        expect(await ask('groups', ['@tools'])).toEqual([libtool]);
        expect(await ask('groups', ['@no-such'])).toEqual(['unsupported', 'mode-unsupported']);
        expect(await ask('all', [], ['base*', 'fed*'])).toEqual(['blocked', 'repository-empty']);
      },
      { advisories: [{ ...advisories[0], packages: ['libtool'] }, advisories[1]], groups },
    );
  });
});
