/** A signed package repository of Debian's shape, generated into a folder and served over HTTP. */
import { createHash } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { buildDeb, nativeArchitecture, type PackageSpec } from './deb-file.ts';
import type { SigningKey } from './openpgp.ts';
import { folderListener } from './served-folder.ts';

export type Suite = 'stable' | 'stable-security';

/** What a pocket calls itself; the security flag of a plan rests on that. */
interface Pocket {
  readonly path: string;
  readonly origin: string;
  readonly label: string;
  readonly suite: string;
  readonly codename: string;
}
export type Pockets = Readonly<Record<Suite, Pocket>>;

/** Debian's own two, told apart by their labels. */
const DEBIAN: Pockets = {
  stable: { path: 'trixie', origin: 'Debian', label: 'Debian', suite: 'stable', codename: 'trixie' },
  'stable-security': {
    path: 'trixie-security',
    origin: 'Debian',
    label: 'Debian-Security',
    suite: 'stable-security',
    codename: 'trixie-security',
  },
};

export interface Repository {
  readonly folder: string;
  /** Adds packages to a suite beside those it has; the same name and version is replaced. */
  publish(suite: Suite, packages: readonly PackageSpec[]): Promise<void>;
  /** Drops one version from a suite, package file included, as mirrors drop superseded versions. */
  withdraw(suite: Suite, name: string, version: string): Promise<void>;
  readonly listener: RequestListener;
}

interface Published {
  readonly file: string;
  readonly stanza: string;
}

const sha256 = (content: Buffer | string) => createHash('sha256').update(content).digest('hex');

export async function createRepository(options: {
  readonly folder: string;
  readonly key: SigningKey;
  /** The machine's own time: apt refuses metadata dated in its future. */
  readonly now: () => Date;
  readonly pockets?: Pockets;
}): Promise<Repository> {
  const { folder, key, now, pockets = DEBIAN } = options;
  const architecture = nativeArchitecture();
  const suites: Record<Suite, Map<string, Published>> = { stable: new Map(), 'stable-security': new Map() };

  const writeIndexes = async (suite: Suite) => {
    const { path, ...names } = pockets[suite];
    const index = `main/binary-${architecture}/Packages`;
    const packages = [...suites[suite].values()].map((published) => `${published.stanza}\n`).join('');
    const at = now();
    const release = [
      `Origin: ${names.origin}`,
      `Label: ${names.label}`,
      `Suite: ${names.suite}`,
      `Codename: ${names.codename}`,
      `Date: ${at.toUTCString().replace('GMT', 'UTC')}`,
      `Architectures: all ${architecture}`,
      'Components: main',
      'No-Support-for-Architecture-all: Packages',
      'SHA256:',
      ` ${sha256(packages)} ${Buffer.byteLength(packages)} ${index}`,
      '',
    ].join('\n');
    const dists = join(folder, 'dists', path);
    await mkdir(join(dists, `main/binary-${architecture}`), { recursive: true });
    await writeFile(join(dists, index), packages);
    await writeFile(join(dists, 'InRelease'), key.clearSign(release, at));
  };

  await mkdir(join(folder, 'pool'), { recursive: true });
  await writeIndexes('stable');
  await writeIndexes('stable-security');

  return {
    folder,
    async publish(suite, packages) {
      for (const spec of packages) {
        const deb = buildDeb(spec, Math.floor(now().getTime() / 1000));
        const file = `pool/${suite}/${deb.fileName}`;
        await mkdir(join(folder, 'pool', suite), { recursive: true });
        await writeFile(join(folder, file), deb.content);
        const where = `Filename: ${file}\nSize: ${deb.content.length}\nSHA256: ${sha256(deb.content)}\n`;
        suites[suite].set(`${spec.name} ${spec.version}`, { file, stanza: deb.control + where });
      }
      await writeIndexes(suite);
    },
    async withdraw(suite, name, version) {
      const published = suites[suite].get(`${name} ${version}`);
      if (!published)
        throw new Error(`suite "${suite}" has no ${name} ${version} to withdraw: publish it first`);
      suites[suite].delete(`${name} ${version}`);
      await rm(join(folder, published.file));
      await writeIndexes(suite);
    },
    listener: folderListener(folder),
  };
}
