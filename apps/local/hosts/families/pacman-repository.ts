/** A signed Arch repository, generated into a folder and served over HTTP. */
import { createHash } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { SigningKey } from '../openpgp.ts';
import { folderListener, frozenListener } from '../served-folder.ts';
import { type TarEntry, tarArchive } from '../tar-archive.ts';
import type { Channel, FamilyRepository, FamilyRepositoryOptions } from './family-repository.ts';
import { fullVersion, type PackageDescription } from './package-description.ts';
import { buildPacmanPackage, nameOf, type PacmanFile, pacmanRelation } from './pacman-file.ts';

interface Published {
  readonly spec: PackageDescription;
  readonly file: PacmanFile;
  readonly signature: Buffer | undefined;
}

const digest = (algorithm: string, content: Buffer) => createHash(algorithm).update(content).digest('hex');

/** A package's entry in a database, a block of lines per field. */
function description({ spec, file, signature }: Published, modified: number): string {
  const fields: [string, readonly string[]][] = [
    ['FILENAME', [file.fileName]],
    ['NAME', [spec.name]],
    ['BASE', [spec.name]],
    ['VERSION', [fullVersion(spec)]],
    ['DESC', [spec.description ?? `${spec.name}, a package made for this fleet`]],
    ['GROUPS', spec.groups ?? []],
    ['CSIZE', [String(file.content.length)]],
    ['ISIZE', [String(file.installedSize)]],
    ['MD5SUM', [digest('md5', file.content)]],
    ['SHA256SUM', [digest('sha256', file.content)]],
    ['PGPSIG', signature ? [signature.toString('base64')] : []],
    ['URL', ['https://example.invalid']],
    ['LICENSE', ['Apache-2.0']],
    ['ARCH', [file.architecture]],
    ['BUILDDATE', [String(modified)]],
    ['PACKAGER', [spec.vendor ?? 'Quarterdeck <quarterdeck@example.invalid>']],
    ['REPLACES', (spec.obsoletes ?? []).map(pacmanRelation)],
    ['CONFLICTS', [...(spec.conflicts ?? []), ...(spec.obsoletes ?? [])].map(pacmanRelation)],
    ['PROVIDES', [...(spec.provides ?? []), ...(spec.obsoletes ?? []).map(nameOf)].map(pacmanRelation)],
    ['DEPENDS', (spec.requires ?? []).map(pacmanRelation)],
  ];
  return fields
    .filter(([, values]) => values.length > 0)
    .map(([name, values]) => `%${name}%\n${values.join('\n')}\n\n`)
    .join('');
}

/** @param names of the repositories, as hosts have them in their configuration, by channel */
export async function createPacmanRepository(
  options: FamilyRepositoryOptions & { readonly names: Readonly<Record<Channel, string>> },
): Promise<FamilyRepository> {
  const { folder, key, now, names } = options;
  const channels: Record<Channel, Map<string, Published>> = { main: new Map(), extra: new Map() };

  const writeIndex = async (channel: Channel, indexKey: SigningKey | null = key) => {
    const at = now();
    const modified = Math.floor(at.getTime() / 1000);
    // A repository has one version of a package, the one published last; older files stay to be fetched.
    const latest = new Map(
      [...channels[channel].values()].map((published) => [published.spec.name, published]),
    );
    const entries = [...latest.values()].map((published): TarEntry => {
      const path = `${published.spec.name}-${fullVersion(published.spec)}/desc`;
      return { path, content: Buffer.from(description(published, modified)), mode: 0o644 };
    });
    const database = gzipSync(tarArchive(entries, modified, ''));
    const file = join(folder, channel, `${names[channel]}.db`);
    if (indexKey) await writeFile(`${file}.sig`, indexKey.sign(database, at));
    else await rm(`${file}.sig`, { force: true });
    await writeFile(file, database);
  };

  for (const channel of ['main', 'extra'] as const) {
    await mkdir(join(folder, channel), { recursive: true });
    await writeIndex(channel);
  }

  return {
    folder,
    async publish(channel, specs, { packageKey = key, indexKey = key } = {}) {
      for (const spec of specs) {
        const at = now();
        const file = buildPacmanPackage(spec, Math.floor(at.getTime() / 1000));
        const signature = packageKey?.sign(file.content, at);
        const path = join(folder, channel, file.fileName);
        await writeFile(path, file.content);
        if (signature) await writeFile(`${path}.sig`, signature);
        else await rm(`${path}.sig`, { force: true });
        const id = `${spec.name} ${fullVersion(spec)}`;
        channels[channel].delete(id);
        channels[channel].set(id, { spec, file, signature });
      }
      await writeIndex(channel, indexKey);
    },
    async withdraw(channel, name, version) {
      const published = channels[channel].get(`${name} ${version}`);
      if (!published)
        throw new Error(`channel "${channel}" has no ${name} ${version} to withdraw: publish it first`);
      channels[channel].delete(`${name} ${version}`);
      const path = join(folder, channel, published.file.fileName);
      await rm(path);
      await rm(`${path}.sig`, { force: true });
      await writeIndex(channel);
    },
    listener: folderListener(folder),
    stale: () => frozenListener(folder),
  };
}
