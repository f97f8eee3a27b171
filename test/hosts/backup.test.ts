/** Backups, changed configuration and hooks on real hosts of every family. */
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FamilyRelease } from '../../apps/local/hosts/families/family-fleet.ts';
import type { PackageDescription } from '../../apps/local/hosts/families/package-description.ts';
import type { Host } from '../../apps/local/hosts/host.ts';
import { sha256Of } from '../../core/plan.ts';
import { readSections } from '../../core/result.ts';
import { backupPrefix } from '../../core/result-object.ts';
import type { Family } from '../../core/server.ts';
import { backupBucket, createTrials, place, type Trials } from '../support/document-trials.ts';
import { createTrialFamilies, plain, type TrialFamilies } from './family-fleet.ts';
import { shell } from './observe.ts';

/** A service whose configuration every version brings anew, and whose script writes beside it. */
const web = (version: string): PackageDescription =>
  plain('web', version, {
    files: {
      '/etc/web/shipped.conf': { config: true, content: `version ${version}\n` },
      [`/etc/web/only-${version}`]: { content: 'of this version\n' },
    },
    scripts: {
      afterInstall: `mkdir -p /etc/web; echo ${version} >/etc/web/generated; [ ! -e /etc/web/mode ] || chmod 600 /etc/web/mode`,
    },
  });

const managers = [
  { manager: 'dnf 4', release: 'rocky-9', family: 'rhel', install: 'dnf -y install', origin: 'baseos' },
  { manager: 'dnf 5', release: 'fedora-44', family: 'rhel', install: 'dnf -y install', origin: 'fedora' },
  {
    manager: 'zypper',
    release: 'leap-15',
    family: 'suse',
    install: 'zypper -n install',
    origin: 'repo-update',
  },
  { manager: 'pacman', release: 'arch', family: 'arch', install: 'pacman -Sy --noconfirm', origin: 'core' },
] as const satisfies readonly {
  manager: string;
  release: FamilyRelease;
  family: Family;
  /** As an operator asks for a package. */
  install: string;
  /** What the repository is called. */
  origin: string;
}[];

const terms = { never: [], backup: { paths: ['/etc', '/nowhere'], exclude: ['/etc/left-out*'] } };
const parameters = { Backup: 'required', BackupBucket: backupBucket, BackupMebibytes: '64' };

let families: TrialFamilies;

beforeAll(async () => {
  families = await createTrialFamilies({
    hosts: Object.fromEntries(managers.map(({ release }) => [release, release])),
    installed: Object.fromEntries(
      managers.map(({ release }) => [release, [web('1.0'), plain('base-tool', '1.0')]]),
    ),
  });
});

afterAll(() => families?.close());

/** Runs tar over an archive of a backup. */
function read(content: Uint8Array, ...words: readonly string[]): string {
  const unpacked = spawnSync('gzip', ['-dc'], { input: content, maxBuffer: 2 ** 28 });
  return spawnSync('tar', [...words, '--file', '-'], { input: unpacked.stdout, encoding: 'utf8' }).stdout;
}

describe.each(managers)('a patch by $manager', ({ release, family, install, origin }) => {
  let host: Host;
  let trials: Trials;
  beforeAll(() => {
    host = families.host(release);
    trials = createTrials(families.objects, family);
  });

  it('has its backup in the bucket before, and lists the configuration that it changed', async () => {
    await shell(host, 'mkdir -p /etc/web; echo before >/etc/web/mode; chmod 644 /etc/web/mode');
    await shell(
      host,
      `printf 'a\\n' >"/etc/it's
new"; printf b >'/etc/with "quotes"'; echo secret >/etc/left-out-1`,
    );
    const app = [plain('app', '1.0', { requires: ['app-data'] }), plain('app-data', '1.0')];
    await families.whilePublished(release, [web('1.1'), ...app], async () => {
      expect(await shell(host, `${install} app`)).toMatchObject({ code: 0 });
      const { plan } = await trials.prepare(host);
      const { summary, sections } = await trials.run(host, 'patch', { plan, terms, parameters });
      expect(summary).toMatchObject({ result: 'patched', reasons: [] });
      const key = summary.backup?.key ?? '';
      expect(key).toMatch(
        new RegExp(`^${backupPrefix({ id: host.id, place })}/2027-q1-${release}/configuration[.]tar[.]gz$`),
      );
      const content = (await families.backups.get(key)) ?? new Uint8Array();
      expect([sha256Of(content), content.length]).toEqual([summary.backup?.sha256, summary.backup?.bytes]);
      const names = read(content, '--list').trimEnd().split('\n');
      expect(names).toHaveLength(summary.backup?.files ?? 0);
      expect(names).toEqual(
        expect.arrayContaining([String.raw`./etc/it's\nnew`, './etc/with "quotes"', './etc/os-release']),
      );
      expect(names.join()).not.toContain('left-out');
      expect(read(content, '--extract', '--to-stdout', './etc/web/shipped.conf')).toBe('version 1.0\n');
      const { configuration, manifest } = readSections(sections);
      expect(manifest?.find(({ name }) => name === 'web')?.version).toBe('1.0-1');
      expect(manifest?.filter(({ name }) => name.startsWith('app'))).toMatchObject([
        { name: 'app', version: '1.0-1', origin, mark: 'manual', held: false },
        { name: 'app-data', version: '1.0-1', origin, mark: 'automatic', held: false },
      ]);
      expect(
        configuration?.map(({ path, before, after }) => [path, before !== null, after !== null]),
      ).toEqual([
        ['/etc/web/generated', true, true],
        ['/etc/web/mode', true, true],
        ['/etc/web/only-1.0', true, false],
        ['/etc/web/only-1.1', false, true],
        ['/etc/web/shipped.conf', true, true],
      ]);
      const kept = `/var/lib/quarterdeck/2027-q1-${release}/configuration`;
      expect(
        (
          await shell(
            host,
            `cd ${kept}/originals && find . -type f | sort && stat -c %a ${kept} etc/web/mode`,
          )
        ).stdout,
      ).toBe('./etc/web/generated\n./etc/web/mode\n./etc/web/only-1.0\n./etc/web/shipped.conf\n700\n644\n');
      expect(await host.readFile(`${kept}/originals/etc/web/shipped.conf`)).toBe('version 1.0\n');
    });
  });
});
