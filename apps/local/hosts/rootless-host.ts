/** Starts a host without systemd: namespaces, a fresh /run and a new boot id stand for a boot. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Boot } from './namespaced-host.ts';
import type { Vessel } from './vessel.ts';

const INIT = join(import.meta.dirname, 'rootless-init.sh');

/** @returns how to boot the host of this name, in the shape that its life cycle wants */
export function rootlessBoot(vessel: Vessel, name: string) {
  return async (): Promise<Boot> => {
    const [program, ...enter] = vessel.enter;
    const isolate = [
      '/usr/bin/nsenter',
      `--net=/run/netns/${name}`,
      'unshare',
      '--mount',
      '--pid',
      '--uts',
      '--ipc',
    ];
    // The script lies outside the vessel, so it goes in by its text.
    const script = await readFile(INIT, 'utf8');
    const child = spawn(
      program,
      [...enter, ...isolate, '--fork', '--kill-child', 'sh', '-c', script, 'sh', name],
      {
        detached: true,
        cwd: '/',
        env: { PATH: '/usr/sbin:/usr/bin' },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    const exit = once(child, 'exit');
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint += text;
    });
    const printed = once(child.stdout.setEncoding('utf8'), 'data').then(([text]) => Number(text));
    const leader = await Promise.race([printed, exit.then(() => undefined)]);
    if (!leader) throw new Error(`host ${name} did not start: ${complaint.trim() || 'no reason given'}`);
    let restarting = false;
    return {
      leader,
      ended: exit.then(() => ({ restarts: restarting })),
      async restart() {
        restarting = true;
        process.kill(leader, 'SIGKILL');
      },
    };
  };
}
