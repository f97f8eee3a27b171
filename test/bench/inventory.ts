/** Owns the bench of server lists: how long 100,000 servers take from CSV text and back. */
import { readInventory } from '../../core/inventory/read-inventory.ts';
import { inventoryCsv } from '../../core/inventory/write-inventory.ts';
import type { Bench } from './bench.ts';

const servers = 100_000;
const now = '2027-02-15T12:00:00.000Z';

export const inventoryBench: Bench = {
  name: 'inventory',
  run: async () => {
    const text = listOf('America/New_York');
    const read = seconds(() => readInventory(text, { now }));
    const { servers: all } = read.result;
    if (all.length !== servers) throw new Error(`${all.length} servers were read, not ${servers}`);
    const written = seconds(() => inventoryCsv(all));
    // The worst that a list can be: each zone is wrong in its own way.
    const wrong = listOf('America/New_Yerk');
    const refused = seconds(() => readInventory(wrong, { now }));
    return [
      { what: `a list of ${servers} servers`, value: text.length / 1e6, unit: 'MB' },
      { what: 'read', value: read.seconds, unit: 's', atMost: 10 },
      { what: 'write', value: written.seconds, unit: 's', atMost: 10 },
      { what: 'refuse, each row for a zone of its own', value: refused.seconds, unit: 's', atMost: 15 },
    ];
  },
};

function listOf(zone: string): string {
  const header =
    'Server Name,Host Group,Operating System,Environment,Server Timezone,Location,Primary Owner,Secondary Owner,Q2 Patch Date,Q2 Patch Time,Q2 Approval Status,Q3 Patch Date,Q3 Patch Time,Active Status,Instance Id,Account,Region';
  const rows = Array.from({ length: servers }, (_, index) => {
    const id = index.toString(16).padStart(17, '0');
    const place = zone.endsWith('Yerk') ? `${zone}${index}` : zone;
    return `host-${index},group ${index % 500},Debian 12,production,${place},"Newark, NJ",ana@example.com,bo@example.com,2027-02-${20 + (index % 8)},2:30 AM,Approved,46${149 + (index % 80)},0.0833,Active,i-${id},123456789012,us-east-1`;
  });
  return `${header}\r\n${rows.join('\r\n')}\r\n`;
}

function seconds<T>(work: () => T): { readonly result: T; readonly seconds: number } {
  const started = performance.now();
  const result = work();
  return { result, seconds: (performance.now() - started) / 1000 };
}
