/** Runs commands on hosts to their end, and looks for what a fleet left on the machine. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cgroupRootIn } from '../../apps/local/hosts/cgroup.ts';
import type { Host, HostCommand, HostExit } from '../../apps/local/hosts/host.ts';

export interface Finished extends HostExit {
  readonly stdout: string;
  readonly stderr: string;
}

export async function finish(host: Host, command: HostCommand): Promise<Finished> {
  const started = host.run(command);
  const text = async (stream: typeof started.stdout) => {
    let all = '';
    for await (const chunk of stream) all += chunk;
    return all;
  };
  const [stdout, stderr, exit] = await Promise.all([
    text(started.stdout),
    text(started.stderr),
    started.done,
  ]);
  return { ...exit, stdout, stderr };
}

export const shell = (host: Host, script: string) => finish(host, { argv: ['sh', '-c', script] });

/** Everything of this machine that carries the name of this cache: mounts, control groups, processes, folders. */
export async function leftovers(cache: string): Promise<string[]> {
  const mounts = await readFile('/proc/self/mounts', 'utf8');
  const runs = await readdir(join(cache, 'runs')).catch(() => []);
  const groups = await readdir(cgroupRootIn(mounts) ?? '/nonexistent').catch(() => []);
  const processes: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (words.includes(`${cache}/runs/`) && Number(pid) !== process.pid) processes.push(words);
  }
  return [
    ...mounts.split('\n').filter((line) => line.includes(cache)),
    ...groups.filter((name) => runs.some((run) => name.endsWith(run))),
    ...processes,
    ...runs,
  ];
}
