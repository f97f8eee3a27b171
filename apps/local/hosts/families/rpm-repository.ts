/** A signed RPM repository with advisories, generated into a folder and served over HTTP. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SigningKey } from '../openpgp.ts';
import { folderListener, frozenListener } from '../served-folder.ts';
import type { Channel, FamilyRepository, FamilyRepositoryOptions } from './family-repository.ts';
import { fullVersion } from './package-description.ts';
import { buildRpm } from './rpm-file.ts';
import { type PackageGroup, type PublishedAdvisory, type PublishedRpm, rpmMetadata } from './rpm-metadata.ts';

interface Content {
  readonly packages: Map<string, PublishedRpm>;
  readonly advisories: Map<string, PublishedAdvisory>;
  readonly groups: Map<string, PackageGroup>;
  revision: number;
}

export interface RpmRepositoryOptions extends FamilyRepositoryOptions {
  readonly vendor: string;
  /** Whether zypper reads it, whose words for advisories differ. */
  readonly suse: boolean;
}

const emptyContent = (): Content => ({
  packages: new Map(),
  advisories: new Map(),
  groups: new Map(),
  revision: 0,
});

export async function createRpmRepository(options: RpmRepositoryOptions): Promise<FamilyRepository> {
  const { folder, key, now, vendor, suse } = options;
  const channels: Record<Channel, Content> = { main: emptyContent(), extra: emptyContent() };

  const writeIndexes = async (channel: Channel, indexKey: SigningKey | null = key) => {
    const content = channels[channel];
    content.revision += 1;
    const at = now();
    const files = rpmMetadata({
      packages: [...content.packages.values()],
      advisories: [...content.advisories.values()],
      groups: [...content.groups.values()],
      revision: content.revision,
      vendor,
      suse,
      at,
    });
    const repodata = join(folder, channel, 'repodata');
    await mkdir(repodata, { recursive: true });
    // The index last: until then hosts see the generation before, whole.
    for (const [name, data] of files) await writeFile(join(repodata, name), data);
    const index = files.get('repomd.xml') ?? Buffer.alloc(0);
    const signature = join(repodata, 'repomd.xml.asc');
    if (indexKey) await writeFile(signature, indexKey.signArmored(index, at));
    else await rm(signature, { force: true });
    await writeFile(join(repodata, 'repomd.xml.key'), key.armoredKey);
  };

  for (const channel of ['main', 'extra'] as const) {
    await mkdir(join(folder, channel, 'Packages'), { recursive: true });
    await writeIndexes(channel);
  }

  return {
    folder,
    async publish(channel, specs, { advisories = [], groups = [], packageKey = key, indexKey = key } = {}) {
      const content = channels[channel];
      const added: PublishedRpm[] = [];
      for (const spec of specs) {
        const rpm = buildRpm(spec, { key: packageKey ?? undefined, at: now(), vendor });
        await writeFile(join(folder, channel, 'Packages', rpm.fileName), rpm.content);
        added.push({ spec, rpm });
        content.packages.set(`${spec.name} ${fullVersion(spec)} ${rpm.architecture}`, { spec, rpm });
      }
      for (const advisory of advisories) {
        const packages = added.filter(({ spec }) => advisory.packages.includes(spec.name));
        if (packages.length === 0)
          throw new Error(`advisory "${advisory.id}" names no package that is published with it: name one`);
        content.advisories.set(advisory.id, { advisory, packages });
      }
      for (const group of groups) content.groups.set(group.id, group);
      await writeIndexes(channel, indexKey);
    },
    async withdraw(channel, name, version) {
      const content = channels[channel];
      const found = [...content.packages].filter(([id]) => id.startsWith(`${name} ${version} `));
      if (found.length === 0)
        throw new Error(`channel "${channel}" has no ${name} ${version} to withdraw: publish it first`);
      for (const [id, published] of found) {
        content.packages.delete(id);
        await rm(join(folder, channel, 'Packages', published.rpm.fileName));
        for (const [advisory, { packages }] of content.advisories)
          if (packages.some(({ rpm }) => rpm.fileName === published.rpm.fileName))
            content.advisories.delete(advisory);
      }
      await writeIndexes(channel);
    },
    listener: folderListener(folder),
    stale: () => frozenListener(folder),
  };
}
