/** Runs the tests against other people's AWS: `npm run test:aws`, with the arguments of `vitest run`. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pythonVariable } from './python.ts';
import { PythonMissing, preparePythonEnvironment } from './python-environment.ts';

const root = join(import.meta.dirname, '../..');

try {
  const folder = preparePythonEnvironment({
    requirements: join(import.meta.dirname, 'requirements.txt'),
    cache: process.env.QUARTERDECK_CACHE ?? join(root, '.quarterdeck'),
    python: process.env.PYTHON ?? 'python3',
    tell: (line) => console.error(line),
  });
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const { status } = spawnSync(
    process.execPath,
    [vitest, 'run', '--project', 'aws', ...process.argv.slice(2)],
    { cwd: root, stdio: 'inherit', env: { ...process.env, [pythonVariable]: folder } },
  );
  process.exitCode = status ?? 1;
} catch (error) {
  if (!(error instanceof PythonMissing)) throw error;
  console.error(`the tests against other people's AWS can not run: ${error.message}`);
  process.exitCode = 2;
}
