/** Owns the code of the functions for a run of the tests: bundled once before the first test, gone after the last. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { fileOf } from '../../cdk/repository.ts';
import { functions } from '../../lambdas/functions.ts';

/** Names the folder that has `<name of the function>.mjs` of each, and the thread that runs one. */
export const bundlesVariable = 'QUARTERDECK_TEST_BUNDLES';

/** Vitest calls it. With the settings of the stack's own bundling; see the construct of the functions. */
export default async function bundleFunctions(): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'quarterdeck-functions-'));
  const entries = Object.keys(functions).map((name) => fileOf('lambdas', `${name}.ts`));
  await build({
    entryPoints: [...entries, join(import.meta.dirname, 'function-worker.ts')],
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    entryNames: '[name]',
    bundle: true,
    platform: 'node',
    format: 'esm',
    mainFields: ['module', 'main'],
    target: 'node20',
    minify: true,
    banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
    logLevel: 'error',
  });
  process.env[bundlesVariable] = folder;
  return () => rm(folder, { recursive: true, force: true });
}
