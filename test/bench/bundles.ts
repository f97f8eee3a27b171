/** Owns the bench of the functions' bundles: size and cold import, against the bare SDK clients that each uses. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { type FunctionName, type FunctionShape, functions } from '../../lambdas/functions.ts';
import type { Bench, BenchRow } from './bench.ts';

const root = join(import.meta.dirname, '../..');
const rounds = 5;

/** What a function may weigh beyond its clients: zod, Powertools with the X-Ray SDK, and our own code. */
const ownKilobytes = 340;
/** Beside them in those that plan or read lists: luxon (70), papaparse (21), names of zones (14), and the calendar. */
const planKilobytes = 140;
/** Beside them in those that settle: luxon, since a patch may leave a reboot to the next night of its server. */
const zoneKilobytes = 85;
/** Beside them in those that read archives: tar and what it stands on. */
const archiveKilobytes = 60;
const settling: readonly FunctionName[] = [
  'dispatch-batch',
  'settle-events',
  'sweep',
  'give-up-batch',
  'run-reboots',
];
/** The same in time; of a process that loads nothing but the bundle, on whatever machine this is. */
const ownMillis = 150;

export const bundlesBench: Bench = {
  name: 'bundles',
  async run() {
    const folder = await mkdtemp(join(tmpdir(), 'quarterdeck-bundles-'));
    try {
      const rows: BenchRow[] = [];
      for (const name of Object.keys(functions)) rows.push(...(await measure(name, folder)));
      return rows;
    } finally {
      await rm(folder, { recursive: true });
    }
  },
};

async function measure(name: string, folder: string): Promise<BenchRow[]> {
  const bundle = join(folder, `${name}.mjs`);
  const sources = await bundleTo(bundle, { entryPoints: [join(root, 'lambdas', `${name}.ts`)] });
  const bare = join(folder, `${name}.bare.mjs`);
  await bundleTo(bare, { stdin: { contents: await bareClients(sources), resolveDir: root } });
  const [size, bareSize] = [await kilobytes(bundle), await kilobytes(bare)];
  const [time, bareTime] = [await coldImport(bundle), await coldImport(bare)];
  return [
    { what: `${name}: bundle`, value: size, unit: 'KB' },
    { what: `${name}: beyond its clients`, value: size - bareSize, unit: 'KB', atMost: kilobytesOf(name) },
    { what: `${name}: cold import`, value: time, unit: 'ms' },
    { what: `${name}: beyond its clients`, value: time - bareTime, unit: 'ms', atMost: ownMillis },
  ];
}

function kilobytesOf(name: string): number {
  const { ports }: FunctionShape = functions[name as FunctionName];
  const zones = settling.includes(name as FunctionName) ? zoneKilobytes : 0;
  const archives = ports.includes('backups') ? archiveKilobytes : 0;
  return ownKilobytes + archives + (ports.includes('calendar') ? planKilobytes : zones);
}

/** As the stack bundles. @returns the files of ours that are in it */
async function bundleTo(outfile: string, from: Parameters<typeof build>[0]): Promise<string[]> {
  const { metafile } = await build({
    ...from,
    absWorkingDir: root,
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    mainFields: ['module', 'main'],
    target: 'node24',
    minify: true,
    metafile: true,
    banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
    logLevel: 'error',
  });
  const inputs = Object.values(metafile.outputs)[0]?.inputs ?? {};
  return Object.entries(inputs)
    .filter(([file, { bytesInOutput }]) => bytesInOutput > 0 && file.startsWith('lambdas/aws/'))
    .map(([file]) => file);
}

/** A module with the clients and commands that the adapters import, and nothing else. */
async function bareClients(adapters: readonly string[]): Promise<string> {
  const names = new Map<string, Set<string>>();
  for (const adapter of adapters) {
    const text = await readFile(join(root, adapter), 'utf8');
    for (const [, list = '', from = ''] of text.matchAll(/^import \{([^}]*)\} from '(@aws-sdk\/[^']+)'/gm)) {
      const values = list.split(',').map((name) => name.trim());
      const known = names.get(from) ?? new Set();
      for (const value of values) if (value !== '' && !value.startsWith('type ')) known.add(value);
      names.set(from, known);
    }
  }
  return [...names].map(([from, all]) => `export { ${[...all].join(', ')} } from '${from}';`).join('\n');
}

const kilobytes = async (file: string) => (await stat(file)).size / 1000;

/** The fastest of some: what else the machine does only ever adds. */
async function coldImport(file: string): Promise<number> {
  const script = `${file}.time.mjs`;
  await writeFile(
    script,
    `const begun = performance.now();\nawait import(${JSON.stringify(file)});\nprocess.stdout.write(String(performance.now() - begun));\n`,
  );
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const { stdout } = await promisify(execFile)(process.execPath, [script]);
    times.push(Number(stdout));
  }
  return Math.min(...times);
}
