/** A package repository for shim hosts: indexes of Debian's shape, and package files that are short texts. */
import { createHash } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nativeArchitecture, type PackageSpec } from './deb-file.ts';
import type { Repository, Suite } from './repository.ts';

/**
 * What stands for a package's maintainer scripts on shim hosts, which cannot run real ones without root:
 * `reboot`; `fail-where <file> <pattern>`; `fail-unit <unit>`; `wait-for <file>` (tells of it in /run/reached).
 */
export type Effects = Readonly<Record<string, readonly string[]>>;

export type ShimRepository = Pick<Repository, 'folder' | 'publish' | 'withdraw'>;

interface Published {
  readonly file: string;
  readonly stanza: string;
}

const POCKETS: Readonly<Record<Suite, { path: string; origin: string }>> = {
  stable: { path: 'trixie', origin: 'Debian:13/stable' },
  'stable-security': { path: 'trixie-security', origin: 'Debian-Security:13/stable-security' },
};

export const architectureOf = (spec: PackageSpec) =>
  spec.architecture === 'native' ? nativeArchitecture() : 'all';

/** @param effects by package name */
export async function createShimRepository(folder: string, effects: Effects): Promise<ShimRepository> {
  const suites: Record<Suite, Map<string, Published>> = { stable: new Map(), 'stable-security': new Map() };
  const writeIndex = async (suite: Suite) => {
    const dists = join(folder, 'dists', POCKETS[suite].path);
    await mkdir(dists, { recursive: true });
    const index = [...suites[suite].values()].map(({ stanza }) => `${stanza}\n`).join('');
    await writeFile(join(dists, 'Packages'), index);
  };
  await mkdir(join(folder, 'pool'), { recursive: true });
  await writeIndex('stable');
  await writeIndex('stable-security');
  return {
    folder,
    async publish(suite, packages) {
      for (const spec of packages) {
        const { name, version, depends } = spec;
        const architecture = architectureOf(spec);
        const head = [`Package: ${name}`, `Version: ${version}`, `Architecture: ${architecture}`];
        if (depends !== undefined) head.push(`Depends: ${depends}`);
        const deb = [...head, ...(effects[name] ?? []).map((effect) => `Effect: ${effect}`), ''].join('\n');
        const file = join('pool', `${name}_${version.replaceAll(':', '%3a')}_${architecture}.deb`);
        await writeFile(join(folder, file), deb);
        const stanza = [
          ...head,
          `Installed-Size: ${spec.installedSize ?? 16}`,
          `Origin: ${POCKETS[suite].origin}`,
          `Size: ${Buffer.byteLength(deb)}`,
          `SHA256: ${createHash('sha256').update(deb).digest('hex')}`,
          '',
        ].join('\n');
        suites[suite].set(`${name} ${version}`, { file, stanza });
      }
      await writeIndex(suite);
    },
    async withdraw(suite, name, version) {
      const published = suites[suite].get(`${name} ${version}`);
      if (!published)
        throw new Error(`suite "${suite}" has no ${name} ${version} to withdraw: publish it first`);
      suites[suite].delete(`${name} ${version}`);
      await rm(join(folder, published.file));
      await writeIndex(suite);
    },
  };
}
