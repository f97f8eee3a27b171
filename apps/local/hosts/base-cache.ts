/** Keeps what takes long to build outside the repository, built once, by one process, and whole or not at all. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { runOnMachine } from './machine-command.ts';

export type Progress = (line: string) => void;

export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'quarterdeck');
}

/** Runs `work` while holding a lock that the kernel lets go of even if this process is killed. */
export async function holding<T>(lockFile: string, work: () => Promise<T>): Promise<T> {
  const holder: ChildProcess = spawn('flock', [lockFile, 'sh', '-c', 'echo held; exec cat'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true,
  });
  const ended = once(holder, 'exit');
  try {
    const first = holder.stdout ? once(holder.stdout, 'data') : Promise.reject(new Error('no output'));
    await Promise.race([
      first,
      ended.then(() => {
        throw new Error(`cannot lock "${lockFile}": see that its folder can be written`);
      }),
    ]);
    return await work();
  } finally {
    holder.stdin?.end();
    await ended.catch(() => {});
  }
}

/**
 * Returns the cached folder of this recipe, building it first where it is missing.
 *
 * @param recipe everything that the result depends on; a change of it is another folder
 * @param build fills the folder it is given
 */
export async function cached(
  name: string,
  recipe: unknown,
  build: (folder: string) => Promise<void>,
  cache: string = cacheFolder(),
): Promise<string> {
  const digest = createHash('sha256').update(JSON.stringify(recipe)).digest('hex').slice(0, 16);
  const folder = join(cache, `${name}-${digest}`);
  if (existsSync(folder)) return folder;
  await mkdir(cache, { recursive: true });
  return holding(join(cache, `${name}.lock`), async () => {
    if (existsSync(folder)) return folder;
    const draft = `${folder}.draft`;
    await runOnMachine(['rm', '-rf', '--', draft]);
    await mkdir(draft);
    try {
      await build(draft);
      await rename(draft, folder);
    } finally {
      await runOnMachine(['rm', '-rf', '--', draft]);
    }
    return folder;
  });
}
