/** One sealed-off place on this machine that holds a fleet's mounts, networks and processes and ends as one. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { freemem } from 'node:os';
import { basename, join } from 'node:path';
import { holding } from './base-cache.ts';
import { findCgroupRoot } from './cgroup.ts';
import { runOnMachine } from './machine-command.ts';

export type How = 'booted' | 'rootless';

export interface Vessel {
  readonly how: How;
  /** Pid, as this process sees it, of the vessel's first process. */
  readonly pid: number;
  /** The vessel's folder on this machine; gone when it closes. */
  readonly folder: string;
  /** The same folder as the vessel sees it below `/run/fleet`, reached from this machine. */
  readonly inside: string;
  /** Its control group, a folder; undefined when rootless. */
  readonly cgroup: string | undefined;
  /** Path of that group inside the vessel. */
  readonly cgroupInside: string | undefined;
  /** The words before a command that make it run inside the vessel, as root there. */
  readonly enter: readonly [string, ...string[]];
  /** The same for the network alone, with this machine's files. */
  readonly enterNetwork: readonly [string, ...string[]];
  /** Kills all that runs inside and removes mounts, control groups and folder. Safe to call twice. */
  close(): Promise<void>;
}

const KEEPER = join(import.meta.dirname, 'keep-vessel.sh');

/** Removes what crashed runs left behind; live ones hold a lock and are passed over. */
async function sweep(runs: string): Promise<void> {
  for (const run of await readdir(runs)) {
    // It fails only where a run that was ending by itself removes its folder first.
    await runOnMachine(['sh', KEEPER, 'sweep', join(runs, run)]).catch(() => {});
  }
}

/** What the keeper prints first: the vessel's pid, or nothing at all if it could not start. */
async function firstLine(keeper: ChildProcess): Promise<string> {
  let text = '';
  let complaint = '';
  keeper.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    complaint += chunk;
  });
  for await (const chunk of keeper.stdout?.setEncoding('utf8') ?? []) {
    text += chunk;
    if (text.includes('\n')) break;
  }
  const line = text.trim();
  if (/^\d+$/.test(line)) return line;
  keeper.stdin?.end();
  await once(keeper, 'exit');
  throw new Error(
    `cannot set up a place for hosts: ${complaint.trim().split('\n').join('; ') || 'no reason given'}`,
  );
}

export interface VesselOptions {
  readonly how: How;
  /** Root file system that provides the tools inside. */
  readonly tools: string;
  /** Root file systems that hosts inside are stacked on; each is known there by the name of its folder. */
  readonly bases: readonly string[];
  /** Folder below which runs live. */
  readonly cache: string;
  /** Bytes that the hosts' changes may come to: kept in memory where that is plenty, which is fast to write and gone at once. */
  readonly changes: number;
}

export async function openVessel({ how, tools, bases, cache, changes }: VesselOptions): Promise<Vessel> {
  const runs = join(cache, 'runs');
  await mkdir(runs, { recursive: true });
  // Under one lock, so that a sweep never takes a folder whose keeper is just about to lock it.
  return holding(join(cache, 'runs.lock'), async () => {
    await sweep(runs);
    const folder = await mkdtemp(join(runs, 'run-'));
    for (const name of ['root', 'hosts', 'layer']) await mkdir(join(folder, name));
    const cgroupRoot = how === 'booted' ? await findCgroupRoot() : undefined;
    const group = `quarterdeck-${basename(folder)}`;
    const cgroup = cgroupRoot && join(cgroupRoot, group);
    if (cgroup) {
      await writeFile(join(folder, 'cgroup'), cgroup);
      await mkdir(cgroup);
    }
    const storage = changes < freemem() / 2 ? 'memory' : 'disk';
    // Its own session: Ctrl-C in a terminal reaches its owner, who then closes it in order.
    const keeper = spawn('sh', [KEEPER, 'start', folder, tools, how, storage, ...bases], {
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
      cwd: '/',
    });
    const gone = once(keeper, 'exit');
    const pid = await firstLine(keeper);
    const user = how === 'rootless' ? ['--user', '--preserve-credentials'] : [];
    const target = ['nsenter', '--target', pid, ...user] as const;
    return {
      how,
      pid: Number(pid),
      folder,
      inside: `/proc/${pid}/root/run/fleet`,
      cgroup,
      cgroupInside: cgroup && `/sys/fs/cgroup/${group}`,
      enter: [...target, '--mount', '--pid', '--net', '--uts', '--ipc'],
      enterNetwork: [...target, '--net'],
      async close() {
        keeper.stdin?.end();
        await gone;
      },
    };
  });
}
