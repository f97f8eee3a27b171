import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Host } from '../../apps/local/hosts/host.ts';
import { type AptFleet, createAptFleet, plain } from './apt-fleet.ts';
import { shell } from './observe.ts';

const names = [
  'sealed',
  'excluded',
  'held',
  'newer',
  'conffile',
  'postinst',
  'idle',
  'security',
  'removal',
  'unit',
];

const shippedConffile = (version: string, content: string) =>
  plain('conf-tool', version, { files: { '/etc/conf-tool.conf': { conffile: true, content } } });

const dying = (version: string, script: string) =>
  plain('unit-tool', version, {
    files: {
      '/usr/lib/systemd/system/unit-tool.service': {
        content: `[Service]\nType=oneshot\nExecStart=${script}\n`,
      },
    },
    scripts: {
      postinst:
        '#!/bin/sh\nset -e\n[ -d /run/systemd/system ] || exit 0\nsystemctl daemon-reload\nsystemctl restart unit-tool.service || true\n',
    },
  });

let fleet: AptFleet;

beforeAll(async () => {
  fleet = await createAptFleet({
    names,
    installed: [
      plain('tool', '1.0-1', { depends: 'libtool9' }),
      plain('libtool9', '1.0-1'),
      plain('bystander', '1.0-1'),
      plain('amazon-ssm-agent', '3.0.0-1'),
      shippedConffile('1.0-1', 'as shipped\n'),
      plain('script-tool', '1.0-1'),
      dying('1.0-1', '/bin/true'),
      plain('old-half', '1.0-1'),
      plain('new-half', '1.0-1'),
    ],
    automatic: ['libtool9'],
  });
});

afterAll(() => fleet?.close());

const versions = async (host: Host) =>
  Object.fromEntries(
    (await shell(host, `dpkg-query -W -f '\${Package} \${Version} \${db:Status-Abbrev}\\n'`)).stdout
      .trim()
      .split('\n')
      .map((line) => line.trim().split(' '))
      .map(([name, version, state]) => [
        name,
        state === 'ii' || state === 'hi' ? version : `${version} ${state}`,
      ]),
  );

const changes = (plan: readonly { action: string; name: string; from: string | null; to: string | null }[]) =>
  plan.map(({ action, name, from, to }) => `${action} ${name} ${from ?? '-'} ${to ?? '-'}`);

describe('a sealed plan on apt', () => {
  it('is installed exactly, with marks kept, and prepare leaves the state of apt as it was', async () => {
    const host = fleet.host('sealed');
    await fleet.whilePublished(
      'stable',
      [
        plain('tool', '1.1-1', { depends: 'libtool9, tool-data' }),
        plain('libtool9', '1.1-1'),
        plain('tool-data', '1.1-1'),
        plain('amazon-ssm-agent', '3.9.0-1'),
      ],
      async () => {
        const aptState =
          'find /var/lib/apt /var/cache/apt /etc/apt /var/lib/dpkg -type f | sort | xargs sha256sum';
        const untouched = await shell(host, aptState);
        const { run, plan } = await fleet.prepare(host);
        expect(run.summary).toMatchObject({ code: 0, result: 'planned', reasons: [], warnings: [] });
        expect(changes(plan)).toEqual([
          'install tool-data - 1.1-1',
          'upgrade libtool9 1.0-1 1.1-1',
          'upgrade tool 1.0-1 1.1-1',
        ]);
        expect((await shell(host, aptState)).stdout).toBe(untouched.stdout);
        const before = await versions(host);

        const patch = await fleet.run(host, 'patch', { plan });
        expect(patch).toMatchObject({ exit: 0, workExits: [0] });
        expect(patch.summary).toMatchObject({
          code: 0,
          result: 'patched',
          reasons: [],
          newer: 0,
          facts: { installed: true, rebootPending: false, rebooted: false, healthy: true, compliant: true },
        });
        expect(await versions(host)).toEqual({
          ...before,
          tool: '1.1-1',
          libtool9: '1.1-1',
          'tool-data': '1.1-1',
        });
        expect((await shell(host, 'apt-mark showauto | sort')).stdout.split('\n')).toEqual([
          'libtool9',
          'tool-data',
          '',
        ]);
        expect(patch.sections.get('before')).toBe('libtool9\tall\t1.0-1\ntool\tall\t1.0-1\n');
        expect(patch.sections.get('after')).toContain('tool-data\tall\t1.1-1\n');

        const verify = await fleet.run(host, 'verify', { plan });
        expect(verify.summary).toMatchObject({
          result: 'verified',
          facts: { installed: true, rebootPending: false, rebooted: false, healthy: true, compliant: true },
        });
      },
    );
  });

  it('is run once: a second command gives the recorded result and does nothing', async () => {
    const host = fleet.host('sealed');
    const { plan } = await fleet.prepare(host);
    expect(changes(plan)).toContain('upgrade tool 1.0-1 1.1-1');
    await shell(host, 'dpkg --force-all --remove tool-data');
    const again = await fleet.run(host, 'patch', { plan });
    expect(again.summary).toMatchObject({ result: 'patched', facts: { installed: true } });
    expect(again.log).toContain('already');
    expect(await versions(host)).not.toHaveProperty('tool-data');
  });

  it('leaves excluded packages alone, by name and by glob', async () => {
    const host = fleet.host('excluded');
    await fleet.whilePublished(
      'stable',
      [
        plain('tool', '1.1-1', { depends: 'libtool9' }),
        plain('libtool9', '1.1-1'),
        plain('bystander', '1.1-1'),
      ],
      async () => {
        const { plan } = await fleet.prepare(host, { exclusions: ['libto*', 'bystander'] });
        expect(changes(plan)).toEqual(['upgrade tool 1.0-1 1.1-1']);
        await fleet.run(host, 'patch', { plan, exclusions: ['libto*', 'bystander'] });
        expect(await versions(host)).toMatchObject({ tool: '1.1-1', libtool9: '1.0-1', bystander: '1.0-1' });
      },
    );
  });

  it("keeps the operator's holds and preferences, before and after sealing", async () => {
    const host = fleet.host('held');
    await shell(host, 'apt-mark hold libtool9');
    await host.writeFile(
      '/etc/apt/preferences',
      'Package: bystander\nPin: version 1.1-1\nPin-Priority: 990\n',
      0o644,
    );
    await fleet.whilePublished(
      'stable',
      [
        plain('tool', '1.1-1', { depends: 'libtool9' }),
        plain('libtool9', '1.1-1'),
        plain('bystander', '1.1-1'),
        plain('bystander', '1.2-1'),
        plain('script-tool', '1.1-1'),
      ],
      async () => {
        const { run, plan } = await fleet.prepare(host);
        expect(changes(plan)).toEqual([
          'upgrade bystander 1.0-1 1.1-1',
          'upgrade script-tool 1.0-1 1.1-1',
          'upgrade tool 1.0-1 1.1-1',
        ]);
        expect(run.summary.warnings).toContainEqual(expect.objectContaining({ code: 'kept-back' }));
        await host.writeFile(
          '/etc/apt/preferences.d/script-tool',
          'Package: script-tool\nPin: release *\nPin-Priority: -1\n',
          0o644,
        );
        const pinned = await fleet.run(host, 'patch', { plan });
        expect(pinned.summary).toMatchObject({ code: 104, result: 'drifted' });
        expect(pinned.summary.reasons[0]?.detail).toContain('script-tool');
        expect(await versions(host)).toMatchObject({ tool: '1.0-1', bystander: '1.0-1' });

        const { plan: second } = await fleet.prepare(host, { campaign: '2027-q1-held-again' });
        await fleet.run(host, 'patch', { plan: second, campaign: '2027-q1-held-again' });
        expect(await versions(host)).toMatchObject({
          tool: '1.1-1',
          libtool9: '1.0-1',
          bystander: '1.1-1',
          'script-tool': '1.0-1',
        });
        expect((await shell(host, 'apt-mark showhold')).stdout).toBe('libtool9\n');
      },
    );
  });

  it('is what gets installed when something newer was published and the mirror dropped what was sealed', async () => {
    const host = fleet.host('newer');
    const sealed = await fleet.whilePublished('stable', [plain('bystander', '1.1-1')], () =>
      fleet.prepare(host),
    );
    await fleet.whilePublished(
      'stable',
      [plain('bystander', '1.2-1'), plain('script-tool', '1.1-1')],
      async () => {
        const patch = await fleet.run(host, 'patch', { plan: sealed.plan });
        expect(patch.summary).toMatchObject({ result: 'patched', newer: 1, facts: { installed: true } });
        expect(patch.sections.get('newer')).toBe('bystander\tall\t1.2-1\n');
        expect(await versions(host)).toMatchObject({ bystander: '1.1-1', 'script-tool': '1.0-1' });
      },
    );
  });

  it('keeps configuration files that the operator changed', async () => {
    const host = fleet.host('conffile');
    await host.writeFile('/etc/conf-tool.conf', 'as the operator wants it\n', 0o644);
    await fleet.whilePublished('stable', [shippedConffile('1.1-1', 'as shipped anew\n')], async () => {
      const { plan } = await fleet.prepare(host);
      const patch = await fleet.run(host, 'patch', { plan });
      expect(patch.summary.facts.installed).toBe(true);
      expect(await host.readFile('/etc/conf-tool.conf')).toBe('as the operator wants it\n');
    });
  });

  it('has failed when a maintainer script failed, and the package is named', async () => {
    const host = fleet.host('postinst');
    const failing = plain('script-tool', '1.1-1', {
      scripts: { postinst: '#!/bin/sh\necho no luck\nexit 3\n' },
    });
    await fleet.whilePublished('stable', [failing, plain('bystander', '1.1-1')], async () => {
      const { plan } = await fleet.prepare(host);
      const patch = await fleet.run(host, 'patch', { plan, parameters: { Reboot: 'always' } });
      expect(patch.summary).toMatchObject({
        code: 100,
        result: 'failed',
        facts: { installed: false, rebooted: false },
      });
      expect(patch.exit).toBe(1);
      expect(patch.summary.reasons.map(({ code }) => code)).toEqual(
        expect.arrayContaining(['not-configured', 'package-manager', 'reboot-withheld']),
      );
      expect(patch.summary.reasons[0]?.detail).toContain('script-tool');
      expect(patch.sections.get('log')).toContain('no luck');
      const verify = await fleet.run(host, 'verify', { plan });
      expect(verify.summary.facts).toMatchObject({ installed: false, compliant: false });
    });
  });

  it('is empty, with code 2, when there is nothing to do', async () => {
    const host = fleet.host('idle');
    await fleet.whilePublished('stable', [plain('bystander', '1.0-1')], async () => {
      const { run, plan } = await fleet.prepare(host);
      expect(plan).toEqual([]);
      expect(run.summary).toMatchObject({ code: 2, result: 'nothing-to-do', plan: { entries: 0 } });
      expect(run.exit).toBe(0);
    });
  });

  it('counts what someone else installed meanwhile as satisfied', async () => {
    const host = fleet.host('idle');
    const campaign = '2027-q1-satisfied';
    await fleet.whilePublished(
      'stable',
      [plain('bystander', '1.1-1'), plain('bystander', '1.2-1')],
      async () => {
        const { plan } = await fleet.prepare(host, { campaign });
        await shell(host, 'apt-get -qq update && apt-get -qq install bystander=1.2-1');
        const patch = await fleet.run(host, 'patch', { plan, campaign });
        expect(patch.summary).toMatchObject({ code: 2, result: 'nothing-to-do', facts: { installed: true } });
        expect(patch.exit).toBe(0);
      },
    );
  });

  it('brings security updates alone where asked, also those that a newer update hides', async () => {
    const host = fleet.host('security');
    const campaign = '2027-q1-security';
    await fleet.whilePublished(
      'stable-security',
      [
        plain('tool', '1.0-1+deb13u1', { depends: 'libtool9, tool-data' }),
        plain('libtool9', '1.0-1+deb13u1'),
      ],
      () =>
        fleet.whilePublished(
          'stable',
          [plain('libtool9', '1.9-1'), plain('bystander', '1.1-1'), plain('tool-data', '1.0-1')],
          async () => {
            const { plan } = await fleet.prepare(host, { campaign, parameters: { Mode: 'security' } });
            expect(changes(plan)).toEqual([
              'install tool-data - 1.0-1',
              'upgrade libtool9 1.0-1 1.0-1+deb13u1',
              'upgrade tool 1.0-1 1.0-1+deb13u1',
            ]);
            expect(plan.map(({ security }) => security)).toEqual([false, true, true]);
            const patch = await fleet.run(host, 'patch', {
              plan,
              campaign,
              parameters: { Mode: 'security' },
            });
            expect(patch.summary).toMatchObject({ result: 'patched', newer: 1 });
            expect(await versions(host)).toMatchObject({ libtool9: '1.0-1+deb13u1', bystander: '1.0-1' });
          },
        ),
    );
  });

  it('removes packages only where the policy allows it', async () => {
    const host = fleet.host('removal');
    await fleet.whilePublished(
      'stable',
      [plain('new-half', '2.0-1', { conflicts: 'old-half', replaces: 'old-half' })],
      async () => {
        const refused = await fleet.prepare(host, { campaign: '2027-q1-refuse' });
        expect(refused.plan).toEqual([]);
        expect(refused.run.summary.warnings).toContainEqual(expect.objectContaining({ code: 'kept-back' }));
        const parameters = { Removals: 'allow' };
        const { plan } = await fleet.prepare(host, { parameters });
        expect(changes(plan)).toEqual(['remove old-half 1.0-1 -', 'upgrade new-half 1.0-1 2.0-1']);
        const patch = await fleet.run(host, 'patch', { plan, parameters });
        expect(patch.summary).toMatchObject({ result: 'patched', facts: { installed: true } });
        expect(await versions(host)).not.toHaveProperty('old-half');
      },
    );
  });

  it('leaves a server unhealthy when a unit fails that had not failed before', async () => {
    const host = fleet.host('unit');
    await host.writeFile(
      '/etc/systemd/system/always-broken.service',
      '[Service]\nType=oneshot\nExecStart=/bin/false\n',
      0o644,
    );
    await shell(host, 'systemctl start always-broken.service');
    await fleet.whilePublished('stable', [dying('1.1-1', '/bin/false')], async () => {
      const { run, plan } = await fleet.prepare(host);
      expect(run.summary.warnings[0]?.detail).toContain('always-broken.service');
      const patch = await fleet.run(host, 'patch', { plan });
      expect(patch.summary).toMatchObject({ result: 'patched', facts: { installed: true, healthy: false } });
      expect(patch.summary.reasons[0]).toEqual({
        code: 'units-failed',
        detail: 'failed and had not failed before: unit-tool.service',
      });
    });
  });
});
