/** Brings up hosts on a base: places them in a vessel, connects them, and takes all of it away again. */
import { readFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { type SystemdVessel, systemdBoot } from './booted-host.ts';
import type { Host } from './host.ts';
import { type Layer, writeHostFiles, writeLayer } from './host-layers.ts';
import { startNamespacedHost } from './namespaced-host.ts';
import { ENDPOINT_ADDRESS, type Network, openNetwork, PORTS } from './network.ts';
import { rootlessBoot } from './rootless-host.ts';
import type { Vessel } from './vessel.ts';

export interface FleetServer {
  /** The instance id. */
  readonly id: string;
  /** Host name; letters, digits and hyphens. */
  readonly name: string;
}

/** Answers the requests of one host. */
export type Endpoints = (hostId: string) => {
  readonly metadata: RequestListener;
  readonly s3: RequestListener;
};

export interface Fleet {
  readonly hosts: readonly Host[];
  /** Gives one host another package source, or a broken one, from its next request on. */
  serveRepository(hostId: string, listener: RequestListener): void;
  close(): Promise<void>;
}

/** The name under which hosts know where their packages come from. */
const MIRROR_NAME = 'mirror.internal';
export const MIRROR_URL = `http://${MIRROR_NAME}:${PORTS.repository}`;

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

/** Measured: a booted systemd, journald, dbus and logind take six inotify instances, and all of root's share one limit. */
const INOTIFY_PER_HOST = 6;
const INOTIFY_OF_OTHERS = 16;

async function checkInotify(hosts: number): Promise<void> {
  const setting = 'fs.inotify.max_user_instances';
  const limit = Number(await readFile(`/proc/sys/${setting.replaceAll('.', '/')}`, 'utf8'));
  const needed = hosts * INOTIFY_PER_HOST + INOTIFY_OF_OTHERS;
  if (needed > limit)
    throw new Error(
      `${hosts} booted hosts need ${setting} of ${needed}, it is ${limit}: raise it with sysctl, or start fewer`,
    );
}

/** @param vessel an empty vessel, which this closes when the fleet closes or cannot be brought up */
export async function startFleet(
  vessel: Vessel,
  options: {
    readonly servers: readonly FleetServer[];
    /** What a server is stacked on beside the base; layers of one name are one. */
    readonly layer: (server: FleetServer) => Layer;
    readonly endpoints: Endpoints;
    /** Where a server gets its packages. */
    readonly repository: (server: FleetServer) => RequestListener;
  },
): Promise<Fleet> {
  const { servers, layer, endpoints, repository } = options;
  let network: Network | undefined;
  const close = async () => {
    await network?.close();
    await vessel.close();
  };
  try {
    if (vessel.how === 'booted') await checkInotify(servers.length);
    const names = `127.0.0.1 localhost\n${ENDPOINT_ADDRESS} ${MIRROR_NAME}\n`;
    const layers = new Map(servers.map((server) => [layer(server).name, layer(server)]));
    const written = [...layers.values()].map((each) =>
      writeLayer(vessel, { ...each, files: { '/etc/hosts': names, ...each.files } }),
    );
    const [opened] = await Promise.all([openNetwork(vessel), ...written]);
    network = opened;
    const sources = new Map<string, RequestListener>();
    const hosts = await Promise.all(
      servers.map(async (server) => {
        await opened.attach(server.name, {
          ...endpoints(server.id),
          repository: (request, response) =>
            (sources.get(server.id) ?? repository(server))(request, response),
        });
        await writeHostFiles(vessel, server, layer(server));
        return startHost(vessel, server);
      }),
    );
    return {
      hosts,
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
