/** A fleet of folders with stand-ins for package managers: needs no root, no Debian and hardly any time. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, realpath, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { systemDate } from '../system-clock.ts';
import { buildDeb, nativeArchitecture } from './deb-file.ts';
import { breakDemoPatch, demoPackages, publishDemoUpdates } from './demo-fleet.ts';
import type { Endpoints, FleetServer } from './fleet.ts';
import type { Host } from './host.ts';
import { runOnMachine } from './machine-command.ts';
import { createSigningKey } from './openpgp.ts';
import { createRepository, type Repository } from './repository.ts';
import type { SandboxFleetOptions } from './sandbox-fleet.ts';
import { SHIM_PATH, startShimHost } from './shim-host.ts';

export interface ShimFleetOptions extends Pick<SandboxFleetOptions, 'installed' | 'automatic' | 'held'> {
  readonly servers: readonly FleetServer[];
  readonly endpoints: Endpoints;
}

export interface ShimFleet {
  readonly hosts: readonly Host[];
  /** What all hosts have as their package source. */
  readonly repository: Repository;
  close(): Promise<void>;
}

const TOOLS = ['awk', 'comm', 'curl', 'flock', 'gzip', 'setsid', 'sha256sum', 'tar'];

/** The file system of a Debian that has nothing installed. */
const FILES: Readonly<Record<string, string>> = {
  'etc/os-release': 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nID=debian\nVERSION_ID="13"\n',
  'etc/apt/sources.list': 'deb copy:/srv/mirror trixie main\ndeb copy:/srv/mirror trixie-security main\n',
  'var/lib/dpkg/arch': `${nativeArchitecture()}\n`,
  'var/lib/dpkg/packages': '',
};
const FOLDERS = [
  ...['boot', 'root', 'srv', 'usr', 'var/lib/dpkg/info', 'var/lib/dpkg/updates'],
  ...['etc/apt/apt.conf.d', 'etc/apt/preferences.d', 'etc/apt/sources.list.d'],
  ...['var/lib/apt/lists/partial', 'var/cache/apt/archives/partial'],
];

async function requireTools(): Promise<void> {
  const missing = await runOnMachine([
    ...(['bash', '-c', 'for tool; do command -v "$tool" >/dev/null || echo "$tool"; done', 'bash'] as const),
    ...TOOLS,
  ]);
  if (missing !== '')
    throw new Error(`shim hosts need programs that are not here: ${missing.trim().split('\n').join(', ')}`);
}

/** Makes the root that all hosts begin as, with packages installed by the stand-in for dpkg. */
async function makeTemplate(
  folder: string,
  { installed, automatic, held = [] }: ShimFleetOptions,
): Promise<string> {
  const root = join(folder, 'template');
  for (const path of FOLDERS) await mkdir(join(root, path), { recursive: true });
  for (const [path, content] of Object.entries(FILES)) await writeFile(join(root, path), content);
  await writeFile(
    join(root, 'var/lib/apt/extended_states'),
    automatic.map((name) => `Package: ${name}\nAuto-Installed: 1\n\n`).join(''),
  );
  const packages: string[] = [];
  for (const spec of installed) {
    const deb = buildDeb(spec, Math.floor(systemDate().getTime() / 1000));
    packages.push(join(folder, 'packages', deb.fileName));
    await mkdir(dirname(join(folder, 'packages', deb.fileName)), { recursive: true });
    await writeFile(join(folder, 'packages', deb.fileName), deb.content);
  }
  const dpkg = (words: readonly string[], input?: string) =>
    runOnMachine(['dpkg', ...words], {
      env: { PATH: SHIM_PATH, QD_ROOT: root, LC_ALL: 'C' },
      ...(input !== undefined && { input }),
    });
  await dpkg(['--unpack', ...packages]);
  await dpkg(['--configure', '-a']);
  if (held.length > 0) await dpkg(['--set-selections'], held.map((name) => `${name} hold\n`).join(''));
  return root;
}

export async function startShimFleet(options: ShimFleetOptions): Promise<ShimFleet> {
  await requireTools();
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'quarterdeck-shim-')));
  // Its own session: Ctrl-C in a terminal reaches its owner, who then closes it in order.
  const keeper = spawn('bash', [join(import.meta.dirname, 'shim/keep-fleet.sh'), folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    cwd: '/',
  });
  const gone = once(keeper, 'exit');
  const hosts: Host[] = [];
  const close = async () => {
    await Promise.all(hosts.map((host) => host.close()));
    keeper.stdin?.end();
    await gone;
  };
  try {
    const key = createSigningKey('Fleet archive', systemDate());
    const repository = await createRepository({ folder: join(folder, 'mirror'), key, now: systemDate });
    const template = await makeTemplate(folder, options);
    await symlink(repository.folder, join(template, 'srv/mirror'));
    for (const { id, name } of options.servers) {
      const root = join(folder, 'hosts', id);
      await cp(template, root, { recursive: true, verbatimSymlinks: true });
      await writeFile(join(root, 'etc/hostname'), `${name}\n`);
      hosts.push(await startShimHost({ id, name, root, listeners: options.endpoints(id) }));
    }
    return { hosts, repository, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The demonstration's fleet: the same packages and updates that its real hosts have. */
export async function createShimFleet(options: {
  readonly servers: readonly FleetServer[];
  readonly endpoints: Endpoints;
  /** Id of the server whose patch is to fail. */
  readonly failing: string | undefined;
}): Promise<ShimFleet> {
  const fleet = await startShimFleet({ ...options, ...demoPackages });
  try {
    await publishDemoUpdates(fleet.repository);
    const broken = fleet.hosts.find((host) => host.id === options.failing);
    if (broken) await breakDemoPatch(broken);
    return fleet;
  } catch (error) {
    await fleet.close();
    throw error;
  }
}
