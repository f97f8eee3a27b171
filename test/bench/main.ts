/** Owns `npm run bench`: runs every bench, or those named, and prints one table; exit 1 when a bound is not kept. */
import { parseArgs } from 'node:util';
import type { Bench, BenchRow } from './bench.ts';
import { bundlesBench } from './bundles.ts';
import { costBench, scaleBench } from './campaigns.ts';
import { documentTimeBench } from './document-time.ts';
import { familyTimeBench } from './family-time.ts';
import { inventoryBench } from './inventory.ts';
import { plansBench } from './plans.ts';
import { recordsBench } from './records.ts';
import { synthBench } from './synth.ts';

const benches: readonly Bench[] = [
  recordsBench,
  plansBench,
  costBench,
  scaleBench,
  documentTimeBench,
  familyTimeBench,
  bundlesBench,
  inventoryBench,
  synthBench,
];

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false } },
});

const unknown = positionals.filter((name) => !benches.some((bench) => bench.name === name));
if (unknown.length > 0) {
  const names = benches.map(({ name }) => name).join(', ');
  process.stderr.write(`there is no bench ${unknown.join(', ')}: choose of ${names}\n`);
  process.exit(2);
}

const results: { bench: string; rows: readonly BenchRow[]; unavailable?: string }[] = [];
for (const bench of benches) {
  if (positionals.length > 0 && !positionals.includes(bench.name)) continue;
  const unavailable = await bench.unavailable?.();
  const rows = unavailable === undefined ? await bench.run() : [];
  results.push({ bench: bench.name, rows, ...(unavailable !== undefined && { unavailable }) });
  if (!values.json) process.stdout.write(table(bench.name, rows, unavailable));
}
if (values.json) process.stdout.write(`${JSON.stringify(results)}\n`);
if (results.some(({ rows }) => rows.some(isExceeded))) process.exitCode = 1;

function isExceeded({ value, atMost }: BenchRow): boolean {
  return atMost !== undefined && value > atMost;
}

function table(name: string, rows: readonly BenchRow[], unavailable: string | undefined): string {
  if (unavailable !== undefined) return `${name}: not run, ${unavailable}\n\n`;
  const width = Math.max(...rows.map(({ what }) => what.length));
  const lines = rows.map((row) => {
    const bound =
      row.atMost === undefined ? '' : `  (at most ${row.atMost}${isExceeded(row) ? ', EXCEEDED' : ''})`;
    return `  ${row.what.padEnd(width)}  ${readable(row.value).padStart(12)} ${row.unit}${bound}`;
  });
  return `${name}\n${lines.join('\n')}\n\n`;
}

/** Three digits that matter, or whole numbers: prices and throughputs stand in one column. */
function readable(value: number): string {
  return Math.abs(value) >= 100
    ? Math.round(value).toLocaleString('en-US')
    : String(Number(value.toPrecision(3)));
}
