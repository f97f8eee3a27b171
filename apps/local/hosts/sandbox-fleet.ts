/** A fleet on the shared sandbox base whose packages are all made here, in a signed repository of its own. */
import { join } from 'node:path';
import { cacheFolder, type Progress } from './base-cache.ts';
import { buildDeb, type PackageSpec } from './deb-file.ts';
import { type Endpoints, type Fleet, type FleetServer, MIRROR_URL, startFleet } from './fleet.ts';
import type { Layer, LayerSetup } from './host-layers.ts';
import { findDebianMirror } from './machine-apt.ts';
import { createSigningKey } from './openpgp.ts';
import { createRepository, type Repository } from './repository.ts';
import { sandboxBase } from './sandbox-base.ts';
import { type How, openVessel } from './vessel.ts';

export interface SandboxFleetOptions {
  readonly servers: readonly FleetServer[];
  readonly how: How;
  /** What every host has installed from the start. */
  readonly installed: readonly PackageSpec[];
  /** Names among those that count as installed automatically, as dependencies are. */
  readonly automatic: readonly string[];
  /** Names among those that an operator has put on hold. */
  readonly held?: readonly string[];
  readonly endpoints: Endpoints;
  readonly progress: Progress;
  /** The machine's own time. */
  readonly now: () => Date;
  readonly cache?: string;
}

export interface SandboxFleet extends Fleet {
  /** What all hosts have as their package source. */
  readonly repository: Repository;
}

/** Logs, indexes and the like; the packages themselves are tiny. */
const CHANGES_PER_HOST = 64 * 2 ** 20;
const KEYRING = '/usr/share/keyrings/fleet-archive-keyring.gpg';

export function debianSources(keyring: Buffer, how: How): Layer['files'] {
  const source = (suite: string) => `deb [signed-by=${KEYRING}] ${MIRROR_URL}/ ${suite} main\n`;
  return {
    [KEYRING]: keyring,
    '/etc/apt/sources.list': source('trixie') + source('trixie-security'),
    // A user namespace of one user has nobody to drop privileges to.
    ...(how === 'rootless' && { '/etc/apt/apt.conf.d/90rootless': 'APT::Sandbox::User "root";\n' }),
  };
}

const INSTALL = `
dpkg --force-unsafe-io --install /mnt/*.deb
for package; do apt-mark -qq "\${package%%:*}" "\${package#*:}"; done
`;

/** Installs packages with the hosts' own dpkg, scripts and all, and marks them. */
export function debianSetup(
  installed: readonly PackageSpec[],
  automatic: readonly string[],
  held: readonly string[],
  modified: number,
): { readonly setup?: LayerSetup } {
  if (installed.length === 0) return {};
  const words = [...automatic.map((name) => `auto:${name}`), ...held.map((name) => `hold:${name}`)];
  return { setup: { script: INSTALL, words, archives: installed.map((spec) => buildDeb(spec, modified)) } };
}

export async function createSandboxFleet(options: SandboxFleetOptions): Promise<SandboxFleet> {
  const { servers, how, endpoints, progress, now, cache = cacheFolder() } = options;
  const mirror = await findDebianMirror();
  if ('reason' in mirror) throw new Error(`no sandbox hosts on this machine: ${mirror.reason}`);
  const base = await sandboxBase(mirror, progress, cache);
  const vessel = await openVessel({
    how,
    tools: base,
    bases: [base],
    cache,
    changes: servers.length * CHANGES_PER_HOST,
  });
  const key = createSigningKey('Fleet archive', now());
  const repository = await createRepository({ folder: join(vessel.folder, 'repository'), key, now });
  const modified = Math.floor(now().getTime() / 1000);
  const layer: Layer = {
    name: 'debian',
    base,
    files: debianSources(key.keyring, how),
    ...debianSetup(options.installed, options.automatic, options.held ?? [], modified),
  };
  progress(`starting ${servers.length} ${how} hosts`);
  const fleet = await startFleet(vessel, {
    servers,
    endpoints,
    repository: () => repository.listener,
    layer: () => layer,
  });
  return { ...fleet, repository };
}
