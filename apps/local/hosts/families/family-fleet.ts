/**
 * A fleet of several families at once, each host with its real package manager on a Debian userland.
 *
 * Every release that a server names has its own signed repository, published into while hosts run:
 *
 *     const fleet = await createFamilyFleet({ servers: [{ id, name, release: 'rocky-9' }], installed: { 'rocky-9': [...] }, ... });
 *     await fleet.repository('rocky-9').publish('main', [{ name: 'tool', version: '1.1' }], { advisories: [...] });
 *
 * Servers of `debian-13` are those of a sandbox fleet, with `debian` and `debianRepository` of their own.
 * A host gets another mirror by `serveRepository`: a stale one is `await fleet.repository(release).stale()`, a broken
 * one is any listener. Hosts fetch `${MIRROR_URL}/main/` and `/extra/`, under the ids that `RELEASES` gives them.
 */
import { join } from 'node:path';
import { cacheFolder, type Progress } from '../base-cache.ts';
import { type Endpoints, type Fleet, type FleetServer, MIRROR_URL, startFleet } from '../fleet.ts';
import type { Layer } from '../host-layers.ts';
import { findDebianMirror } from '../machine-apt.ts';
import { createSigningKey, type SigningKey } from '../openpgp.ts';
import { createRepository, type Repository } from '../repository.ts';
import { dnf5Base, familyBase } from '../sandbox-base.ts';
import { debianSetup, debianSources, type SandboxFleetOptions } from '../sandbox-fleet.ts';
import { type How, openVessel } from '../vessel.ts';
import { familyLayer } from './family-layer.ts';
import type { FamilyRepository, FamilyRepositoryOptions } from './family-repository.ts';
import type { PackageDescription } from './package-description.ts';
import { createPacmanRepository } from './pacman-repository.ts';
import { RELEASES, type Release, type ReleaseName } from './releases.ts';
import { createRpmRepository } from './rpm-repository.ts';

export type FamilyRelease = Exclude<ReleaseName, 'debian-13'>;

interface FamilyServer extends FleetServer {
  readonly release: ReleaseName;
}

export interface FamilyFleetOptions {
  readonly servers: readonly FamilyServer[];
  readonly how: How;
  /** What the hosts of a release have installed from the start. */
  readonly installed: Readonly<Partial<Record<FamilyRelease, readonly PackageDescription[]>>>;
  /** The same of hosts with apt, whose packages have a description of their own. */
  readonly debian?: Pick<SandboxFleetOptions, 'installed' | 'automatic' | 'held'>;
  readonly endpoints: Endpoints;
  readonly progress: Progress;
  /** The machine's own time. */
  readonly now: () => Date;
  readonly cache?: string;
}

export interface FamilyFleet extends Fleet {
  /** Signs the repositories and their packages; every host trusts it. */
  readonly key: SigningKey;
  repository(release: FamilyRelease): FamilyRepository;
  /** What hosts with apt have as their package source. */
  readonly debianRepository: Repository;
}

/** Metadata, caches and databases of the package managers; the packages themselves are tiny. */
const CHANGES_PER_HOST = 128 * 2 ** 20;

function createRepositoryOf(release: Release, options: FamilyRepositoryOptions): Promise<FamilyRepository> {
  if (release.tools === 'pacman') return createPacmanRepository({ ...options, names: release.channels });
  return createRpmRepository({ ...options, vendor: release.vendor, suse: release.tools === 'zypper' });
}

export async function createFamilyFleet(options: FamilyFleetOptions): Promise<FamilyFleet> {
  const { servers, how, installed, endpoints, progress, now, cache = cacheFolder() } = options;
  const mirror = await findDebianMirror();
  if ('reason' in mirror) throw new Error(`no sandbox hosts on this machine: ${mirror.reason}`);
  const base = await familyBase(mirror, progress, cache);
  const changes = servers.length * CHANGES_PER_HOST;
  // Only where a server asks for it: it is another Debian to be fetched.
  const wantsDnf5 = servers.some(({ release }) => RELEASES[release].tools === 'dnf5');
  const dnf5 = wantsDnf5 ? await dnf5Base(mirror, progress, cache) : base;
  const bases = [...new Set([base, dnf5])];
  const vessel = await openVessel({ how, tools: base, bases, cache, changes });
  const key = createSigningKey('Fleet archive', now());
  const folderOf = (name: string) => join(vessel.folder, 'repositories', name);
  const debianRepository = await createRepository({ folder: folderOf('debian-13'), key, now });
  const { installed: debs, automatic, held } = options.debian ?? { installed: [], automatic: [] };
  const repositories = new Map<string, FamilyRepository>();
  const layers = new Map<string, Layer>();
  layers.set('debian-13', {
    name: 'debian-13',
    base,
    files: debianSources(key.keyring, how),
    ...debianSetup(debs, automatic, held ?? [], Math.floor(now().getTime() / 1000)),
  });
  for (const name of new Set(servers.map((server) => server.release))) {
    if (name === 'debian-13') continue;
    const release: Release = RELEASES[name];
    repositories.set(name, await createRepositoryOf(release, { folder: folderOf(name), key, now }));
    const packages = installed[name] ?? [];
    const own = release.tools === 'dnf5' ? dnf5 : base;
    layers.set(
      name,
      familyLayer({ name, release, base: own, installed: packages, key, url: MIRROR_URL, at: now() }),
    );
  }
  const releaseOf = new Map(servers.map((server) => [server.id, server.release]));
  const of = <T>(found: ReadonlyMap<string, T>, release: string | undefined): T => {
    const value = found.get(release ?? '');
    if (!value) throw new Error(`no host of this fleet is "${release}": name a release that a server has`);
    return value;
  };
  progress(`starting ${servers.length} ${how} hosts`);
  const fleet = await startFleet(vessel, {
    servers,
    endpoints,
    repository: ({ id }) => (repositories.get(releaseOf.get(id) ?? '') ?? debianRepository).listener,
    layer: ({ id }) => of(layers, releaseOf.get(id)),
  });
  return { ...fleet, key, debianRepository, repository: (release) => of(repositories, release) };
}
