/** Owns what the patch document of each family costs in time, and what its prefetch saves inside the window. */
import { randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '../../apps/local/hosts/host.ts';
import { createTrialFamilies, type TrialFamilies } from '../hosts/family-fleet.ts';
import { shell } from '../hosts/observe.ts';
import { createTrials } from '../support/document-trials.ts';
import { type Bench, type BenchRow, millisOf } from './bench.ts';
import { documentTimeBench } from './document-time.ts';

const apt = 'DEBIAN_FRONTEND=noninteractive apt-get -qq -y upgrade --with-new-pkgs';

/** `upgrade` finds its packages fetched by `fetch`; `whole` reads the indexes and fetches them itself. */
const subjects = [
  {
    release: 'debian-13',
    family: 'debian',
    manager: 'apt-get',
    fetch: `apt-get -qq update && ${apt} --download-only`,
    upgrade: apt,
    whole: `apt-get -qq update && ${apt}`,
  },
  {
    release: 'rocky-9',
    family: 'rhel',
    manager: 'dnf',
    fetch: 'dnf -q -y --refresh upgrade --downloadonly',
    upgrade: 'dnf -q -y upgrade',
    whole: 'dnf -q -y --refresh upgrade',
  },
  {
    release: 'leap-15',
    family: 'suse',
    manager: 'zypper',
    fetch: 'zypper -q -n refresh && zypper -q -n update --download-only',
    upgrade: 'zypper -q -n --no-refresh update',
    whole: 'zypper -q -n refresh && zypper -q -n update',
  },
  {
    release: 'arch',
    family: 'arch',
    manager: 'pacman',
    fetch: 'pacman -Syuw --noconfirm',
    upgrade: 'pacman -Su --noconfirm',
    whole: 'pacman -Syu --noconfirm',
  },
] as const;
type Subject = (typeof subjects)[number];

const names = Array.from({ length: 20 }, (_, index) => `bench-tool-${index + 10}`);
const versionFile = (name: string) => `/usr/share/${name}/version`;
/** Random bytes in each package; their text is a third longer, which the package's compression takes away again. */
const packageBytes = 10 ** 6;
const bytesPerSecond = 4 * 10 ** 6;
const download = `${(names.length * packageBytes) / 10 ** 6} MB at ${bytesPerSecond / 10 ** 6} MB/s, simulated`;

export const familyTimeBench: Bench = {
  name: 'families',
  unavailable: async () => documentTimeBench.unavailable?.(),
  async run() {
    const rows: BenchRow[] = [];
    for (const subject of subjects) rows.push(...(await measure(subject)));
    return rows;
  },
};

async function measure(subject: Subject): Promise<BenchRow[]> {
  const { release, family, manager } = subject;
  const old = names.map((name) => packageOf(name, '1.0', ''));
  const families = await createTrialFamilies({
    hosts: { fetched: release, unfetched: release, patched: release },
    installed: release === 'debian-13' ? {} : { [release]: old },
    debian: { installed: old.map((spec) => ({ ...spec, version: '1.0-1' })), automatic: [] },
  });
  try {
    await publish(families, release);
    const [fetched, unfetched, patched] = families.fleet.hosts as [Host, Host, Host];
    await succeed(fetched, subject.fetch);
    const bare = await millisOf(() => succeed(fetched, subject.upgrade));
    const downloading = await millisOf(() => succeed(unfetched, subject.whole));
    const trials = createTrials(families.objects, family);
    const { plan } = await trials.prepare(patched);
    const document = await millisOf(async () => {
      const { summary } = await trials.run(patched, 'patch', { plan, parameters: { Reboot: 'never' } });
      if (summary.result !== 'patched') throw new Error(`the patch of ${release} ended ${summary.result}`);
    });
    for (const host of families.fleet.hosts) await expectUpgraded(host);
    return [
      { what: `${release}: bare ${manager}, packages fetched before`, value: bare / 1000, unit: 's' },
      { what: `${release}: patch document, packages fetched before`, value: document / 1000, unit: 's' },
      { what: `${release}: ratio`, value: document / bare, unit: 'x' },
      { what: `${release}: bare ${manager} downloading ${download}`, value: downloading / 1000, unit: 's' },
      {
        what: `${release}: saved inside the window by prefetch`,
        value: (1 - document / downloading) * 100,
        unit: '%',
      },
    ];
  } finally {
    await families.close();
  }
}

const packageOf = (name: string, version: string, ballast: string) => ({
  name,
  version,
  files: { [versionFile(name)]: { content: `${version}\n${ballast}` } },
});

/** Publishes the updates and has every host fetch them, and the indexes, over a slow line of its own. */
async function publish({ fleet }: TrialFamilies, release: Subject['release']): Promise<void> {
  const updates = names.map((name) => packageOf(name, '1.1', randomBytes(packageBytes).toString('base64')));
  if (release === 'debian-13') {
    const debs = updates.map((spec) => ({ ...spec, version: '1.1-1' }));
    await fleet.debianRepository.publish('stable', debs);
  } else {
    await fleet.repository(release).publish('main', updates);
  }
  const repository = release === 'debian-13' ? fleet.debianRepository : fleet.repository(release);
  for (const { id } of fleet.hosts) fleet.serveRepository(id, slowed(repository));
}

/** One line for all requests, so that fetching several files at once makes none of them faster. */
function slowed({ folder, listener }: { folder: string; listener: RequestListener }): RequestListener {
  let freeAt = 0;
  return async (request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://repository').pathname);
    const size = request.method === 'HEAD' ? 0 : await sizeOf(join(folder, path));
    const now = performance.now();
    freeAt = Math.max(freeAt, now) + (size / bytesPerSecond) * 1000;
    await sleep(freeAt - now);
    listener(request, response);
  };
}

/** Bytes of a file; 0 of one that is not there, whose answer is short. */
async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}

async function succeed(host: Host, script: string): Promise<void> {
  const { code, stdout, stderr } = await shell(host, script);
  if (code !== 0) throw new Error(`"${script}" exited ${code} on ${host.id}: ${stderr || stdout}`);
}

/** What was measured must be the upgrade of all packages, not a manager that found nothing to do. */
async function expectUpgraded(host: Host): Promise<void> {
  const { stdout } = await shell(host, `head -qn 1 ${names.map(versionFile).join(' ')} | grep -cx 1.1`);
  if (Number(stdout) !== names.length)
    throw new Error(`${host.name} has ${Number(stdout)} of ${names.length} packages at 1.1`);
}
