/** Measures whole campaigns over simulated servers: what AWS would charge, and how time and memory grow. */
import { countServerRequest, countTransitions } from '../../apps/local/cost-meter.ts';
import { createWorld, serversOf } from '../support/campaign-world.ts';
import type { Bench, BenchRow } from './bench.ts';

interface Measured {
  readonly seconds: number;
  readonly megabytes: number;
  readonly listUsd: number;
  readonly transitions: number;
}

async function measure(count: number): Promise<Measured> {
  const started = performance.now();
  const world = createWorld({ servers: serversOf(count), stopwatch: () => performance.now() });
  const end = await world.run();
  const wrong = end.jobs.filter(({ state }) => state !== 'succeeded');
  if (end.state !== 'completed' || wrong.length > 0) {
    throw new Error(`campaign of ${count} ended as ${end.state}, ${wrong.length} servers did not succeed`);
  }
  const seconds = (performance.now() - started) / 1000;
  const transitions = world.host.engine.transitions();
  countTransitions(world.meter, transitions);
  // Simulated servers read their order and write their result past the endpoint; real ones ask S3 once for each.
  for (const _ of world.fleet.log) {
    countServerRequest(world.meter, { method: 'GET', status: 200 });
    countServerRequest(world.meter, { method: 'PUT', status: 200 });
  }
  return {
    seconds,
    megabytes: process.memoryUsage().rss / 2 ** 20,
    listUsd: world.meter.reading().cost.total,
    transitions,
  };
}

export const costBench: Bench = {
  name: 'campaign-cost',
  async run() {
    const { listUsd, transitions } = await measure(1000);
    return [
      { what: 'list price of a campaign over 1,000 servers', value: listUsd, unit: 'USD', atMost: 0.05 },
      { what: 'state transitions per server', value: transitions / 1000, unit: 'transitions', atMost: 1 },
    ];
  },
};

export const scaleBench: Bench = {
  name: 'simulated-campaign',
  async run() {
    const rows: BenchRow[] = [];
    let before: Measured | undefined;
    for (const count of [1000, 10_000, 100_000]) {
      const now = await measure(count);
      const servers = count.toLocaleString('en-US');
      rows.push({ what: `${servers} servers: time`, value: now.seconds, unit: 's' });
      rows.push({ what: `${servers} servers: memory of the process`, value: now.megabytes, unit: 'MiB' });
      if (before) {
        rows.push({
          what: `${servers} servers: time against a tenth of them`,
          value: now.seconds / before.seconds,
          unit: 'times',
          // Twelve and not ten: what grows faster than the fleet would show here first.
          atMost: 12,
        });
      }
      before = now;
    }
    return rows;
  },
};
