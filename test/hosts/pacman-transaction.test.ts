import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Host } from '../../apps/local/hosts/host.ts';
import {
  changes,
  codes,
  createPacmanFleet,
  installedOn,
  kernel,
  type PacmanFleet,
  plain,
  shell,
} from './pacman-fleet.ts';

const withConfig = (version: string, content: string) =>
  plain('conf', version, { files: { '/etc/conf.conf': { config: true, content } } });

const dying = (version: string, program: string) =>
  plain('unit', version, {
    files: {
      '/usr/lib/systemd/system/unit.service': { content: `[Service]\nType=oneshot\nExecStart=${program}\n` },
    },
    scripts: { afterInstall: 'systemctl daemon-reload; systemctl restart unit.service || true' },
  });

let fleet: PacmanFleet;
beforeAll(async () => {
  fleet = await createPacmanFleet(
    ['plan', 'script'],
    [
      plain('tool', '1.0', { requires: ['libtool'] }),
      ...['libtool', 'bystander', 'held', 'grouped', 'fails', 'old', 'clash', 'rival'].map((name) =>
        plain(name, '1.0', name === 'grouped' ? { groups: ['keep'] } : {}),
      ),
      plain('amazon-ssm-agent', '3.0.0'),
      withConfig('1.0', 'as shipped\n'),
      dying('1.0', '/bin/true'),
      kernel('6.1'),
    ],
  );
});
afterAll(() => fleet?.close());

/** Ended whatever became of the test, so that the next one finds the configuration of the fleet. */
const withSettings = async <T>(host: Host, script: string, work: () => Promise<T>): Promise<T> => {
  await shell(host, `cp -p /etc/pacman.conf /root/pacman.conf; ${script}`);
  try {
    return await work();
  } finally {
    await shell(host, 'cp -p /root/pacman.conf /etc/pacman.conf');
  }
};

/** gpg keeps a list of what it trusts, and makes it anew whenever it is asked. */
const own =
  'find /var/lib/pacman /var/cache/pacman /etc/pacman.d /etc/pacman.conf /var/log/pacman.log -type f ! -path "*/trustdb.gpg" ! -name "*~" | sort | xargs sha256sum';

describe('a sealed plan on pacman', () => {
  it('is installed exactly, with its databases and install reasons, and prepare leaves pacman’s own state as it was', async () => {
    const host = fleet.host('plan');
    await shell(host, 'pacman -D --asdeps libtool');
    await fleet.whilePublished(
      [
        plain('tool', '1.1', { requires: ['libtool', 'tool-data'] }),
        plain('libtool', '1:0.9'),
        plain('tool-data', '1.1'),
        plain('amazon-ssm-agent', '3.9.0'),
        plain('never-asked-for', '1.0'),
      ],
      async () => {
        const untouched = await shell(host, own);
        const { run, plan } = await fleet.prepare(host);
        expect(run.summary).toMatchObject({
          code: 0,
          result: 'planned',
          reasons: [],
          warnings: [],
          // Everything but ballast, tool, libtool and the agent.
          found: { foreign: 10, held: 0 },
        });
        expect(changes(plan)).toEqual([
          'install tool-data - 1.1-1',
          'upgrade libtool 1.0-1 1:0.9-1',
          'upgrade tool 1.0-1 1.1-1',
        ]);
        expect(run.sections.get('totals')).toMatch(/^download\t[1-9]\d+\ninstalled\t\d+\n$/);
        expect((await shell(host, own)).stdout).toBe(untouched.stdout);
        const before = await installedOn(host);

        const patch = await fleet.run(host, 'patch', { plan });
        expect(patch, patch.log).toMatchObject({ exit: 0, workExits: [0] });
        expect(patch.summary).toMatchObject({
          code: 0,
          result: 'patched',
          reasons: [],
          warnings: [],
          newer: 0,
          facts: { installed: true, rebootPending: false, rebooted: false, healthy: true, compliant: true },
          found: { integrityAfter: 0, integrityUnexpected: 0, leftovers: 0 },
        });
        expect(await installedOn(host)).toEqual({
          ...before,
          tool: '1.1-1',
          libtool: '1:0.9-1',
          'tool-data': '1.1-1',
        });
        expect((await shell(host, 'pacman -Qdq')).stdout).toBe('libtool\ntool-data\n');
        expect(patch.sections.get('before')).toBe('libtool\tany\t1.0-1\ntool\tany\t1.0-1\n');
        expect(patch.sections.get('after')).toContain('tool-data\tany\t1.1-1\n');
        // What the operator installs next comes from the databases that the system was upgraded by.
        expect((await shell(host, 'pacman -Qu; pacman -Sl core')).stdout).toContain(
          'core tool 1.1-1 [installed]',
        );

        const verify = await fleet.run(host, 'verify', { plan });
        expect(verify.summary).toMatchObject({
          result: 'verified',
          reasons: [],
          facts: { installed: true, rebootPending: false, rebooted: false, healthy: true, compliant: true },
        });
        expect((await shell(host, 'ls /var/lib/quarterdeck/*')).stdout).not.toContain('pacman');
      },
    );
  });

  it('leaves excluded packages alone, by name and by glob, and says that this is a partial upgrade', async () => {
    const host = fleet.host('plan');
    const trial = { campaign: '2027-q1-excluded', exclusions: ['libt*', 'bystander'] };
    await fleet.whilePublished(
      [plain('libtool', '1:1.0'), plain('bystander', '1.1'), plain('tool', '1.2')],
      async () => {
        const { run, plan } = await fleet.prepare(host, trial);
        expect(changes(plan)).toEqual(['upgrade tool 1.1-1 1.2-1']);
        expect(run.summary.warnings).toMatchObject([
          { code: 'partial-upgrade', detail: expect.stringContaining('bystander, libtool') },
          { code: 'kept-back' },
        ]);
        const patch = await fleet.run(host, 'patch', { ...trial, plan });
        expect(patch.summary).toMatchObject({ result: 'patched', facts: { installed: true } });
        expect(await installedOn(host)).toMatchObject({
          tool: '1.2-1',
          libtool: '1:0.9-1',
          bystander: '1.0-1',
        });
      },
    );
  });

  it('keeps what the operator ignores, and has drifted where more is ignored after sealing', async () => {
    const host = fleet.host('plan');
    const ignoring = 'sed -i "s/^CheckSpace/&\\nIgnorePkg = hel?\\nIgnoreGroup = keep/" /etc/pacman.conf';
    await withSettings(host, ignoring, () =>
      fleet.whilePublished(
        [plain('held', '1.1'), plain('grouped', '1.1', { groups: ['keep'] }), plain('bystander', '1.1')],
        async () => {
          const { run, plan } = await fleet.prepare(host, { campaign: '2027-q1-held' });
          expect(changes(plan)).toEqual(['upgrade bystander 1.0-1 1.1-1']);
          expect(run.summary).toMatchObject({ found: { held: 2 } });
          expect(codes(run.summary.warnings)).toEqual(['partial-upgrade', 'kept-back']);
          expect(run.sections.get('holds')).toBe('hel?\ngroup:keep\n');
          await shell(host, 'sed -i "s/^IgnorePkg.*/& bystander/" /etc/pacman.conf');
          const drifted = await fleet.run(host, 'patch', { plan, campaign: '2027-q1-held' });
          expect(drifted.summary).toMatchObject({ code: 104, result: 'drifted' });
          expect(drifted.summary.reasons[0]?.detail).toContain('would not get bystander');
          expect(await installedOn(host)).toMatchObject({ held: '1.0-1', bystander: '1.0-1' });
        },
      ),
    );
  });

  it('can not be had for a part of the system: other modes are unsupported, with the reason', async () => {
    const host = fleet.host('plan');
    for (const Mode of ['security', 'advisories', 'packages', 'groups']) {
      const terms = {
        selection: { names: ['tool'], repositories: { enable: [], disable: [] } },
        never: [],
      } as never;
      const { summary } = await fleet.run(host, 'prepare', {
        campaign: `2027-q1-${Mode}`,
        parameters: { Mode },
        ...(Mode !== 'security' && { terms }),
      });
      expect(summary).toMatchObject({
        code: 107,
        result: 'unsupported',
        reasons: [{ code: 'mode-unsupported', detail: expect.stringContaining(`'${Mode}'`) }],
      });
    }
  });

  it('is empty, with code 2, when there is nothing to do, and satisfied by what someone installed meanwhile', async () => {
    const host = fleet.host('plan');
    const idle = await fleet.prepare(host, { campaign: '2027-q1-idle' });
    expect(idle.plan).toEqual([]);
    expect(idle.run).toMatchObject({
      exit: 0,
      summary: { code: 2, result: 'nothing-to-do', facts: { installed: true, compliant: true } },
    });
    const campaign = '2027-q1-satisfied';
    await fleet.whilePublished([plain('bystander', '1.1')], async () => {
      const { plan } = await fleet.prepare(host, { campaign });
      await fleet.whilePublished([plain('bystander', '1.2')], async () => {
        await shell(host, 'pacman -Syu --noconfirm');
        const patch = await fleet.run(host, 'patch', { plan, campaign });
        expect(patch.summary).toMatchObject({ code: 2, result: 'nothing-to-do', facts: { installed: true } });
      });
    });
  });

  it('is what gets installed when something newer was published and the mirror dropped what was sealed', async () => {
    const host = fleet.host('plan');
    const campaign = '2027-q1-newer';
    const { plan } = await fleet.whilePublished([plain('bystander', '1.3')], () =>
      fleet.prepare(host, { campaign }),
    );
    await fleet.whilePublished([plain('bystander', '1.10'), plain('old', '1.1')], async () => {
      const patch = await fleet.run(host, 'patch', { plan, campaign });
      expect(patch.summary).toMatchObject({ result: 'patched', newer: 1, facts: { installed: true } });
      expect(patch.sections.get('newer')).toBe('bystander\tany\t1.10-1\n');
      expect(await installedOn(host)).toMatchObject({ bystander: '1.3-1', old: '1.0-1' });
    });
  });

  it('has drifted when one of its packages is gone, or another would go', async () => {
    const host = fleet.host('plan');
    const campaign = '2027-q1-drift';
    await fleet.whilePublished(
      [plain('held', '1.1'), plain('rival', '1.1', { conflicts: ['intruder'] })],
      async () => {
        const { plan } = await fleet.prepare(host, { campaign });
        await fleet.whilePublished([plain('intruder', '1.0')], () =>
          shell(host, 'pacman -Sy --noconfirm intruder'),
        );
        const conflict = await fleet.run(host, 'patch', { plan, campaign });
        expect(conflict.summary).toMatchObject({
          code: 104,
          result: 'drifted',
          reasons: [{ code: 'not-resolvable', detail: expect.stringContaining('intruder') }],
        });
        await shell(host, 'pacman -R --noconfirm intruder held');
        const second = await fleet.order(host, 'patch', { plan, campaign });
        expect(second).toBeDefined();
        await shell(host, `rm -f /var/lib/quarterdeck/${campaign}/state/patch*`);
        const gone = await fleet.run(host, 'patch', { plan, campaign });
        expect(gone.summary).toMatchObject({ code: 104, reasons: [{ code: 'removed-since' }] });
        expect(await installedOn(host)).toMatchObject({ rival: '1.0-1' });
      },
    );
  });
});

describe('what pacman would ask a person', () => {
  it('is a replacement, which needs permission, and is a partial upgrade without it', async () => {
    const host = fleet.host('plan');
    await fleet.whilePublished([plain('successor', '2.0', { obsoletes: ['old'] })], async () => {
      const without = await fleet.prepare(host, { campaign: '2027-q1-kept-old' });
      expect(changes(without.plan)).toEqual([]);
      expect(codes(without.run.summary.warnings)).toEqual(['partial-upgrade', 'kept-back']);
      const trial = { campaign: '2027-q1-replace', parameters: { Removals: 'allow' } };
      const { plan } = await fleet.prepare(host, trial);
      expect(changes(plan)).toEqual(['install successor - 2.0-1', 'replace old 1.0-1 -']);
      const patch = await fleet.run(host, 'patch', { ...trial, plan });
      expect(patch.summary, patch.log).toMatchObject({ result: 'patched', facts: { installed: true } });
      expect(await installedOn(host)).not.toHaveProperty('old');
    });
  });

  it('is a conflict, which blocks without permission and is a removal with it, but not of what HoldPkg names', async () => {
    const host = fleet.host('plan');
    await fleet.whilePublished([plain('rival', '1.1', { conflicts: ['clash'] })], async () => {
      const refused = await fleet.run(host, 'prepare', { campaign: '2027-q1-conflict' });
      expect(refused.summary).toMatchObject({ code: 100, result: 'blocked' });
      expect(refused.summary.reasons[0]).toMatchObject({
        code: 'resolver-failed',
        detail: expect.stringContaining('rival-1.1-1 and clash-1.0-1 are in conflict'),
      });
      const parameters = { Removals: 'allow' };
      const allowed = await fleet.prepare(host, { campaign: '2027-q1-conflicts', parameters });
      expect(changes(allowed.plan)).toEqual(['remove clash 1.0-1 -', 'upgrade rival 1.0-1 1.1-1']);
      await withSettings(host, 'sed -i "s/^HoldPkg.*/& clash/" /etc/pacman.conf', async () => {
        const held = await fleet.run(host, 'prepare', { campaign: '2027-q1-holdpkg', parameters });
        expect(held.summary.reasons).toMatchObject([
          { code: 'resolver-failed', detail: expect.stringContaining('HoldPkg names: clash') },
        ]);
      });
    });
  });

  it('is a choice between providers, which nobody takes', async () => {
    const host = fleet.host('plan');
    const providers = ['one', 'two'].map((name) =>
      plain(`virtual-${name}`, '1.0', { provides: ['virtual'] }),
    );
    await fleet.whilePublished([...providers, plain('tool', '1.9', { requires: ['virtual'] })], async () => {
      const { summary } = await fleet.run(host, 'prepare', { campaign: '2027-q1-providers' });
      expect(summary).toMatchObject({
        code: 100,
        result: 'blocked',
        reasons: [
          { code: 'resolver-failed', detail: expect.stringContaining('2 providers available for virtual') },
        ],
      });
    });
  });
});

describe('a transaction has failed', () => {
  it('when a script failed although pacman ended with 0, and its words are in the result', async () => {
    const host = fleet.host('script');
    const failing = plain('fails', '1.1', { scripts: { afterInstall: 'echo no luck; exit 3' } });
    await fleet.whilePublished([failing], async () => {
      const { plan } = await fleet.prepare(host);
      const patch = await fleet.run(host, 'patch', { plan, parameters: { Reboot: 'always' } });
      expect(patch).toMatchObject({
        exit: 1,
        summary: { code: 100, result: 'failed', facts: { rebooted: false } },
      });
      expect(patch.summary.reasons).toMatchObject([
        { code: 'package-manager', detail: expect.stringContaining('ended with 0: error: command failed') },
        { code: 'reboot-withheld' },
      ]);
      expect(patch.sections.get('log')).toContain('no luck');
    });
  });

  it('when files are somebody else’s: nothing is changed, and the file is named', async () => {
    const host = fleet.host('script');
    const campaign = '2027-q1-files';
    const clashing = plain('bystander', '1.1', {
      files: { '/usr/share/clash/version': { content: 'mine\n' } },
    });
    await fleet.whilePublished([clashing, plain('held', '1.1')], async () => {
      const { plan } = await fleet.prepare(host, { campaign });
      const { summary } = await fleet.run(host, 'patch', { plan, campaign });
      expect(summary).toMatchObject({ code: 100, result: 'failed', facts: { installed: false } });
      expect(summary.reasons.find(({ code }) => code === 'package-manager')?.detail).toContain(
        '/usr/share/clash/version exists in filesystem',
      );
      expect(await installedOn(host)).toMatchObject({ held: '1.0-1', bystander: '1.0-1' });
    });
  });

  it('also by what it did to units; configuration and altered files are reported, not overwritten', async () => {
    const host = fleet.host('script');
    const campaign = '2027-q1-evidence';
    await host.writeFile('/etc/conf.conf', 'as the operator wants it\n', 0o644);
    await shell(host, 'echo x >>/usr/share/libtool/version');
    const libtool = plain('libtool', '1.1', {
      scripts: { afterInstall: 'echo y >>/usr/share/libtool/version' },
    });
    await fleet.whilePublished(
      [dying('1.1', '/bin/false'), withConfig('1.1', 'anew\n'), libtool],
      async () => {
        const { plan } = await fleet.prepare(host, { campaign });
        const patch = await fleet.run(host, 'patch', { plan, campaign });
        expect(patch.summary).toMatchObject({
          result: 'patched',
          reasons: [{ code: 'units-failed', detail: expect.stringContaining('unit.service') }],
          facts: { installed: true, healthy: false },
          found: { leftovers: 1 },
        });
        expect(await host.readFile('/etc/conf.conf')).toBe('as the operator wants it\n');
        expect(patch.sections.get('leftovers')).toBe('/etc/conf.conf.pacnew\n');
        expect(patch.sections.get('integrity')).toContain(
          'libtool\t/usr/share/libtool/version\tSize-mismatch\tfile\n',
        );
        expect(patch.sections.get('integrity')).toMatch(/^conf\t\/etc\/conf.conf\t[^\t]+\tconfig$/m);
      },
    );
  });
});
