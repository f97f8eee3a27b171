/** Holds the direction of imports, and that time comes from nowhere but the clock adapters. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');

/** Folder, and what its files may import beside themselves. The first that fits a file is its layer. */
const layers: readonly { folder: string; mayImport: readonly string[]; packages?: readonly string[] }[] = [
  // No SDK, no files, no network: what is not listed here is I/O until somebody shows that it is not.
  // papaparse can fetch and stream; given text, as core/inventory/csv-text.ts does, it only computes.
  {
    folder: 'core/',
    mayImport: [],
    packages: ['zod', 'luxon', 'yaml', 'papaparse', 'node:crypto', 'node:zlib'],
  },
  { folder: 'lambdas/aws/', mayImport: ['core/'] },
  { folder: 'lambdas/', mayImport: ['core/', 'lambdas/aws/'] },
  { folder: 'apps/local/', mayImport: ['core/', 'lambdas/aws/', 'ssm-documents/'] },
  { folder: 'apps/cli/', mayImport: ['core/', 'apps/local/'] },
  { folder: 'ssm-documents/', mayImport: ['core/'] },
  // The stack knows names and shapes, and of functions no more than the paths of their files.
  {
    folder: 'cdk/',
    mayImport: [
      'core/calls.ts',
      'core/configuration.ts',
      'core/steps.ts',
      'core/document.ts',
      'core/phase.ts',
      'core/snapshot-tags.ts',
      'lambdas/environment.ts',
      'lambdas/functions.ts',
      'lambdas/metric-names.ts',
      'lambdas/aws/table-shape.ts',
      'ssm-documents/',
    ],
  },
];

const readsClock = /\bnew Date\(\s*\)|\bDate\.now\b|\bDateTime\.now\b|\bDateTime\.(local|utc)\(\s*\)/;
const isClockAdapter = (file: string) => /(^|[/-])clock\.ts$/.test(file);

function violations(file: string, text: string): string[] {
  const layer = layers.find(({ folder }) => file.startsWith(folder));
  if (!layer) return [`${file} is in no layer: say in this test what it may import`];
  const found = importsOf(text).flatMap((specifier) => {
    if (!specifier.startsWith('.')) {
      return layer.packages && !layer.packages.includes(specifier) ? [`${file} imports ${specifier}`] : [];
    }
    const target = relative(root, join(root, dirname(file), specifier));
    const home = layers.find(({ folder }) => target.startsWith(folder))?.folder ?? target;
    const mayImport = [layer.folder, ...layer.mayImport];
    return mayImport.includes(home) || mayImport.includes(target) ? [] : [`${file} imports ${target}`];
  });
  if (layer.folder === 'core/' && /\bprocess\./.test(text)) found.push(`${file} reads the process`);
  if (!isClockAdapter(file) && readsClock.test(text)) found.push(`${file} asks for the time`);
  return found;
}

function importsOf(text: string): string[] {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  const specifiers =
    /(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\(\s*|\brequire\.resolve\(\s*)['"]([^'"]+)['"]/g;
  return [...code.matchAll(specifiers)].map((match) => match[1] as string);
}

describe('architecture', () => {
  const files = sources();

  test('imports point towards the core', () => {
    expect(files.length).toBeGreaterThan(50);
    expect(files.flatMap((file) => violations(file, readFileSync(join(root, file), 'utf8')))).toEqual([]);
  });

  test.each([
    ['core/gate.ts', "import { send } from '../lambdas/aws/ssm-commands.ts';"],
    ['core/gate.ts', "import type { Engine } from '../apps/local/asl/engine.ts';"],
    ['core/use-cases/sweep.ts', "import { SSM } from '@aws-sdk/client-ssm';"],
    ['core/use-cases/sweep.ts', "const { readFileSync } = await import('node:fs');"],
    ['core/gate.ts', 'const table = process.env.TABLE;'],
    ['core/gate.ts', 'const now = new Date();'],
    ['lambdas/dispatch-batch.ts', 'const now = DateTime.utc();'],
    ['apps/local/main.ts', 'const clock = createClock(0, Date.now);'],
    ['lambdas/aws/dynamodb-records.ts', "import { handler } from '../dispatch-batch.ts';"],
    ['lambdas/dispatch-batch.ts', "import { createClock } from '../apps/local/clock.ts';"],
    ['apps/local/main.ts', "import { handler } from '../../lambdas/dispatch-batch.ts';"],
    ['apps/local/main.ts', "import '../../cdk/app.ts';"],
    ['core/gate.ts', "export * from '../test/support/samples.ts';"],
    ['cdk/stacks/campaign-stack.ts', "import { handler } from '../../lambdas/dispatch-batch.ts';"],
    [
      'cdk/constructs/state-table.ts',
      "import { sealCampaign } from '../../core/use-cases/seal-campaign.ts';",
    ],
    ['scripts/deploy.ts', "import { z } from 'zod';"],
  ])('%s must not say %j', (file, text) => {
    expect(violations(file, text)).toHaveLength(1);
  });

  test.each([
    ['core/gate.ts', "import { z } from 'zod';\nimport { plan } from './plan.ts';"],
    ['lambdas/aws/dynamodb-records.ts', "import type { Records } from '../../core/ports.ts';"],
    ['apps/local/main.ts', "import { createDynamoRecords } from '../../lambdas/aws/dynamodb-records.ts';"],
    ['cdk/app.ts', "import { parseConfiguration } from '../core/configuration.ts';"],
    ['cdk/constructs/campaign-functions.ts', "import { functions } from '../../lambdas/functions.ts';"],
    ['apps/local/system-clock.ts', 'export const systemClock = () => Date.now();'],
    ['core/gate.ts', "// as in import '../cdk/app.ts'\nconst at = DateTime.fromISO(text);"],
  ])('%s may say %j', (file, text) => {
    expect(violations(file, text)).toEqual([]);
  });
});

/** Every file that is shipped; tests may import what they like. */
function sources(): string[] {
  return readdirSync(root, { withFileTypes: true })
    .filter(
      (entry) => entry.isDirectory() && !/^\.|^(node_modules|test|docs|coverage|cdk\.out)$/.test(entry.name),
    )
    .flatMap(({ name }) =>
      readdirSync(join(root, name), { recursive: true }).map((file) => `${name}/${file}`),
    )
    .filter((file) => file.endsWith('.ts'));
}
