/** Owns the virtual environment of the Python tools: made once for each list of requirements, and kept. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Something that the machine lacks; the message says what, and how to get it. */
export class PythonMissing extends Error {}

/** Of the packages that are pinned, one asks for it. */
const oldestPython = [3, 11] as const;

export interface PythonEnvironmentOptions {
  /** File that pins every package. */
  readonly requirements: string;
  /** Folder of environments. */
  readonly cache: string;
  /** Command, as found on the path. */
  readonly python: string;
  readonly tell: (line: string) => void;
}

/**
 * Named by the hash of what is to be in it, and by the Python: when either changes, a new one is made. Made under
 * another name first, so that one whose making was interrupted is never used.
 *
 * @returns its folder
 * @throws PythonMissing
 */
export function preparePythonEnvironment({
  requirements,
  cache,
  python,
  tell,
}: PythonEnvironmentOptions): string {
  const version = pythonVersion(python);
  const hash = createHash('sha256').update(version).update(readFileSync(requirements)).digest('hex');
  const folder = join(cache, `python-${hash.slice(0, 16)}`);
  const complete = join(folder, 'complete');
  if (existsSync(complete)) return folder;
  tell(`making a virtual environment of ${requirements} in ${folder}, once`);
  mkdirSync(cache, { recursive: true });
  rmSync(folder, { recursive: true, force: true });
  run(
    python,
    ['-m', 'venv', folder],
    `${python} has no venv or ensurepip: install it (Debian: python3-venv)`,
  );
  run(
    join(folder, 'bin', 'python'),
    ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps', '-r', requirements],
    `pip could not install what ${requirements} names: it needs a package index, see pip's message above`,
  );
  run(
    join(folder, 'bin', 'python'),
    ['-m', 'pip', 'check', '--disable-pip-version-check'],
    `${requirements} pins packages that do not go together, or not all that they need`,
  );
  const made = `${complete}.new`;
  writeFileSync(made, `${version}\n`);
  renameSync(made, complete);
  return folder;
}

function pythonVersion(python: string): string {
  const { status, stdout, error } = spawnSync(python, ['--version'], { encoding: 'utf8' });
  const oldest = oldestPython.join('.');
  if (error || status !== 0)
    throw new PythonMissing(`there is no ${python}: install Python ${oldest} or newer, with venv and pip`);
  const version = stdout.trim().replace('Python ', '');
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < oldestPython[0] || (major === oldestPython[0] && minor < oldestPython[1]))
    throw new PythonMissing(`${python} is ${version}: Python ${oldest} or newer is needed`);
  return version;
}

function run(command: string, args: readonly string[], otherwise: string): void {
  try {
    execFileSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  } catch (cause) {
    throw new PythonMissing(otherwise, { cause });
  }
}
