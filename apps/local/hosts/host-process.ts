/** Starts a command of a host as a child process and watches it to its end, whatever it leaves behind. */
import { spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { Readable } from 'node:stream';
import type { HostExit, HostProcess } from './host.ts';

/** How often a pipe that a left-over process holds open is looked at before it is given up. */
const DRAIN_CHECK_MS = 200;

/** Node's pipes are sockets, which count what came through them. */
const bytesRead = (stream: Readable) => (stream instanceof Socket ? stream.bytesRead : 0);

/** @param env the whole environment of the command */
export function startHostProcess(
  argv: readonly [string, ...string[]],
  env: Readonly<Record<string, string>>,
  stdin: string | undefined,
): HostProcess {
  const [program, ...args] = argv;
  // Its own process group, so that a kill reaches all it started and Ctrl-C in a terminal does not.
  const child = spawn(program, args, { env, cwd: '/', detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.on('error', () => {});
  child.stdin.end(stdin);

  const done = new Promise<HostExit>((resolve) => {
    let drain: NodeJS.Timeout | undefined;
    child.on('error', () => resolve({ code: null, signal: null }));
    child.on('exit', () => {
      // A daemon it started may keep the pipes open for ever: the agent does not wait for that either.
      let seen = -1;
      drain = setInterval(() => {
        const read = bytesRead(child.stdout) + bytesRead(child.stderr);
        const idle = read === seen && child.stdout.readableLength + child.stderr.readableLength === 0;
        seen = read;
        if (!idle) return;
        child.stdout.destroy();
        child.stderr.destroy();
      }, DRAIN_CHECK_MS);
    });
    child.on('close', (code, signal) => {
      clearInterval(drain);
      resolve({ code, signal });
    });
  });

  return {
    stdout: child.stdout,
    stderr: child.stderr,
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
