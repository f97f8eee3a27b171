/** Owns what the patch document costs a server in time, beside the bare package manager on the same kind of host. */
import { createEndpoints } from '../../apps/local/aws/endpoints.ts';
import { createDebianFleet } from '../../apps/local/hosts/debian-fleet.ts';
import { detectHosts } from '../../apps/local/hosts/detect-hosts.ts';
import type { Host } from '../../apps/local/hosts/host.ts';
import { createMemoryObjects } from '../../apps/local/memory-objects.ts';
import { createAptFleet, plain } from '../hosts/apt-fleet.ts';
import { shell } from '../hosts/observe.ts';
import { bucket, createTrials, place, type Trials } from '../support/document-trials.ts';
import { type Bench, type BenchRow, millisOf } from './bench.ts';

const rounds = 3;

interface Times {
  readonly bare: number;
  readonly document: number;
}

export const documentTimeBench: Bench = {
  name: 'documents',
  async unavailable() {
    const { sandbox } = await detectHosts();
    if (!sandbox.available) return sandbox.reason;
    return sandbox.how === 'booted' ? undefined : 'it needs root, for hosts that boot systemd';
  },
  async run() {
    const synthetic = await syntheticTimes();
    const { debian } = await detectHosts();
    return [
      ...rows('20 packages without scripts', synthetic),
      ...(debian.available ? rows("Debian's own pending updates", await debianTimes()) : []),
    ];
  },
};

function rows(what: string, times: readonly Times[]): BenchRow[] {
  const bare = median(times.map((time) => time.bare));
  const document = median(times.map((time) => time.document));
  return [
    { what: `${what}: bare apt-get upgrade`, value: bare / 1000, unit: 's' },
    { what: `${what}: patch document, checks and report included`, value: document / 1000, unit: 's' },
    { what: `${what}: added`, value: (document - bare) / 1000, unit: 's' },
    { what: `${what}: ratio`, value: document / bare, unit: 'x' },
  ];
}

async function syntheticTimes(): Promise<Times[]> {
  const names = Array.from({ length: 20 }, (_, index) => `bench-tool-${index + 10}`);
  const hosts = Array.from({ length: rounds * 2 }, (_, index) => `bench-${index}`);
  const fleet = await createAptFleet({ names: hosts, installed: names.map((name) => plain(name, '1.0-1')) });
  try {
    await fleet.sandbox.repository.publish(
      'stable',
      names.map((name) => plain(name, '1.1-1')),
    );
    return await measurePairs(hosts.map(fleet.host), fleet);
  } finally {
    await fleet.close();
  }
}

async function debianTimes(): Promise<Times[]> {
  const objects = createMemoryObjects(bucket, place.region);
  const endpoints = createEndpoints({ objects, clock: { now: () => Date.now() } });
  const fleet = await createDebianFleet({
    servers: [1, 2, 3, 4].map((index) => ({ id: `i-0000000000000000${index}`, name: `debian-${index}` })),
    endpoints: (id) => endpoints.listenersFor({ id, place }),
    progress: () => {},
  });
  try {
    return await measurePairs(fleet.hosts, createTrials(objects));
  } finally {
    await fleet.close();
  }
}

/** One host bare, the next by the document; both with their packages fetched before. */
async function measurePairs(hosts: readonly Host[], trials: Trials): Promise<Times[]> {
  const times: Times[] = [];
  for (let index = 0; index + 1 < hosts.length; index += 2) {
    const [first, second] = hosts.slice(index, index + 2) as [Host, Host];
    const upgrade = 'DEBIAN_FRONTEND=noninteractive apt-get -qq -y upgrade --with-new-pkgs';
    await shell(first, `apt-get -qq update && ${upgrade} --download-only`);
    const bare = await millisOf(() => shell(first, upgrade));
    const { plan } = await trials.prepare(second);
    const document = await millisOf(async () => {
      const { summary } = await trials.run(second, 'patch', { plan, parameters: { Reboot: 'never' } });
      if (summary.result !== 'patched') throw new Error(`the bench's patch ended ${summary.result}`);
    });
    times.push({ bare, document });
  }
  return times;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
