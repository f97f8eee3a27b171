import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PackageSpec } from '../../../../apps/local/hosts/deb-file.ts';
import type { Host } from '../../../../apps/local/hosts/host.ts';
import { type ShimFleet, startShimFleet } from '../../../../apps/local/hosts/shim.ts';
import { finish, shell } from '../../../hosts/observe.ts';

const BOOT_ID = '/proc/sys/kernel/random/boot_id';
const answer =
  (text: string): RequestListener =>
  (_, response) =>
    response.end(text);

const plain = (name: string, version: string, more: Partial<PackageSpec> = {}): PackageSpec => ({
  name,
  version,
  files: { [`/usr/share/${name}/version`]: { content: `${version}\n` } },
  ...more,
});
const configured = (version: string, content: string) =>
  plain('conf', version, { files: { '/etc/conf': { conffile: true, content } } });

const names = ['alpha', 'bravo', 'charlie', 'delta', 'echo'] as const;
type Name = (typeof names)[number];
let fleet: ShimFleet;

const host = (name: Name) => fleet.hosts[names.indexOf(name)] as Host;
const apt = (name: Name, ...words: string[]) => finish(host(name), { argv: ['apt-get', ...words] });
const table = async (name: Name) => {
  const format = ['Package', 'Version', 'db:Status-Abbrev'].map((field) => `\${${field}}`).join(' ');
  const { stdout } = await finish(host(name), { argv: ['dpkg-query', '-W', '-f', `${format}\\n`] });
  return stdout.trim().split(/ *\n/);
};
const changes = (simulation: string) =>
  simulation.split('\n').filter((line) => /^Inst |kept back|^ {2}/.test(line));

/** Not one that has ended and is only still listed. */
const runs = async (pid: string) =>
  (await readFile(`/proc/${Number(pid)}/cmdline`, 'utf8').catch(() => '')) !== '';

beforeAll(async () => {
  fleet = await startShimFleet({
    servers: names.map((name, index) => ({ id: `i-0123456789abcdef${index}`, name })),
    installed: [
      plain('app', '1.0-1', { depends: 'lib (>= 1.0)' }),
      plain('lib', '1.0-1'),
      plain('old', '1.0-1', { depends: 'lib (<< 2)' }),
      configured('1.0-1', 'as shipped\n'),
      plain('pinned', '1.0-1'),
    ],
    automatic: ['lib'],
    endpoints: (id) => ({ metadata: answer(`metadata of ${id}`), s3: answer(`objects of ${id}`) }),
  });
  await fleet.repository.publish('stable', [
    plain('app', '1.1-1', { depends: 'lib (>= 1.1), extra | nothing' }),
    plain('extra', '0.1-1'),
    configured('1.1-1', 'as shipped later\n'),
    plain('pinned', '1.1-1'),
  ]);
  await fleet.repository.publish('stable-security', [
    plain('lib', '1.1-1'),
    plain('pinned', '1.0-1+deb13u1'),
  ]);
});

afterAll(() => fleet?.close());

describe('versions', () => {
  it.each([
    ['1.0', 'lt', '1.0-1'],
    ['1.0~rc1-1', 'lt', '1.0-1'],
    ['1.0~~', 'lt', '1.0~'],
    ['1:0.1', 'gt', '2.0'],
    ['1.10', 'gt', '1.9'],
    ['1.0a', 'lt', '1.0+'],
    ['1.0-1+deb13u1', 'gt', '1.0-1'],
    ['1.0-1ubuntu0.20.04.1', 'lt', '1.0-1ubuntu0.20.04.10'],
    ['007', 'eq', '7'],
    ['20261121000000000000', 'gt', '9999999999999999999'],
  ])('%s is %s %s', async (a, relation, b) => {
    const compare = (way: string) =>
      finish(host('alpha'), { argv: ['dpkg', '--compare-versions', a, way, b] });
    expect((await compare(relation)).code).toBe(0);
    expect((await compare({ lt: 'ge', gt: 'le', eq: 'ne' }[relation] ?? '')).code).toBe(1);
  });
});

describe('the stand-in for apt', () => {
  it('brings new packages in where they are needed, dependencies first', async () => {
    expect(await apt('alpha', '-q', 'update')).toMatchObject({ code: 0, stderr: '' });
    const { stdout } = await apt('alpha', '-s', '-q', 'upgrade');
    expect(changes(stdout)).toEqual([
      '  extra',
      '  lib app conf pinned',
      'Inst lib [1.0-1] (1.1-1 Debian-Security:stable-security [all])',
      'Inst extra (0.1-1 Debian:stable [all])',
      'Inst app [1.0-1] (1.1-1 Debian:stable [all])',
      'Inst conf [1.0-1] (1.1-1 Debian:stable [all])',
      'Inst pinned [1.0-1] (1.1-1 Debian:stable [all])',
    ]);
  });

  it('keeps back what would break something, and what is held', async () => {
    await apt('bravo', '-q', 'update');
    await host('bravo').writeFile(
      '/etc/apt/preferences.d/lib',
      'Package: lib extra\nPin: release *\nPin-Priority: -1\n',
      0o644,
    );
    await finish(host('bravo'), { argv: ['dpkg', '--set-selections'], stdin: 'conf hold\n' });
    expect(changes((await apt('bravo', '-s', '-q', 'upgrade')).stdout)).toEqual([
      'The following packages have been kept back:',
      '  app conf',
      '  pinned',
      'Inst pinned [1.0-1] (1.1-1 Debian:stable [all])',
    ]);
  });

  it('keeps back an upgrade that would break what is installed, and what needs that upgrade', async () => {
    await fleet.repository.publish('stable', [plain('lib', '2.0-1')]);
    await apt('alpha', '-q', 'update');
    await fleet.repository.withdraw('stable', 'lib', '2.0-1');
    expect(changes((await apt('alpha', '-s', '-q', 'upgrade')).stdout)).toEqual([
      'The following packages have been kept back:',
      '  app lib',
      '  conf pinned',
      'Inst conf [1.0-1] (1.1-1 Debian:stable [all])',
      'Inst pinned [1.0-1] (1.1-1 Debian:stable [all])',
    ]);
  });

  it('has the version that a preference asks for', async () => {
    await apt('bravo', '-q', 'update');
    await host('bravo').writeFile(
      '/etc/apt/preferences.d/pinned',
      'Package: pinned\nPin: release l=Debian-Security\nPin-Priority: 990\n',
      0o644,
    );
    const { stdout } = await finish(host('bravo'), {
      argv: ['apt-cache', 'policy', 'pinned:all', 'unheard-of'],
    });
    expect(stdout).toBe('pinned:\n  Installed: 1.0-1\n  Candidate: 1.0-1+deb13u1\n');
  });

  it('refuses lists and files that are not what they should be, and what it does not know', async () => {
    const mirror = '/srv/other';
    const sources = `deb copy:${mirror} trixie main\n`;
    await host('charlie').writeFile('/etc/apt/sources.list', sources, 0o644);
    await shell(host('charlie'), `cp -rL "$QD_ROOT/srv/mirror" "$QD_ROOT${mirror}"`);
    expect((await apt('charlie', '-q', 'update')).code).toBe(0);
    await host('charlie').writeFile(`${mirror}/pool/stable/conf_1.1-1_all.deb`, 'something else', 0o644);
    const download = await apt('charlie', '-q', '-y', '--download-only', 'upgrade');
    expect(download).toMatchObject({ code: 100, stderr: expect.stringContaining('Hash Sum mismatch') });
    await shell(host('charlie'), `echo | tee -a "$QD_ROOT${mirror}/dists/trixie/main/binary-"*/Packages`);
    expect(await apt('charlie', '-q', 'update')).toMatchObject({
      code: 100,
      stderr: expect.stringContaining('Hash Sum mismatch'),
    });
    await host('charlie').writeFile(`${mirror}/dists/trixie/InRelease`, 'Suite: stable\n', 0o644);
    expect((await apt('charlie', '-q', 'update')).stderr).toContain('is not signed');
    expect(await apt('charlie', '--purge', 'upgrade')).toMatchObject({ code: 100 });
  });

  it('installs in order, keeps what an operator changed and marks what came along as automatic', async () => {
    await host('delta').writeFile('/etc/conf', 'as the operator wants\n', 0o644);
    await host('delta').writeFile(
      '/etc/apt/apt.conf.d/conf',
      'DPkg::Options { "--force-confold"; };\n',
      0o644,
    );
    await apt('delta', '-q', 'update');
    expect(await apt('delta', '-q', '-y', 'upgrade')).toMatchObject({ code: 0, stderr: '' });
    expect(await table('delta')).toEqual([
      'app 1.1-1 ii',
      'conf 1.1-1 ii',
      'extra 0.1-1 ii',
      'lib 1.1-1 ii',
      'old 1.0-1 ii',
      'pinned 1.1-1 ii',
    ]);
    expect(await host('delta').readFile('/usr/share/app/version')).toBe('1.1-1\n');
    expect(await host('delta').readFile('/etc/conf')).toBe('as the operator wants\n');
    expect(await host('delta').readFile('/etc/conf.dpkg-dist')).toBe('as shipped later\n');
    expect(await host('delta').readFile('/var/lib/apt/extended_states')).toContain('Package: extra\n');
  });

  it('goes back to an older version only where a preference insists, and then not unasked', async () => {
    const prefer = (priority: number) =>
      host('delta').writeFile(
        '/etc/apt/preferences.d/pinned',
        `Package: pinned\nPin: version *deb13u1\nPin-Priority: ${priority}\n`,
        0o644,
      );
    await prefer(999);
    expect(await apt('delta', '-s', '-q', 'upgrade')).toMatchObject({
      code: 0,
      stdout: expect.not.stringContaining('pinned'),
    });
    await prefer(1001);
    expect(await apt('delta', '-s', '-q', 'upgrade')).toMatchObject({
      code: 100,
      stdout: expect.stringContaining('DOWNGRADED:\n  pinned\n'),
    });
  });
});

describe('a shim host', () => {
  it('reaches its own endpoints, and no other way out is given to it', async () => {
    const own = host('echo');
    const script = 'curl -s "$AWS_EC2_METADATA_SERVICE_ENDPOINT"; echo; curl -s "$AWS_ENDPOINT_URL_S3"';
    const { stdout } = await finish(own, { argv: ['bash', '-c', script], env: own.env });
    expect(stdout).toBe(`metadata of ${own.id}\nobjects of ${own.id}`);
  });

  it('comes back from a reboot with a new boot id and an empty /run, and all its processes ended', async () => {
    const own = host('echo');
    await own.writeFile('/run/mark', '', 0o644);
    const before = await own.readFile(BOOT_ID);
    const running = finish(own, { argv: ['sleep', '1000'] });
    const rebooting = own.reboot();
    expect(own.online()).toBe(false);
    expect(await finish(own, { argv: ['true'] })).toMatchObject({ code: null });
    await rebooting;
    expect(await running).toMatchObject({ code: null, signal: 'SIGKILL' });
    expect(await own.readFile(BOOT_ID)).not.toBe(before);
    expect(await own.readFile('/run/mark')).toBeUndefined();
  });

  it('loses all its processes with its power, those that left their group as well, and its neighbours none', async () => {
    const [own, other] = [host('echo'), host('delta')];
    const beside = other.run({ argv: ['sleep', '1000'] });
    await finish(own, {
      argv: ['bash', '-c', 'systemd-run bash -c "echo \\$\\$ >\\"$QD_ROOT/tmp.pid\\"; sleep 1000"'],
    });
    let pid = '';
    while (pid === '') pid = ((await own.readFile('/tmp.pid')) ?? '').trim();
    expect(await runs(pid)).toBe(true);
    await own.powerCut();
    expect(own.online()).toBe(false);
    await expect(own.readFile('/etc/hostname')).rejects.toThrow('offline');
    expect(await runs(pid)).toBe(false);
    beside.kill();
    expect(await beside.done).toMatchObject({ signal: 'SIGKILL' });
  });

  it('goes with the process that made it, however that ends', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'shim-owner-'));
    const owner = spawn(
      process.execPath,
      ['--import', 'tsx', join(import.meta.dirname, '../../../support/own-shim-fleet.ts')],
      { env: { ...process.env, TMPDIR: folder }, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const fleets = async () => (await readdir(folder)).filter((name) => name.startsWith('quarterdeck-shim-'));
    try {
      const [pid] = await once(owner.stdout.setEncoding('utf8'), 'data');
      expect(await fleets()).toHaveLength(1);
      expect(await runs(pid)).toBe(true);
      owner.kill('SIGKILL');
      for (let tries = 0; tries < 100 && (await fleets()).length > 0; tries++) await sleep(50);
      expect(await fleets()).toEqual([]);
      expect(await runs(pid)).toBe(false);
    } finally {
      owner.kill('SIGKILL');
    }
    await rm(folder, { recursive: true });
  });
});
