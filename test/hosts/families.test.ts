import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FamilyRelease } from '../../apps/local/hosts/families/family-fleet.ts';
import type { Host } from '../../apps/local/hosts/host.ts';
import { createSigningKey } from '../../apps/local/hosts/openpgp.ts';
import { createTrialFamilies, plain, type TrialFamilies } from './family-fleet.ts';
import { shell } from './observe.ts';

const BOOT_ID = '/proc/sys/kernel/random/boot_id';
const hosts = {
  rocky: 'rocky-9',
  fedora: 'fedora-44',
  centos: 'centos-7',
  leap: 'leap-15',
  arch: 'arch',
} as const;
const debian = { installed: [{ name: 'tool', version: '1.0-1' }], automatic: [] };
const broken = '/usr/share/clash/version';
const installed = [
  plain('tool', '1.0', { files: { '/etc/tool.conf': { content: 'a=1\n', config: true } } }),
  plain('locked', '1.0'),
  plain('fails-after', '1.0'),
  plain('fails-before', '1.0'),
  plain('clash', '1.0'),
  plain('needy', '1.0'),
];

let families: TrialFamilies;
const host = (name: keyof typeof hosts): Host => families.host(name);
const run = (name: keyof typeof hosts, script: string) => shell(host(name), script);
const exit = async (name: keyof typeof hosts, script: string) => (await run(name, script)).code;

beforeAll(async () => {
  const releases = Object.values(hosts);
  families = await createTrialFamilies({
    hosts: { ...hosts, debian: 'debian-13' },
    debian,
    installed: Object.fromEntries(releases.map((release) => [release, installed])),
  });
});
afterAll(() => families?.close());

const publish = (
  name: keyof typeof hosts,
  ...more: Parameters<TrialFamilies['whilePublished']> extends [FamilyRelease, ...infer Rest] ? Rest : never
) => families.whilePublished(hosts[name], ...more);

const toolUpdate = plain('tool', '1.1', { files: { '/etc/tool.conf': { content: 'a=2\n', config: true } } });
const advisories = [
  {
    id: 'FLEET-2026:1',
    type: 'security',
    severity: 'Important',
    cves: ['CVE-2026-0001'],
    packages: ['tool'],
    rebootSuggested: true,
  },
  { id: 'FLEET-2026:2', type: 'bugfix', packages: ['locked'] },
] as const;
const fails = {
  after: plain('fails-after', '1.1', { scripts: { afterInstall: 'exit 1' } }),
  before: plain('fails-before', '1.1', { scripts: { beforeInstall: 'exit 1' } }),
};
const clashing = plain('clasher', '1.0', { files: { [broken]: { content: 'mine\n' } } });

it.each([
  ['rocky', 'rocky', ['dnf', 'yum', 'rpm', 'needs-restarting'], ['apt-get', 'dpkg', 'zypper', 'pacman']],
  ['fedora', 'fedora', ['dnf5', 'dnf', 'yum', 'rpm'], ['apt-get', 'dpkg', 'zypper', 'pacman']],
  ['centos', 'centos', ['yum', 'rpm', 'needs-restarting'], ['apt-get', 'dnf', 'zypper', 'pacman']],
  ['leap', 'opensuse-leap', ['zypper', 'rpm'], ['apt-get', 'dpkg', 'dnf', 'yum', 'pacman']],
  ['arch', 'arch', ['pacman', 'pacman-key'], ['apt-get', 'dpkg', 'dnf', 'rpm', 'zypper']],
] as const)('%s says it is %s and has its own commands only', async (name, id, own, others) => {
  const { stdout } = await run(name, '. /etc/os-release; echo "$ID"; echo "$PRETTY_NAME"');
  expect(stdout).toMatch(new RegExp(`^${id}\n.*Debian userland`));
  const found = await run(name, `for c in ${[...own, ...others].join(' ')}; do command -v $c; done`);
  expect(found.stdout).toBe(own.map((command) => `/usr/bin/${command}\n`).join(''));
});

it('has hosts with apt beside the others', async () => {
  await families.fleet.debianRepository.publish('stable-security', [{ name: 'tool', version: '1.1-1' }]);
  const { stdout } = await shell(families.host('debian'), 'apt-get -qq update && apt-get -s upgrade');
  expect(stdout).toContain('Inst tool [1.0-1] (1.1-1 Debian-Security:stable-security');
});

it('reboots into another boot with what was installed still there', async () => {
  const before = await host('arch').readFile(BOOT_ID);
  await host('arch').reboot();
  expect(await host('arch').readFile(BOOT_ID)).not.toBe(before);
  expect((await run('arch', 'pacman -Q tool')).stdout).toBe('tool 1.0-1\n');
});

describe.each([
  ['rocky', 'dnf'],
  ['centos', 'yum'],
] as const)('%s', (name, manager) => {
  it('tells pending, none and broken apart, unless a broken repository is skipped', async () => {
    const check = `${manager} -q --refresh check-update`;
    expect(await exit(name, check)).toBe(0);
    await publish(name, [toolUpdate], async () => expect(await exit(name, check)).toBe(100));
    families.fleet.serveRepository(host(name).id, (_request, response) => void response.writeHead(404).end());
    expect(await exit(name, check)).toBe(1);
    expect(await exit(name, `${check} --setopt=*.skip_if_unavailable=True`)).toBe(0);
    families.fleet.serveRepository(host(name).id, families.fleet.repository(hosts[name]).listener);
  });

  it('knows advisories, and installs the security ones with an operator’s lock kept', async () => {
    await publish(
      name,
      [toolUpdate, plain('locked', '1.1')],
      async () => {
        const listed = await run(name, `${manager} -q --refresh updateinfo list --with-cve`);
        expect(listed.stdout).toContain('CVE-2026-0001 Important/Sec. tool-1.1-1.noarch');
        await run(name, 'echo a=9 >>/etc/tool.conf');
        const patched = await run(name, `${manager} -y upgrade-minimal --security`);
        expect(patched, patched.stderr).toMatchObject({ code: 0 });
        expect((await run(name, 'rpm -q tool locked')).stdout).toBe(
          'tool-1.1-1.noarch\nlocked-1.0-1.noarch\n',
        );
        expect(await host(name).readFile('/etc/tool.conf')).toContain('a=9');
        expect(await host(name).readFile('/etc/tool.conf.rpmnew')).toBe('a=2\n');
        expect(await exit(name, `${manager} versionlock add locked-1.0-1.noarch`)).toBe(0);
        expect((await run(name, `${manager} -y upgrade locked; rpm -q locked`)).stdout).toContain(
          'locked-1.0-1',
        );
      },
      { advisories },
    );
  });

  it('fails on %pre and hides a failing %post', async () => {
    await publish(name, [fails.before], async () =>
      expect(await exit(name, `${manager} -y --refresh upgrade fails-before`)).toBe(1),
    );
    await publish(name, [fails.after], async () => {
      expect(await exit(name, `${manager} -y --refresh upgrade fails-after`)).toBe(0);
      expect((await run(name, `${manager} history list`)).stdout).toMatch(/EE|E /);
    });
  });

  it('refuses what is unsigned, signed by another, altered, or in conflict', async () => {
    const install = `${manager} -y --refresh install clasher`;
    const foreign = createSigningKey('Someone else', new Date());
    for (const packageKey of [null, foreign])
      await publish(name, [plain('clasher', '1.0')], async () => expect(await exit(name, install)).toBe(1), {
        packageKey,
      });
    await publish(name, [clashing], async () =>
      expect(await run(name, install)).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('conflicts'),
      }),
    );
  });

  it('does nothing where a dependency is missing, and skips only when told to', async () => {
    await publish(name, [plain('needy', '1.1', { requires: ['absent >= 2'] })], async () => {
      expect(await exit(name, `${manager} -y --refresh upgrade needy`)).toBe(1);
      const skipped = await run(name, `${manager} -y --nobest upgrade needy`);
      expect(skipped).toMatchObject({ code: 0, stdout: expect.stringMatching(/Skip +1 Package/) });
    });
  });
});

describe('leap', () => {
  it('has patches of every kind, and a lock of the operator kept', async () => {
    await run('leap', 'zypper -n al locked');
    await publish(
      'leap',
      [toolUpdate, plain('locked', '1.1')],
      async () => {
        expect(await exit('leap', 'zypper -n ref')).toBe(0);
        expect((await run('leap', 'zypper -n lp --cve=CVE-2026-0001')).stdout).toContain('FLEET-2026:1');
        // A patch that asks for a reboot is left out without a word.
        expect(await exit('leap', 'zypper -n patch --category security')).toBe(0);
        expect((await run('leap', 'rpm -q tool')).stdout).toBe('tool-1.0-1.noarch\n');
        expect(await exit('leap', 'zypper -n patch --with-interactive --category security')).toBe(102);
        expect((await run('leap', 'rpm -q tool locked')).stdout).toBe(
          'tool-1.1-1.noarch\nlocked-1.0-1.noarch\n',
        );
        expect(await exit('leap', 'zypper needs-rebooting')).toBe(102);
        await host('leap').reboot();
        expect(await exit('leap', 'zypper needs-rebooting')).toBe(0);
      },
      { advisories },
    );
  });

  it('says which script failed', async () => {
    await publish('leap', [fails.before], async () =>
      expect(await exit('leap', 'zypper -n ref; zypper -n up fails-before')).toBe(8),
    );
    await publish('leap', [fails.after], async () =>
      expect(await exit('leap', 'zypper -n ref; zypper -n up fails-after')).toBe(107),
    );
  });

  it('trusts what a signed index names, and refuses an unsigned index, a foreign one, and conflicts', async () => {
    const install = 'zypper -n ref >/dev/null; zypper -n in clasher';
    const foreign = createSigningKey('Someone else', new Date());
    const clasher = [plain('clasher', '1.0')];
    for (const indexKey of [null, foreign])
      await publish('leap', clasher, async () => expect(await exit('leap', install)).not.toBe(0), {
        packageKey: null,
        indexKey,
      });
    const unsigned = async () => expect(await exit('leap', `${install} && zypper -n rm clasher`)).toBe(0);
    await publish('leap', clasher, unsigned, { packageKey: null });
    await publish('leap', [clashing], async () => expect(await exit('leap', install)).not.toBe(0));
    families.fleet.serveRepository(
      host('leap').id,
      (_request, response) => void response.writeHead(404).end(),
    );
    expect(await exit('leap', 'zypper -n ref --force')).toBe(4);
    families.fleet.serveRepository(host('leap').id, families.fleet.repository('leap-15').listener);
    expect(await exit('leap', 'mv /etc/zypp/repos.d /etc/zypp/away; zypper -n lu')).toBe(0);
    expect(await exit('leap', 'zypper -n ref')).toBe(6);
    await run('leap', 'rm -rf /etc/zypp/repos.d; mv /etc/zypp/away /etc/zypp/repos.d');
  });
});

describe('arch', () => {
  it('upgrades all but what the operator ignores', async () => {
    await run('arch', 'sed -i "s/^CheckSpace/&\\nIgnorePkg = locked/" /etc/pacman.conf');
    await publish('arch', [toolUpdate, plain('locked', '1.1')], async () => {
      expect(await run('arch', 'pacman -Sy && pacman -Qu')).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('locked 1.0-1 -> 1.1-1 [ignored]'),
      });
      const upgraded = await run('arch', 'pacman -Syu --noconfirm');
      expect(upgraded, upgraded.stderr).toMatchObject({ code: 0 });
      expect((await run('arch', 'pacman -Q tool locked')).stdout).toBe('tool 1.1-1\nlocked 1.0-1\n');
      expect((await run('arch', 'pacman -Qkk tool')).stdout).toContain('0 altered files');
    });
  });

  it('hides a failing script, and fails on conflicts, missing signatures and stale locks', async () => {
    const upgrade = 'pacman -Syu --noconfirm';
    await publish('arch', [fails.after], async () =>
      expect(await run('arch', upgrade)).toMatchObject({
        code: 0,
        stderr: expect.stringContaining('command failed to execute correctly'),
      }),
    );
    await publish('arch', [clashing], async () =>
      expect(await run('arch', 'pacman -Sy --noconfirm clasher')).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('conflicting files'),
      }),
    );
    await publish(
      'arch',
      [plain('clasher', '1.0')],
      async () => expect(await exit('arch', 'pacman -Sy --noconfirm clasher')).toBe(1),
      { packageKey: null },
    );
    await run('arch', ': >/var/lib/pacman/db.lck');
    expect(await exit('arch', upgrade)).toBe(1);
    await run('arch', 'rm /var/lib/pacman/db.lck');
  });
});
