/** Finds this machine's unified control group tree, whether it is the only one or beside the old ones. */
import { mkdir, readFile, rmdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Where cgroup2 is mounted according to the mount table, or undefined. */
export function cgroupRootIn(mounts: string): string | undefined {
  const line = mounts.split('\n').find((mount) => mount.split(' ')[2] === 'cgroup2');
  return line?.split(' ')[1];
}

export async function findCgroupRoot(): Promise<string | undefined> {
  return cgroupRootIn(await readFile('/proc/self/mounts', 'utf8'));
}

/** Why no group can be made there, or undefined where one can. */
export async function cgroupRefusal(root: string): Promise<string | undefined> {
  const probe = join(root, `quarterdeck-probe-${process.pid}`);
  try {
    await mkdir(probe);
    await rmdir(probe);
    return undefined;
  } catch (error) {
    return `cannot make control groups in ${root} (${(error as NodeJS.ErrnoException).code})`;
  }
}
