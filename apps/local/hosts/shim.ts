/** Hosts that are folders: the documents' own scripts on this machine's bash, with package managers stood in for. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { nativeArchitecture, type PackageSpec } from './deb-file.ts';
import { breakDemoPatch, demoPackages, publishDemoUpdates } from './demo-fleet.ts';
import type { Endpoints, FleetServer } from './fleet.ts';
import type { Host, HostCommand } from './host.ts';
import { neverStarted, startHostProcess } from './host-process.ts';
import {
  architectureOf,
  createShimRepository,
  type Effects,
  type ShimRepository,
} from './shim-repository.ts';

const STAND_IN = join(import.meta.dirname, 'shim', 'stand-in.sh');
const PROGRAMS = [
  'apt-get',
  'apt-cache',
  'apt-config',
  'dpkg',
  'dpkg-query',
  'systemctl',
  'systemd-run',
  'systemd-detect-virt',
];
const FOLDERS = [
  'boot',
  'etc/apt/preferences.d',
  'proc/sys/kernel/random',
  'root',
  'run/systemd/system',
  'usr',
  'var/cache/apt/archives',
  'var/lib/apt/lists',
  'var/lib/dpkg/info',
  'var/lib/dpkg/updates',
  'var/tmp',
];
const BOOT_ID = 'proc/sys/kernel/random/boot_id';

/** What the demonstration's packages do on real hosts by their maintainer scripts. */
const demoEffects: Effects = {
  'harbor-kernel': ['reboot'],
  'harbor-httpd': ['fail-where /etc/harbor/harbor.conf ^legacy-tls'],
};

export interface ShimFleetOptions {
  readonly servers: readonly FleetServer[];
  readonly endpoints: Endpoints;
  /** Id of the host whose patch is to fail. */
  readonly failing?: string | undefined;
  /** Instead of the demonstration's packages, of which updates are pending. */
  readonly packages?: {
    readonly installed: readonly PackageSpec[];
    readonly held?: readonly string[];
    readonly effects?: Effects;
  };
}

export interface ShimFleet {
  readonly hosts: readonly Host[];
  readonly repository: ShimRepository;
  close(): Promise<void>;
}

export async function createShimFleet(options: ShimFleetOptions): Promise<ShimFleet> {
  const { servers, endpoints, failing, packages } = options;
  const folder = await mkdtemp(join(tmpdir(), 'quarterdeck-shim-'));
  const hosts: Host[] = [];
  const close = async () => {
    await Promise.all(hosts.map((host) => host.close()));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const effects = packages ? (packages.effects ?? {}) : demoEffects;
    const { installed, held = [] } = packages ?? demoPackages;
    const repository = await createShimRepository(join(folder, 'repository'), effects);
    const bin = await writePrograms(join(folder, 'bin'));
    const status = statusOf(installed, held);
    for (const server of servers) {
      const root = join(folder, 'hosts', server.id);
      await writeRoot(root, status, repository.folder);
      hosts.push(await startShimHost(server, root, bin, endpoints(server.id)));
    }
    if (!packages) await publishDemoUpdates(repository);
    const broken = hosts.find(({ id }) => id === failing);
    if (broken) await breakDemoPatch(broken);
    return { hosts, repository, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function writePrograms(folder: string): Promise<string> {
  await mkdir(folder);
  await Promise.all(PROGRAMS.map((name) => symlink(STAND_IN, join(folder, name))));
  return folder;
}

/** Lines of name, architecture, version, state and kilobytes. */
function statusOf(installed: readonly PackageSpec[], held: readonly string[]): string {
  return installed
    .map((spec) => {
      const state = held.includes(spec.name) ? 'hi' : 'ii';
      return `${spec.name}\t${architectureOf(spec)}\t${spec.version}\t${state}\t${spec.installedSize ?? 16}\n`;
    })
    .toSorted()
    .join('');
}

async function writeRoot(root: string, status: string, repository: string): Promise<void> {
  for (const path of FOLDERS) await mkdir(join(root, path), { recursive: true });
  const files = {
    'etc/os-release': 'ID=debian\nVERSION_ID="13"\nPRETTY_NAME="stand-in for Debian 13"\n',
    'etc/architecture': `${nativeArchitecture()}\n`,
    'etc/apt/sources.list': `${repository}\n`,
    'var/lib/dpkg/status.tsv': status,
    'var/lib/dpkg/lock-frontend': '',
    [BOOT_ID]: `${randomUUID()}\n`,
  };
  await Promise.all(Object.entries(files).map(([path, content]) => writeFile(join(root, path), content)));
}

async function startShimHost(
  { id, name }: FleetServer,
  root: string,
  bin: string,
  listeners: ReturnType<Endpoints>,
): Promise<Host> {
  const metadata = await listen(listeners.metadata);
  const s3 = await listen(listeners.s3);
  let on = true;
  let closed = false;
  const host: Host = {
    id,
    name,
    kind: 'shim',
    env: {
      AWS_EC2_METADATA_SERVICE_ENDPOINT: addressOf(metadata),
      AWS_ENDPOINT_URL_S3: addressOf(s3),
    },
    online: () => on,
    run({ argv, env, stdin }: HostCommand) {
      if (!on) return neverStarted();
      const [program, ...words] = argv.map((word) => inside(root, word));
      const system = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
      const environment = { PATH: `${bin}:${system}`, HOME: join(root, 'root'), LC_ALL: 'C', QD_ROOT: root };
      return startHostProcess([program as string, ...words], { ...environment, ...env }, stdin);
    },
    async writeFile(path, content, mode) {
      const target = join(root, path);
      await mkdir(dirname(target), { recursive: true });
      await writeFile(`${target}.incoming`, content);
      await chmod(`${target}.incoming`, mode);
      await rename(`${target}.incoming`, target);
    },
    readFile: (path) => readFile(join(root, path), 'utf8').catch(whenAbsent),
    async reboot() {
      await host.powerCut();
      await rm(join(root, 'run'), { recursive: true });
      await mkdir(join(root, 'run/systemd/system'), { recursive: true });
      await writeFile(join(root, BOOT_ID), `${randomUUID()}\n`);
      on = true;
    },
    async powerCut() {
      on = false;
      await killAllOf(root);
    },
    async close() {
      if (closed) return;
      closed = true;
      await host.powerCut();
      for (const server of [metadata, s3]) {
        server.closeAllConnections();
        server.close();
      }
    },
  };
  return host;
}

/** A path of the host as this machine knows it: commands name scripts that the agent has written there. */
function inside(root: string, word: string): string {
  return word.startsWith('/') && existsSync(join(root, word)) ? join(root, word) : word;
}

function whenAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
  return undefined;
}

async function listen(listener: RequestListener): Promise<Server> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // What runs ends the process, not what could still be asked.
  server.unref();
  return server;
}

const addressOf = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

/** Everything that runs with this root in its environment, wherever it was reparented to. */
async function killAllOf(root: string): Promise<void> {
  for (let left = await processesOf(root); left.length > 0; left = await processesOf(root)) {
    for (const pid of left) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It ended by itself first.
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function processesOf(root: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      // Processes of other users can not be read, and are not ours.
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
      return environment.split('\0').includes(`QD_ROOT=${root}`) ? Number(pid) : 0;
    }),
  );
  return found.filter((pid) => pid > 0 && pid !== process.pid);
}
