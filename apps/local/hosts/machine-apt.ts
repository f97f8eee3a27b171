/** Uses this machine's apt configuration to fetch packages into private folders, never touching apt's own state. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runOnMachine } from './machine-command.ts';

const KEYRINGS = [
  '/usr/share/keyrings/debian-archive-keyring.gpg',
  '/usr/share/keyrings/debian-archive-keyring.pgp',
];

/** Where this machine gets Debian from. */
export interface DebianMirror {
  readonly main: string;
  /** Undefined where this machine has no security suite configured. */
  readonly security: string | undefined;
  readonly keyring: string;
}

/**
 * Picks Debian's own archives out of the sources that apt would fetch from.
 *
 * @param uris what `apt-get update --print-uris` prints: it needs neither root nor an earlier update
 */
export function debianArchivesIn(uris: string): { main: string | undefined; security: string | undefined } {
  const found = [...uris.matchAll(/^'(\S+?)dists\/(\S+)\/InRelease' /gm)];
  const sources = found.map(([, uri = '', suite = '']) => ({ uri, suite }));
  const uriOf = (suite: string, at?: string) =>
    sources.find((source) => source.suite === suite && (!at || source.uri === at))?.uri;
  // Other vendors name their suites after Debian's too, but none has the pockets that go with it.
  const candidates = sources.map(({ uri, suite }) => {
    const security = uriOf(`${suite}-security`);
    return { main: uri, security, pockets: (uriOf(`${suite}-updates`, uri) ? 2 : 0) + (security ? 1 : 0) };
  });
  const best = candidates.sort((a, b) => b.pockets - a.pockets)[0];
  return { main: best?.main, security: best?.security };
}

/** The machine's mirror, or the reason why it has none. */
export async function findDebianMirror(): Promise<DebianMirror | { readonly reason: string }> {
  try {
    const release = await readFile('/etc/os-release', 'utf8');
    const distribution = /^ID="?([^"\n]*)/m.exec(release)?.[1];
    if (distribution !== 'debian')
      return {
        reason: `hosts are made of Debian packages from the machine's own mirror, and this is ${distribution}`,
      };
    const { main, security } = debianArchivesIn(await runOnMachine(['apt-get', 'update', '--print-uris']));
    if (!main) return { reason: 'the apt of this machine has no Debian mirror configured' };
    const keyring = KEYRINGS.find((path) => existsSync(path));
    if (!keyring) return { reason: "Debian's archive keyring is missing: install debian-archive-keyring" };
    return { main, security, keyring };
  } catch (error) {
    return { reason: `no apt here to fetch Debian packages with (${(error as Error).message})` };
  }
}

export interface PrivateApt {
  /** The folder of the indexes that it fetched. */
  readonly lists: string;
  update(): Promise<void>;
  /** Downloads the packages and all they depend on; returns the paths of the files. */
  download(packages: readonly string[]): Promise<string[]>;
  /** Fetches one file of a mirror, by whatever way this machine's apt has to it. */
  fetch(uri: string, target: string): Promise<void>;
}

const FETCHER = '/usr/lib/apt/apt-helper';

function configuration(folder: string, machine: string): string {
  // Of the machine's settings only how to reach mirrors is kept: its hooks (docker-clean) delete its own archives.
  const reaching = machine.split('\n').filter((line) => /^Acquire::(?!IndexTargets)/.test(line));
  const own = [
    'Acquire::Languages "none";',
    'Acquire::GzipIndexes "false";',
    'APT::Sandbox::User "";',
    'APT::Install-Recommends "0";',
    'Dir::Etc::main "/dev/null";',
    `Dir::Etc::parts "${folder}/none.d";`,
    `Dir::Etc::sourcelist "${folder}/sources.list";`,
    `Dir::Etc::sourceparts "${folder}/none.d";`,
    'Dir::Etc::preferences "/dev/null";',
    `Dir::Etc::preferencesparts "${folder}/none.d";`,
    `Dir::State "${folder}";`,
    `Dir::State::lists "${folder}/lists";`,
    `Dir::State::status "${folder}/status";`,
    `Dir::Cache "${folder}";`,
    `Dir::Cache::archives "${folder}/archives";`,
  ];
  return [...reaching, ...own, ''].join('\n');
}

/** @param folder emptied by whoever made it; holds all that this apt ever writes */
export async function privateApt(
  folder: string,
  mirror: DebianMirror,
  sources: readonly { readonly uri: string; readonly suite: string }[],
): Promise<PrivateApt> {
  for (const path of ['lists/partial', 'archives/partial', 'none.d'])
    await mkdir(join(folder, path), { recursive: true });
  await writeFile(join(folder, 'status'), '');
  const lines = sources.map(({ uri, suite }) => `deb [signed-by=${mirror.keyring}] ${uri} ${suite} main\n`);
  await writeFile(join(folder, 'sources.list'), lines.join(''));
  const machine = await runOnMachine(['apt-config', 'dump']);
  await writeFile(join(folder, 'apt.conf'), configuration(folder, machine));
  const env = { ...process.env, APT_CONFIG: join(folder, 'apt.conf'), LC_ALL: 'C' };
  return {
    lists: join(folder, 'lists'),
    async update() {
      await runOnMachine(['apt-get', '-qq', 'update', '--error-on=any'], { env });
    },
    async download(packages) {
      await runOnMachine(['apt-get', '-qq', '-y', '--download-only', 'install', ...packages], { env });
      const archives = join(folder, 'archives');
      const names = await readdir(archives);
      return names.filter((name) => name.endsWith('.deb')).map((name) => join(archives, name));
    },
    async fetch(uri, target) {
      await runOnMachine([FETCHER, 'download-file', uri, target], { env });
    },
  };
}
