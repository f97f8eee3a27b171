/** Brings up a fleet of sandbox hosts on one shared base, with a signed repository and endpoints of their own. */
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import type { Progress } from './base-cache.ts';
import { cacheFolder } from './base-cache.ts';
import { type SystemdVessel, systemdBoot } from './booted-host.ts';
import { buildDeb, type PackageSpec } from './deb-file.ts';
import type { Host } from './host.ts';
import { type Layer, writeHostFiles, writeLayer } from './host-layers.ts';
import { findDebianMirror } from './machine-apt.ts';
import { startNamespacedHost } from './namespaced-host.ts';
import { ENDPOINT_ADDRESS, type Network, openNetwork, PORTS } from './network.ts';
import { createSigningKey } from './openpgp.ts';
import { createRepository, type Repository } from './repository.ts';
import { rootlessBoot } from './rootless-host.ts';
import { sandboxBase } from './sandbox-base.ts';
import { type How, openVessel, type Vessel } from './vessel.ts';

export interface FleetServer {
  /** The instance id. */
  readonly id: string;
  /** Host name; letters, digits and hyphens. */
  readonly name: string;
}

export interface SandboxFleetOptions {
  readonly servers: readonly FleetServer[];
  readonly how: How;
  /** What every host has installed from the start. */
  readonly installed: readonly PackageSpec[];
  /** Names among those that count as installed automatically, as dependencies are. */
  readonly automatic: readonly string[];
  /** Answers requests of this host to the instance metadata and to S3. */
  readonly endpoints: (hostId: string) => {
    readonly metadata: RequestListener;
    readonly s3: RequestListener;
  };
  readonly progress: Progress;
  /** The machine's own time. */
  readonly now: () => Date;
  readonly cache?: string;
}

export interface SandboxFleet {
  readonly hosts: readonly Host[];
  /** What all hosts have as their package source. */
  readonly repository: Repository;
  /** Gives one host another package source, or a broken one, from its next request on. */
  serveRepository(hostId: string, listener: RequestListener): void;
  close(): Promise<void>;
}

const MIRROR_NAME = 'mirror.internal';
const KEYRING = '/usr/share/keyrings/fleet-archive-keyring.gpg';

function commonFiles(keyring: Buffer, how: How): Layer['files'] {
  const source = (suite: string) =>
    `deb [signed-by=${KEYRING}] http://${MIRROR_NAME}:${PORTS.repository}/ ${suite} main\n`;
  return {
    [KEYRING]: keyring,
    '/etc/apt/sources.list': source('trixie') + source('trixie-security'),
    '/etc/hosts': `127.0.0.1 localhost\n${ENDPOINT_ADDRESS} ${MIRROR_NAME}\n`,
    // A user namespace of one user has nobody to drop privileges to.
    ...(how === 'rootless' && { '/etc/apt/apt.conf.d/90rootless': 'APT::Sandbox::User "root";\n' }),
  };
}

function isSystemdVessel(vessel: Vessel): vessel is SystemdVessel {
  return vessel.cgroup !== undefined && vessel.cgroupInside !== undefined;
}

function startHost(vessel: Vessel, { id, name }: FleetServer): Promise<Host> {
  const user = vessel.how === 'rootless' ? ['--user', '--preserve-credentials'] : ['--cgroup'];
  return startNamespacedHost({
    id,
    name,
    kind: vessel.how,
    env: { AWS_ENDPOINT_URL_S3: `http://${ENDPOINT_ADDRESS}:${PORTS.s3}` },
    boot: isSystemdVessel(vessel) ? systemdBoot(vessel, name) : rootlessBoot(vessel, name),
    enter: (leader) => [
      ...(['nsenter', '--target', String(leader)] as const),
      ...user,
      ...['--mount', '--uts', '--ipc', '--net', '--pid'],
    ],
  });
}

export async function createSandboxFleet(options: SandboxFleetOptions): Promise<SandboxFleet> {
  const { servers, how, endpoints, progress, now, cache = cacheFolder() } = options;
  const mirror = await findDebianMirror();
  if ('reason' in mirror) throw new Error(`no sandbox hosts on this machine: ${mirror.reason}`);
  const base = await sandboxBase(mirror, progress, cache);
  const vessel = await openVessel(base, how, cache);
  let network: Network | undefined;
  const close = async () => {
    await network?.close();
    await vessel.close();
  };
  try {
    const key = createSigningKey('Fleet archive', now());
    const repository = await createRepository({ folder: join(vessel.folder, 'repository'), key, now });
    const modified = Math.floor(now().getTime() / 1000);
    const [opened] = await Promise.all([
      openNetwork(vessel),
      writeLayer(vessel, {
        files: commonFiles(key.keyring, how),
        packages: options.installed.map((spec) => buildDeb(spec, modified)),
        automatic: options.automatic,
      }),
    ]);
    network = opened;
    const sources = new Map<string, RequestListener>();
    progress(`starting ${servers.length} ${how} hosts`);
    const hosts = await Promise.all(
      servers.map(async (server) => {
        await opened.attach(server.name, {
          ...endpoints(server.id),
          repository: (request, response) =>
            (sources.get(server.id) ?? repository.listener)(request, response),
        });
        await writeHostFiles(vessel, server);
        return startHost(vessel, server);
      }),
    );
    return {
      hosts,
      repository,
      serveRepository(hostId, listener) {
        sources.set(hostId, listener);
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
