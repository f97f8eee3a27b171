import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PackageSpec } from '../../apps/local/hosts/deb-file.ts';
import type { Host } from '../../apps/local/hosts/host.ts';
import type { PlanEntry } from '../../core/plan.ts';
import { readSections } from '../../core/result.ts';
import { documentOf } from '../support/document-trials.ts';
import { readSummary, runDocument, startStep } from '../support/run-document.ts';
import { type AptFleet, createAptFleet, plain, until, version } from './apt-fleet.ts';
import { bringDpkgRepack } from './dpkg-repack.ts';
import { shell } from './observe.ts';

let fleet: AptFleet;

/** A package with configuration, and with a service that runs a program of its own. */
const served = (release: string) =>
  plain('served', release, {
    files: {
      '/usr/share/served/version': { content: `${release}\n` },
      '/etc/served/own.conf': { conffile: true, content: `own, as ${release} brings it\n` },
      '/etc/served/other.conf': { conffile: true, content: `other, as ${release} brings it\n` },
      '/usr/lib/systemd/system/served.service': {
        content:
          '[Service]\nExecStart=/usr/lib/served/program infinity\n[Install]\nWantedBy=multi-user.target\n',
      },
    },
    scripts: {
      // Replaces the program without restarting the service, as libraries do.
      postinst: `#!/bin/sh
set -e
mkdir -p /usr/lib/served
cp /usr/bin/sleep /usr/lib/served/program.new
mv /usr/lib/served/program.new /usr/lib/served/program
${release === '1.0-1' ? '' : `echo altered >>/usr/share/served/version`}
[ ! -d /run/systemd/system ] || { systemctl daemon-reload; systemctl start served; }
`,
    },
  });

/** The version before: its script waits only where a test says so. */
const waitsOnTheWayBack = (script: 'preinst' | 'postinst') =>
  plain(`slow-${script}`, '1.0-1', {
    depends: 'tool (>= 1.0)',
    scripts: {
      [script]:
        '#!/bin/sh\n[ -e /var/tmp/wait ] || exit 0\n: >/run/reached\nwhile [ ! -e /run/go ]; do sleep 0.05; done\n',
    },
  });

const before: readonly PackageSpec[] = [
  plain('tool', '1.0-1', { depends: 'libtool9' }),
  plain('libtool9', '1.0-1'),
  served('1.0-1'),
  plain('named', '1.0-1'),
  plain('linux-image-98-cloud', '98.0-1'),
  waitsOnTheWayBack('preinst'),
  waitsOnTheWayBack('postinst'),
];
const updates: readonly PackageSpec[] = [
  plain('tool', '1.1-1', { depends: 'libtool9, new-part' }),
  plain('libtool9', '1.1-1'),
  plain('new-part', '1.0-1'),
  served('1.1-1'),
];
const slowUpdates = [
  plain('tool', '1.1-1', { depends: 'libtool9' }),
  ...['preinst', 'postinst'].map((script) => plain(`slow-${script}`, '1.1-1', { depends: 'tool (>= 1.1)' })),
];

beforeAll(async () => {
  fleet = await createAptFleet({
    names: ['back', 'refused', 'repacked', 'broken', 'kernel', 'killed', 'cut'],
    installed: before,
    automatic: ['libtool9', 'named'],
  });
  await fleet.sandbox.repository.publish('stable', before);
});

afterAll(() => fleet?.close());

/** Prepares and patches while the repository has both the versions before and the updates. */
const patched = (
  host: Host,
  packages: readonly PackageSpec[],
  trial: Parameters<AptFleet['prepare']>[1] = {},
) =>
  fleet.whilePublished('stable', packages, async () => {
    const { run, plan } = await fleet.prepare(host, trial);
    const patch = await fleet.run(host, 'patch', { ...trial, plan });
    expect(patch.summary).toMatchObject({ result: 'patched' });
    return { run, plan, patch };
  });

const covered = (plan: readonly PlanEntry[]) =>
  Object.fromEntries(plan.map(({ name, rollback }) => [name, rollback]));

const fileHashes = async (host: Host) =>
  (await shell(host, 'sha256sum /etc/served/*.conf /usr/share/*/version')).stdout;

describe('a rollback', () => {
  it('brings back versions, files, configuration and marks from files that were kept, and counts what differs', async () => {
    const host = fleet.host('back');
    await shell(host, 'echo mine >>/etc/served/own.conf; systemctl start served');
    const files = await fileHashes(host);
    const { run, plan, patch } = await patched(host, updates, { parameters: { Services: 'restart' } });
    expect(covered(plan)).toEqual({ 'new-part': null, libtool9: 'kept', tool: 'kept', served: 'kept' });
    expect(run.summary.found).toMatchObject({ rollbackKept: 3, rollbackRepository: 0, rollbackNone: 0 });
    // Its own script altered a file; the operator's own configuration is expected to differ.
    expect(patch.summary.found).toMatchObject({
      integrityBefore: 1,
      integrityAfter: 2,
      integrityUnexpected: 1,
      leftovers: 1,
      restartedServices: 1,
      oldServices: 0,
    });
    expect(patch.summary.warnings).toEqual([
      { code: 'files-altered', detail: expect.stringContaining('/usr/share/served/version') },
    ]);
    const { integrity, leftovers } = readSections(patch.sections);
    expect(integrity?.map(({ path, config }) => [path, config])).toEqual([
      ['/etc/served/own.conf', true],
      ['/usr/share/served/version', false],
    ]);
    expect(leftovers).toEqual(['/etc/served/own.conf.dpkg-dist']);
    await shell(host, 'rm /etc/served/own.conf.dpkg-dist');
    for (const { name, version: old } of before) await fleet.sandbox.repository.withdraw('stable', name, old);
    expect((await fleet.run(host, 'verify', { plan })).summary.result).toBe('verified');
    const back = await fleet.run(host, 'rollback', { plan });
    await fleet.sandbox.repository.publish('stable', before);
    expect(back.summary).toMatchObject({
      code: 0,
      result: 'rolled-back',
      reasons: [],
      facts: { installed: false, healthy: true },
      found: { integrityBefore: 1, integrityAfter: 1, integrityUnexpected: 0, oldServices: 1, leftovers: 1 },
      warnings: [{ code: 'old-services', detail: expect.stringContaining('served.service') }],
    });
    for (const name of ['tool', 'libtool9', 'served']) expect(await version(host, name)).toBe('1.0-1 ii');
    expect(await version(host, 'new-part')).toBe('');
    await shell(host, 'rm -f /etc/served/own.conf.dpkg-dist');
    expect(await fileHashes(host)).toBe(files);
    expect((await shell(host, 'apt-mark showauto')).stdout).toBe('libtool9\nnamed\n');
    const { after, services } = readSections(back.sections);
    expect(after).toContainEqual({ name: 'tool', architecture: 'all', version: '1.0-1' });
    expect(services).toEqual(['served.service']);
  });

  it('takes from repositories what was not kept, long after the metadata of the plan was cleared', async () => {
    const host = fleet.host('back');
    const campaign = '2027-q1-fetched';
    const { plan } = await patched(host, updates, { campaign, parameters: { KeepPackages: 'none' } });
    expect(covered(plan)).toEqual({
      'new-part': null,
      libtool9: 'repository',
      tool: 'repository',
      served: 'repository',
    });
    expect((await fleet.run(host, 'verify', { plan, campaign })).summary.result).toBe('verified');
    expect((await shell(host, `ls /var/lib/quarterdeck/${campaign}`)).stdout).toBe(
      'configuration\nold\nstate\n',
    );
    const { summary } = await fleet.run(host, 'rollback', { plan, campaign });
    expect(summary).toMatchObject({ result: 'rolled-back', reasons: [] });
    expect(await version(host, 'tool')).toBe('1.0-1 ii');
  });

  it('brings back what the plan removed, under the name that it had and with its mark', async () => {
    const host = fleet.host('back');
    const trial = { campaign: '2027-q1-renamed', parameters: { Removals: 'allow' } };
    const renamed = [
      plain('renamed', '2.0-1', { conflicts: 'named', replaces: 'named' }),
      plain('tool', '1.2-1', { depends: 'renamed' }),
    ];
    const { plan } = await patched(host, renamed, trial);
    expect(plan.map(({ action, name, rollback }) => [action, name, rollback])).toEqual([
      ['install', 'renamed', null],
      ['remove', 'named', 'kept'],
      ['upgrade', 'tool', 'kept'],
    ]);
    const { summary } = await fleet.run(host, 'rollback', { ...trial, plan });
    expect(summary).toMatchObject({ result: 'rolled-back', reasons: [] });
    expect(await version(host, 'named')).toBe('1.0-1 ii');
    expect(await version(host, 'renamed')).toBe('');
    expect((await shell(host, 'apt-mark showauto')).stdout).toBe('libtool9\nnamed\n');
  });

  it('forgets the versions before when their days are over, and what was said of a campaign never', async () => {
    const host = fleet.host('back');
    const jobs = '/var/lib/quarterdeck';
    await shell(
      host,
      `cd ${jobs}/2027-q1-back && mkdir -p other && touch -d '-15 days' old configuration && touch -d '-46 days' state other apt; mkdir -p ../2027-q1-fresh/old`,
    );
    const left = () => shell(host, `cd ${jobs} && ls -d 2027-q1-back/* 2027-q1-fresh/*`);
    await fleet.run(host, 'prepare', { campaign: '2027-q1-later' });
    expect((await left()).stdout).toBe('2027-q1-back/state\n2027-q1-fresh/old\n');
    await shell(host, `touch -d '-15 days' ${jobs}/2027-q1-fresh/old`);
    await fleet.run(host, 'verify', { campaign: '2027-q1-later', plan: [] });
    expect((await left()).stdout).toBe('2027-q1-back/state\n');
  });

  it('touches nothing on the never-list, with an altered file, or without a way back for all', async () => {
    const host = fleet.host('refused');
    const terms = { never: ['lib*9', 'glibc'] };
    const { plan } = await patched(host, updates, { terms });
    expect(covered(plan)).toEqual({ 'new-part': null, libtool9: 'none', tool: 'kept', served: 'kept' });
    const back = (campaign: string, more: object = {}) =>
      shell(host, `cp -r /var/lib/quarterdeck/2027-q1-refused /var/lib/quarterdeck/${campaign}`).then(() =>
        fleet.run(host, 'rollback', { plan, campaign, ...more }),
      );
    expect((await back('2027-q1-never', { terms })).summary).toMatchObject({
      code: 107,
      result: 'refused',
      reasons: [{ code: 'never-rolled-back', detail: 'not without a person: libtool9' }],
    });
    await fleet.sandbox.repository.withdraw('stable', 'libtool9', '1.0-1');
    expect((await back('2027-q1-uncovered')).summary).toMatchObject({
      code: 107,
      result: 'refused',
      reasons: [{ code: 'not-covered', detail: 'no file of the version before: libtool9' }],
    });
    await fleet.sandbox.repository.publish('stable', before);
    await shell(host, 'for deb in /var/lib/quarterdeck/*/old/tool_*.deb; do printf x >>$deb; done');
    expect((await back('2027-q1-altered')).summary).toMatchObject({
      code: 106,
      result: 'drifted',
      reasons: [{ code: 'file-altered' }],
    });
    expect(await version(host, 'tool')).toBe('1.1-1 ii');
  });
});

describe('a version before that no repository has', () => {
  it('is put together from what is installed where dpkg-repack is there, sealed as such, and brought back', async () => {
    const host = fleet.host('repacked');
    const orphan = { campaign: '2027-q1-orphan' };
    const own = [served('1.1-1'), plain('tool', '1.1-1', { depends: 'libtool9' })];
    const served10 = before.filter(({ name }) => name === 'served');
    for (const { name, version: old } of served10)
      await fleet.sandbox.repository.withdraw('stable', name, old);
    try {
      await shell(host, 'echo mine >>/etc/served/own.conf');
      const files = await fileHashes(host);
      await fleet.whilePublished('stable', own, async () => {
        expect(covered((await fleet.prepare(host, orphan)).plan)).toEqual({ served: 'none', tool: 'kept' });
      });
      await bringDpkgRepack(host, fleet.sandbox.repository.folder);
      const { run, plan } = await patched(host, own);
      expect(covered(plan), run.log).toEqual({ served: 'repacked', tool: 'kept' });
      expect(run.summary.found).toMatchObject({ rollbackKept: 1, rollbackRepacked: 1, rollbackNone: 0 });
      const [{ oldSha256 } = {}] = plan.filter(({ name }) => name === 'served');
      expect(
        (await shell(host, 'sha256sum /var/lib/quarterdeck/*/old/served_1.0-1_all.deb')).stdout,
      ).toContain(oldSha256);
      // It has the configuration of now, which may be secret.
      expect((await shell(host, 'stat -c %a /var/lib/quarterdeck/*/old/served_1.0-1_all.deb')).stdout).toBe(
        '600\n',
      );
      const back = await fleet.run(host, 'rollback', { plan });
      expect(back.summary, back.log).toMatchObject({ code: 0, result: 'rolled-back', reasons: [] });
      expect(await version(host, 'served')).toBe('1.0-1 ii');
      await shell(host, 'rm -f /etc/served/*.dpkg-dist');
      expect(await fileHashes(host)).toBe(files);
      expect((await shell(host, 'dpkg --audit; dpkg --verify tool')).stdout).toBe('');
    } finally {
      await fleet.sandbox.repository.publish('stable', before);
    }
  });
});

describe('a database that is not whole', () => {
  const failing = (release: string) =>
    plain('named', release, { scripts: { postinst: '#!/bin/sh\n[ -e /var/tmp/may-end ]\n' } });

  it('is mended by a rollback of what broke it, and refuses one of anything else', async () => {
    const host = fleet.host('broken');
    const campaign = '2027-q1-broken';
    const { plan } = await fleet.whilePublished('stable', [failing('1.1-1')], async () => {
      const prepared = await fleet.prepare(host, { campaign });
      const { summary } = await fleet.run(host, 'patch', { ...prepared, campaign });
      expect(summary).toMatchObject({ code: 100, result: 'failed' });
      return prepared;
    });
    expect(await version(host, 'named')).toBe('1.1-1 iF');
    const refused = async () => {
      const { summary } = await fleet.run(host, 'rollback', { plan, campaign });
      await shell(host, 'rm -f /var/lib/quarterdeck/*/state/rollback*');
      expect(summary).toMatchObject({ code: 101, result: 'refused' });
      return summary.reasons[0];
    };
    await shell(host, ': >/var/lib/dpkg/updates/0001');
    expect(await refused()).toEqual({
      code: 'packages-broken',
      detail: 'dpkg was interrupted: run dpkg --configure -a',
    });
    await shell(
      host,
      `rm /var/lib/dpkg/updates/0001; cp /var/lib/dpkg/status /root/
      sed -i '/^Package: tool$/,/^Status:/ s/installed$/half-configured/' /var/lib/dpkg/status`,
    );
    expect(await refused()).toMatchObject({
      code: 'packages-broken',
      detail: expect.stringMatching(/tool\(iF\)/),
    });
    await shell(host, 'cp /root/status /var/lib/dpkg/status');
    const { summary } = await fleet.run(host, 'rollback', { plan, campaign });
    expect(summary).toMatchObject({ code: 0, result: 'rolled-back', reasons: [] });
    expect(await version(host, 'named')).toBe('1.0-1 ii');
  });
});

describe('a new kernel', () => {
  const release = '99.0.0-1-cloud';
  const kernel = plain(`linux-image-${release}`, '99.0.0-1', {
    files: { [`/boot/vmlinuz-${release}`]: { content: 'kernel\n' } },
  });
  const configuration = (fallback: string) => `if [ "\${next_entry}" ] ; then
   set default="\${next_entry}"
else
   set default="${fallback}"
fi
menuentry 'Debian GNU/Linux' --class debian $menuentry_id_option 'gnulinux-simple-0a-b1' {
}
submenu 'Advanced options for Debian GNU/Linux' $menuentry_id_option 'gnulinux-advanced-0a-b1' {
\tmenuentry 'Debian GNU/Linux, with Linux ${release}' --class debian $menuentry_id_option 'gnulinux-${release}-advanced-0a-b1' {
\t}
\tmenuentry 'Debian GNU/Linux, with Linux RUNS' --class debian $menuentry_id_option 'gnulinux-RUNS-advanced-0a-b1' {
\t}
}
`;

  it.each([
    ['0', 'grub-reboot', 'at the next start alone'],
    [`\${saved_entry}`, 'grub-set-default', 'from now on'],
    [undefined, undefined, 'choose the one before'],
  ] as const)(
    'stays installed; where GRUB_DEFAULT is %s, %s has the one before booted',
    async (fallback, command, words) => {
      const host = fleet.host('kernel');
      const campaign = `2027-q1-kernel-${command ?? 'none'}`;
      const runs = (await shell(host, 'uname -r')).stdout.trim();
      await shell(
        host,
        `mkdir -p /boot/grub; rm -f /boot/grub/grub.cfg; : >/boot/vmlinuz-${runs}; dpkg -P ${kernel.name}`,
      );
      const grub = '#!/bin/sh\necho "$(basename "$0") $*" >/var/tmp/chosen\n';
      for (const name of ['grub-reboot', 'grub-set-default'])
        await host.writeFile(`/usr/bin/${name}`, grub, 0o755);
      const packages = [
        kernel,
        plain('libtool9', '1.2-1', { depends: kernel.name }),
        plain('linux-image-98-cloud', '98.0-2'),
      ];
      const { plan } = await patched(host, packages, { campaign, parameters: { Reboot: 'never' } });
      if (fallback !== undefined)
        await host.writeFile('/boot/grub/grub.cfg', configuration(fallback).replaceAll('RUNS', runs), 0o644);
      const { summary, workExits } = await fleet.run(host, 'rollback', { plan, campaign });
      expect(workExits).toEqual([0]);
      expect(summary).toMatchObject({
        result: 'rolled-back',
        reasons: [],
        facts: { rebootPending: false },
        warnings: [{ code: 'kernel-left', detail: expect.stringContaining(words) }],
      });
      expect(await version(host, kernel.name)).toBe('99.0.0-1 ii');
      expect(await version(host, 'libtool9')).toBe('1.0-1 ii');
      // Replaced under its own name: there is no kernel before beside it.
      expect(await version(host, 'linux-image-98-cloud')).toBe('98.0-1 ii');
      if (command)
        expect(await host.readFile('/var/tmp/chosen')).toBe(
          `${command} gnulinux-advanced-0a-b1>gnulinux-${runs}-advanced-0a-b1\n`,
        );
    },
  );
});

describe('a rollback that was interrupted is finished', () => {
  it.each([
    ['killed', 'postinst', 'kill'],
    ['cut', 'preinst', 'powerCut'],
  ] as const)('on host %s, in a %s, after a %s', async (name, script, how) => {
    const host = fleet.host(name);
    const campaign = `2027-q1-${name}-${script}`;
    const { plan } = await patched(host, slowUpdates, { campaign });
    await shell(host, `rm -f /run/go /run/reached; : >/var/tmp/wait`);
    const parameters = await fleet.order(host, 'rollback', { plan, campaign });
    const work = startStep(host, documentOf('rollback'), 'work', parameters);
    await until(host, '/run/reached');
    if (how === 'kill') work.kill();
    else await host.powerCut();
    await work.exit;
    if (!host.online()) await host.reboot();
    const interrupted = await readSummary(host, documentOf('rollback'), parameters);
    expect(interrupted.summary).toMatchObject({ result: 'failed', reasons: [{ code: 'interrupted' }] });
    await shell(host, ': >/run/go; rm /var/tmp/wait');
    const { summary } = await runDocument(host, documentOf('rollback'), parameters);
    expect(summary).toMatchObject({ code: 0, result: 'rolled-back', reasons: [] });
    for (const { name: each } of slowUpdates) expect(await version(host, each)).toBe('1.0-1 ii');
    expect((await shell(host, 'apt-mark showauto; dpkg --audit')).stdout).toBe('libtool9\nnamed\n');
  });
});
