import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cacheFolder } from '../../apps/local/hosts/base-cache.ts';
import { demoPackages, publishDemoUpdates } from '../../apps/local/hosts/demo-fleet.ts';
import { detectHosts } from '../../apps/local/hosts/detect-hosts.ts';
import type { Host } from '../../apps/local/hosts/host.ts';
import { createSigningKey } from '../../apps/local/hosts/openpgp.ts';
import { createRepository } from '../../apps/local/hosts/repository.ts';
import { createSandboxFleet, type SandboxFleet } from '../../apps/local/hosts/sandbox-fleet.ts';
import { finish, leftovers, shell } from './observe.ts';

const now = () => new Date();
const BOOT_ID = '/proc/sys/kernel/random/boot_id';
const servers = ['alpha', 'bravo', 'charlie'].map((name, index) => ({
  id: `i-0123456789abcdef${index}`,
  name,
}));

async function eventually<T>(look: () => Promise<T>, enough: (seen: T) => boolean): Promise<T> {
  for (let tries = 0; tries < 100; tries++) {
    const seen = await look();
    if (enough(seen)) return seen;
    await sleep(100);
  }
  return look();
}

it('finds that this machine can boot hosts', async () => {
  expect(await detectHosts()).toMatchObject({
    sandbox: { available: true, how: 'booted' },
    debian: { available: true, how: 'booted' },
  });
});

describe.each(['booted', 'rootless'] as const)('%s hosts', (how) => {
  let fleet: SandboxFleet;
  let alpha: Host;
  let bravo: Host;
  let charlie: Host;
  const answer =
    (service: string, hostId: string): RequestListener =>
    (request, response) =>
      void response.end(`${service} ${request.url} for ${hostId}`);

  beforeAll(async () => {
    fleet = await createSandboxFleet({
      servers,
      how,
      ...demoPackages,
      endpoints: (hostId) => ({ metadata: answer('metadata', hostId), s3: answer('s3', hostId) }),
      progress: () => {},
      now,
    });
    [alpha, bravo, charlie] = fleet.hosts as [Host, Host, Host];
    await publishDemoUpdates(fleet.repository);
  });

  afterAll(() => fleet?.close());

  it('run commands as root in / with nothing but the environment they were given', async () => {
    const ran = await finish(alpha, {
      argv: ['sh', '-c', 'id -u; pwd; hostname; env'],
      env: { SSM_x: 'a b\n$c' },
    });
    expect(ran).toMatchObject({ code: 0, signal: null, stderr: '' });
    expect(ran.stdout.split('\n').slice(0, 3)).toEqual(['0', '/', 'alpha']);
    expect(ran.stdout).toContain('SSM_x=a b\n$c');
    const names = [...ran.stdout.matchAll(/^(\w+)=/gm)].map(([, name]) => name).sort();
    expect(names).toEqual(['HOME', 'LC_ALL', 'PATH', 'PWD', 'SSM_x']);
  });

  it('hand over stdin, and bring back both outputs and the exit code', async () => {
    const stdin = 'line\n'.repeat(50_000);
    const ran = await finish(alpha, { argv: ['sh', '-c', 'tee /dev/stderr; exit 42'], stdin });
    expect(ran).toEqual({ code: 42, signal: null, stdout: stdin, stderr: stdin });
  });

  it('say which signal ended a command', async () => {
    expect(await shell(alpha, 'kill -TERM $$')).toMatchObject({ code: null, signal: 'SIGTERM' });
  });

  it('kill a command together with what it started', async () => {
    const running = alpha.run({ argv: ['sh', '-c', 'sleep 98765 & echo ready; wait'] });
    running.stderr.resume();
    await once(running.stdout, 'data');
    running.kill();
    expect(await running.done).toEqual({ code: null, signal: 'SIGKILL' });
    expect((await shell(alpha, 'pgrep -f "^sleep 98765"')).stdout).toBe('');
  });

  it('end a command although a daemon that it left behind holds its outputs open', async () => {
    const ran = await shell(alpha, 'setsid sleep 87654 & echo done');
    expect(ran).toMatchObject({ code: 0, stdout: 'done\n' });
    expect((await shell(alpha, 'pkill -f "^sleep 87654"')).code).toBe(0);
  });

  it('keep files, and follow links within their own root only', async () => {
    const content = 'umlauts: äöü\nno newline at the end';
    await alpha.writeFile('/var/lib/some/where/file', content, 0o640);
    expect(await alpha.readFile('/var/lib/some/where/file')).toBe(content);
    expect((await shell(alpha, 'stat -c "%a %u" /var/lib/some/where/file')).stdout).toBe('640 0\n');
    expect(await alpha.readFile('/var/lib/some/where/else')).toBeUndefined();
    expect(await bravo.readFile('/var/lib/some/where/file')).toBeUndefined();

    const outside = await mkdtemp(join(tmpdir(), 'outside-'));
    try {
      await writeFile(join(outside, 'secret'), 'of the machine');
      await shell(alpha, `ln -s ${outside} /var/lib/away`);
      expect(await alpha.readFile('/var/lib/away/secret')).toBeUndefined();
    } finally {
      await rm(outside, { recursive: true });
    }
  });

  it('reach their own endpoints, each as itself, and neither each other nor the world', async () => {
    const script = 'curl -sS http://169.254.169.254/latest; echo; curl -sS "$0/bucket/key"';
    for (const host of [alpha, bravo]) {
      const { stdout } = await finish(host, {
        argv: ['sh', '-c', script, host.env.AWS_ENDPOINT_URL_S3 ?? ''],
      });
      expect(stdout).toBe(`metadata /latest for ${host.id}\ns3 /bucket/key for ${host.id}`);
    }
    for (const address of ['169.254.0.2', '192.0.2.1'])
      expect((await shell(alpha, `curl -sS --max-time 2 http://${address}:4566/`)).code).not.toBe(0);
  });

  it('see pending updates in a repository whose signature apt accepts, security told apart', async () => {
    const updated = await shell(alpha, 'apt-get update');
    expect(updated).toMatchObject({ code: 0, stderr: '' });
    const { stdout } = await shell(alpha, 'apt-get -s upgrade --with-new-pkgs | grep ^Inst');
    expect(stdout).toContain('Inst libharbor2 [2.4.1-3] (2.4.1-3+deb13u1 Debian-Security:stable-security');
    expect(stdout).toContain('Inst harbor-httpd [2.4.57-1] (2.4.57-2 Debian:stable [all])');
    expect(stdout).toContain('Inst libbuoy-data (0.9.5-1');
    expect(stdout).not.toContain('fog-signal');
    expect((await shell(alpha, 'apt-mark showhold')).stdout).toBe('fog-signal\n');
    expect((await shell(alpha, 'apt-mark showauto')).stdout).toBe('harbor-common\nlibbuoy0\nlibharbor2\n');
  });

  it('install what is pending, and ask for a reboot where a package does', async () => {
    await shell(bravo, 'apt-get -qq update');
    const upgraded = await shell(bravo, 'DEBIAN_FRONTEND=noninteractive apt-get -y upgrade --with-new-pkgs');
    expect(upgraded.code, upgraded.stderr).toBe(0);
    expect((await shell(bravo, 'dpkg-query -W libharbor2')).stdout).toBe('libharbor2\t2.4.1-3+deb13u1\n');
    expect(await bravo.readFile('/run/reboot-required.pkgs')).toBe('harbor-kernel\n');
    await bravo.reboot();
    expect(await bravo.readFile('/run/reboot-required')).toBeUndefined();
    expect((await shell(bravo, 'apt-get -s upgrade | grep -c ^Inst')).stdout).toBe('0\n');
  });

  it('refuse a repository that is signed by another key, altered, or gone', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'repository-'));
    const update = () => shell(charlie, 'rm -rf /var/lib/apt/lists/*; apt-get update --error-on=any');
    try {
      const foreign = await createRepository({ folder, key: createSigningKey('Someone else', now()), now });
      fleet.serveRepository(charlie.id, foreign.listener);
      expect(await update()).toMatchObject({
        code: 100,
        stderr: expect.stringMatching(/signature|not signed/),
      });

      fleet.serveRepository(charlie.id, (request, response) => {
        if (!request.url?.endsWith('/Packages')) return fleet.repository.listener(request, response);
        void readFile(join(fleet.repository.folder, request.url)).then((content) =>
          response.end(content.toString().replace('harbor-httpd', 'harbor-httpx')),
        );
      });
      expect(await update()).toMatchObject({ code: 100, stderr: expect.stringMatching(/Hash Sum mismatch/) });

      fleet.serveRepository(charlie.id, (_request, response) => void response.writeHead(404).end());
      expect(await update()).toMatchObject({ code: 100 });

      fleet.serveRepository(charlie.id, fleet.repository.listener);
      expect(await update()).toMatchObject({ code: 0 });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('reboot: another boot id, an empty /run, everything else as it was', async () => {
    const before = await alpha.readFile(BOOT_ID);
    await alpha.writeFile('/run/marker', 'volatile', 0o644);
    await alpha.writeFile('/etc/marker', 'lasting', 0o644);
    await alpha.reboot();
    expect(alpha.online()).toBe(true);
    expect(await alpha.readFile(BOOT_ID)).toMatch(/^[0-9a-f-]{36}\n$/);
    expect(await alpha.readFile(BOOT_ID)).not.toBe(before);
    expect(await alpha.readFile('/run/marker')).toBeUndefined();
    expect(await alpha.readFile('/etc/marker')).toBe('lasting');
    const { stdout } = await shell(alpha, 'curl -sS http://169.254.169.254/again');
    expect(stdout).toBe(`metadata /again for ${alpha.id}`);
  });

  it('die at once when the power is cut, with all they run, and come back by a reboot', async () => {
    const before = await bravo.readFile(BOOT_ID);
    const running = finish(bravo, { argv: ['sh', '-c', 'echo started; sleep 76543'] });
    await sleep(200);
    await bravo.powerCut();
    expect(await running).toMatchObject({ code: null, signal: 'SIGKILL', stdout: 'started\n' });
    expect(bravo.online()).toBe(false);
    expect(await shell(bravo, 'true')).toMatchObject({ code: null });
    await expect(bravo.writeFile('/etc/x', '', 0o644)).rejects.toThrow('cannot write "/etc/x" on bravo');
    await bravo.reboot();
    expect(bravo.online()).toBe(true);
    expect(await bravo.readFile(BOOT_ID)).not.toBe(before);
  });
});

describe('systemd in a booted host', () => {
  let fleet: SandboxFleet;
  let host: Host;

  beforeAll(async () => {
    fleet = await createSandboxFleet({
      servers: servers.slice(0, 1),
      how: 'booted',
      ...demoPackages,
      endpoints: () => ({
        metadata: (_, response) => void response.end(),
        s3: (_, response) => void response.end(),
      }),
      progress: () => {},
      now,
    });
    [host] = fleet.hosts as [Host];
  });
  afterAll(() => fleet?.close());

  it('is up with no unit failed, and runs the services of installed packages', async () => {
    expect((await shell(host, 'systemctl is-system-running')).stdout).toBe('running\n');
    expect((await shell(host, 'systemctl is-active harbor-httpd')).stdout).toBe('active\n');
  });

  it('keeps a transient unit when the command that started it is killed', async () => {
    const running = host.run({ argv: ['systemd-run', '--unit=kept', '--wait', '--quiet', 'sleep', '65432'] });
    running.stdout.resume();
    running.stderr.resume();
    const isActive = async () => (await shell(host, 'systemctl is-active kept')).stdout;
    expect(await eventually(isActive, (state) => state === 'active\n')).toBe('active\n');
    running.kill();
    await running.done;
    expect(await isActive()).toBe('active\n');
  });

  it('reboots from within as `shutdown -r` wants it, and the host is back without being asked', async () => {
    const before = await host.readFile(BOOT_ID);
    await shell(host, 'shutdown -r now');
    expect(
      await eventually(
        async () => host.online(),
        (online) => !online,
      ),
    ).toBe(false);
    expect(
      await eventually(
        async () => host.online(),
        (online) => online,
      ),
    ).toBe(true);
    expect(await host.readFile(BOOT_ID)).not.toBe(before);
  });

  it('stays off after a power-off until it is switched on again', async () => {
    await shell(host, 'systemctl poweroff');
    expect(
      await eventually(
        async () => host.online(),
        (online) => !online,
      ),
    ).toBe(false);
    // Longer than a boot takes.
    await sleep(3000);
    expect(host.online()).toBe(false);
    await host.reboot();
    expect((await shell(host, 'systemctl is-system-running')).stdout).toBe('running\n');
  });
});

it('lets a host that is just rebooting go down with its fleet', async () => {
  const nothing: RequestListener = (_request, response) => void response.end();
  const fleet = await createSandboxFleet({
    servers: servers.slice(0, 1),
    how: 'booted',
    ...demoPackages,
    endpoints: () => ({ metadata: nothing, s3: nothing }),
    progress: () => {},
    now,
  });
  const [host] = fleet.hosts as [Host];
  await shell(host, 'systemctl --no-block reboot');
  const off = await eventually(
    async () => host.online(),
    (online) => !online,
  );
  expect(off).toBe(false);
  await fleet.close();
  // Nobody awaits the boot that now fails: this test fails if that counts as an unhandled rejection.
  await sleep(300);
  await expect(host.reboot()).rejects.toThrow();
  expect(host.online()).toBe(false);
});

describe('a machine after its fleet', () => {
  let cache: string;
  beforeAll(async () => {
    // The real base, so that nothing is built again, but runs of its own to look for.
    cache = await mkdtemp(join(tmpdir(), 'quarterdeck-cache-'));
    for (const name of await readdir(cacheFolder()))
      if (/^sandbox-base-[0-9a-f]+$/.test(name)) await symlink(join(cacheFolder(), name), join(cache, name));
  });
  afterAll(() => rm(cache, { recursive: true, force: true }));

  async function startChild(how: string) {
    const script = join(import.meta.dirname, 'fleet-child.ts');
    const child = spawn(process.execPath, ['--import', 'tsx', script, how, cache], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    return child;
  }

  it.each(['booted', 'rootless'])('is clean as soon as the %s fleet has closed', async (how) => {
    const child = await startChild(how);
    expect((await leftovers(cache)).length).toBeGreaterThan(0);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(await leftovers(cache)).toEqual([]);
  });

  it.each(['booted', 'rootless'])('is clean although the process of the %s fleet was killed', async (how) => {
    const child = await startChild(how);
    expect((await leftovers(cache)).length).toBeGreaterThan(0);
    child.kill('SIGKILL');
    expect(
      await eventually(
        () => leftovers(cache),
        (left) => left.length === 0,
      ),
    ).toEqual([]);
    const sleeper = `sleep\0${100_000 + (child.pid ?? 0)}`;
    expect(await processesLike(sleeper)).toEqual([]);
  });

  it('is swept by the next fleet where even the keeper was killed', async () => {
    const child = await startChild('booted');
    const [keeper] = await processesLike(`keep-vessel.sh\0start\0${cache}`);
    process.kill(Number(keeper), 'SIGKILL');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(
      await eventually(
        () => processesLike(`sleep\0${100_000 + (child.pid ?? 0)}`),
        (left) => left.length === 0,
      ),
    ).toEqual([]);
    expect(await readdir(join(cache, 'runs'))).toHaveLength(1);

    const next = await startChild('booted');
    expect(await readdir(join(cache, 'runs'))).toHaveLength(1);
    next.kill('SIGKILL');
    expect(
      await eventually(
        () => leftovers(cache),
        (left) => left.length === 0,
      ),
    ).toEqual([]);
  });

  async function processesLike(words: string): Promise<string[]> {
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
    const lines = await Promise.all(
      pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
    );
    return pids.filter((_, index) => lines[index]?.includes(words));
  }
});
