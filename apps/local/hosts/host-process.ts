/** Starts a command of a host as a child process and watches it to its end, whatever it leaves behind. */
import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { PassThrough, Readable } from 'node:stream';
import type { HostExit, HostProcess } from './host.ts';

/** How often a pipe that a left-over process holds open is looked at before it is given up. */
const DRAIN_CHECK_MS = 200;

/** Node hands out sockets, which scripts cannot reopen as /dev/stderr; the agent's pipes they can. */
const WITH_PIPES = 'exec env -i "$@" > >(exec cat) 2> >(exec cat >&2)';
const WITH_INPUT = `${WITH_PIPES} < <(exec cat)`;

/** @param env the whole environment of the command */
export function startHostProcess(
  argv: readonly [string, ...string[]],
  env: Readonly<Record<string, string>>,
  stdin: string | undefined,
): HostProcess {
  // As words and not as the environment of bash, which would add to it; and a bash whose input is a socket reads
  // its start-up files unless told not to.
  const words = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const script = stdin === undefined ? WITH_PIPES : WITH_INPUT;
  const child = spawn('/bin/bash', ['--norc', '-c', script, 'bash', ...words, ...argv], {
    env: { PATH: env.PATH ?? '/usr/bin:/bin' },
    cwd: '/',
    // Its own process group, so that a kill reaches all it started and Ctrl-C in a terminal does not.
    detached: true,
    stdio: [stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  // A command that ends without reading its input says so by its exit code, not by a broken pipe here.
  child.stdin?.on('error', () => {});
  child.stdin?.end(stdin);
  const relay = (pipe: Readable | null) => {
    const out = new PassThrough();
    pipe?.pipe(out);
    return { source: pipe as Socket, out };
  };
  const pipes = [relay(child.stdout), relay(child.stderr)] as const;

  const done = new Promise<HostExit>((resolve) => {
    let drain: NodeJS.Timeout | undefined;
    child.on('error', () => resolve({ code: null, signal: null }));
    child.on('exit', () => {
      // A daemon it started may keep the pipes open for ever: its end is not waited for.
      let seen = -1;
      drain = setInterval(() => {
        const read = pipes.reduce((total, { source }) => total + source.bytesRead, 0);
        const idle = read === seen && pipes.every(({ source }) => source.readableLength === 0);
        seen = read;
        if (!idle) return;
        for (const { source, out } of pipes) {
          source.destroy();
          out.end();
        }
      }, DRAIN_CHECK_MS);
    });
    child.on('close', (code, signal) => {
      clearInterval(drain);
      resolve({ code, signal });
    });
  });

  const [stdout, stderr] = pipes;
  return {
    stdout: stdout.out,
    stderr: stderr.out,
    done,
    kill() {
      if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // The group is gone: it ended by itself between the check and the signal.
      }
    },
  };
}

/** What a host that is off answers: nothing runs, and the end is that of a host that died. */
export function neverStarted(): HostProcess {
  return {
    stdout: Readable.from([]),
    stderr: Readable.from([]),
    done: Promise.resolve({ code: null, signal: null }),
    kill() {},
  };
}
