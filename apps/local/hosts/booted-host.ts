/** Boots a host's root file system with systemd as its first process, again and again as it asks to be rebooted. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HostCommand, HostProcess } from './host.ts';
import type { Boot } from './namespaced-host.ts';
import type { Vessel } from './vessel.ts';

/** systemd-nspawn's exit code for "the container asks to be rebooted". */
const REBOOT = 133;
const BOOT_TIMEOUT_MS = 60_000;
const POLL_MS = 10;

const START = 'mkdir "$1" && echo 0 >"$1/cgroup.procs" && shift && exec systemd-nspawn "$@"';

function nspawnArguments(name: string): string[] {
  return [
    '--boot',
    '--quiet',
    '--settings=no',
    '--register=no',
    '--keep-unit',
    '--link-journal=no',
    '--resolv-conf=off',
    '--timezone=off',
    '--console=read-only',
    `--machine=${name}`,
    `--directory=/run/fleet/hosts/${name}/root`,
    // Made once and kept over reboots: its cable ends at this process.
    `--network-namespace-path=/run/netns/${name}`,
  ];
}

/** The host's systemd, once it has sorted itself into its group; it is the one that calls itself pid 1. */
async function findLeader(group: string): Promise<number | undefined> {
  const listed = await readFile(join(group, 'payload/init.scope/cgroup.procs'), 'utf8').catch(() => '');
  for (const pid of listed.split('\n').filter(Boolean)) {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    if (/^NSpid:.*\t1$/m.test(status)) return Number(pid);
  }
  return undefined;
}

/** A vessel with a control group, without which systemd does not boot. */
export type SystemdVessel = Vessel & { readonly cgroup: string; readonly cgroupInside: string };

type RunIn = (leader: number, command: HostCommand) => HostProcess;

/** What the command printed, whatever it ended with. */
async function outputOf(started: HostProcess): Promise<string> {
  const chunks: Buffer[] = [];
  started.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  started.stderr.resume();
  await started.done;
  return Buffer.concat(chunks).toString();
}

/** @param check throws once there is nothing to wait for any more */
async function waitUntilUp(run: RunIn, group: string, check: () => Promise<void>): Promise<number> {
  let leader: number | undefined;
  for (;;) {
    await check();
    leader = await findLeader(group);
    if (leader && existsSync(`/proc/${leader}/root/run/systemd/private`)) break;
    await sleep(POLL_MS);
  }
  for (;;) {
    await check();
    // Waits until the boot is over: running, or degraded where a unit failed.
    const state = await outputOf(run(leader, { argv: ['systemctl', 'is-system-running', '--wait'] }));
    if (/^(running|degraded)$/m.test(state)) return leader;
    await sleep(POLL_MS);
  }
}

/** @returns how to boot the host of this name, in the shape that its life cycle wants */
export function systemdBoot(vessel: SystemdVessel, name: string) {
  let boots = 0;
  return async (run: RunIn): Promise<Boot> => {
    // A group of its own for every boot: the last one's may still be emptying.
    const group = `${name}.${++boots}`;
    const logFile = join(vessel.inside, 'hosts', name, 'console.log');
    const console = await open(logFile, 'a');
    const [program, ...enter] = vessel.enter;
    const args = ['/bin/sh', '-c', START, 'sh', `${vessel.cgroupInside}/${group}`, ...nspawnArguments(name)];
    const nspawn = spawn(program, [...enter, ...args], {
      detached: true,
      cwd: '/',
      env: { PATH: '/usr/sbin:/usr/bin', TERM: 'dumb' },
      stdio: ['ignore', console.fd, console.fd],
    });
    const ended = once(nspawn, 'exit').then(([code]) => ({ restarts: code === REBOOT }));
    await console.close();

    let over = false;
    void ended.then(() => {
      over = true;
    });
    const deadline = AbortSignal.timeout(BOOT_TIMEOUT_MS);
    const leader = await waitUntilUp(run, join(vessel.cgroup, group), async () => {
      if (!over && !deadline.aborted) return;
      const log = await readFile(logFile, 'utf8').catch(() => 'nothing, its fleet has closed');
      const end = log.trim().split('\n').slice(-5).join('; ');
      throw new Error(`host ${name} did not boot; its console ends with: ${end}`);
    });
    return {
      leader,
      ended,
      async restart() {
        await outputOf(run(leader, { argv: ['systemctl', '--no-block', 'reboot'] }));
      },
    };
  };
}
