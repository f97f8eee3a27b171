/** Owns one run of a script on a host: its output as it comes, and its end by itself, by time-out or by cancellation. */
import type { LocalClock } from '../clock.ts';
import type { Host, HostExit } from '../hosts/host.ts';
import type { OutputHead } from './output.ts';

export interface Script {
  readonly path: string;
  readonly lines: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Seconds. */
  readonly timeout: number;
  readonly stdout: OutputHead;
  readonly stderr: OutputHead;
  readonly cancelled: AbortSignal;
}

const bootIdPath = '/proc/sys/kernel/random/boot_id';

/** `lost`: the host went down under the script, or was down when it should have started. */
export type ScriptEnd =
  | { readonly why: 'exited'; readonly exit: HostExit }
  | { readonly why: 'timed-out' }
  | { readonly why: 'cancelled' }
  | { readonly why: 'lost' };

export async function runScript(host: Host, clock: LocalClock, script: Script): Promise<ScriptEnd> {
  const boot = await bootWith(host, script);
  if (boot === undefined) return { why: 'lost' };
  // What is cancelled before it started does not start.
  if (script.cancelled.aborted) return { why: 'cancelled' };
  // The agent says `sh -c <path>`: the kernel follows a shebang, and sh itself reads what has none.
  const argv: [string, ...string[]] = script.lines[0]?.startsWith('#!') ? [script.path] : ['sh', script.path];
  const process = host.run({ argv, env: script.env });
  process.stdout.on('data', (chunk: Buffer) => script.stdout.write(chunk));
  process.stderr.on('data', (chunk: Buffer) => script.stderr.write(chunk));
  let killed: 'timed-out' | 'cancelled' | undefined;
  const kill = (why: 'timed-out' | 'cancelled') => {
    killed ??= why;
    process.kill();
  };
  const stopTimer = clock.at(clock.now() + script.timeout * 1000, () => kill('timed-out'));
  const onCancel = () => kill('cancelled');
  script.cancelled.addEventListener('abort', onCancel);
  const exit = await process.done;
  stopTimer();
  script.cancelled.removeEventListener('abort', onCancel);
  if (killed) return { why: killed };
  return (await survived(host, exit, boot.id)) ? { why: 'exited', exit } : { why: 'lost' };
}

/** @returns the boot of the host that has the script in its place; undefined when it went down before that */
async function bootWith(
  host: Host,
  script: Script,
): Promise<{ readonly id: string | undefined } | undefined> {
  try {
    const id = await host.readFile(bootIdPath);
    await host.writeFile(script.path, `${script.lines.join('\n')}\n`, 0o700);
    return { id };
  } catch (error) {
    if (host.online()) throw error;
    return undefined;
  }
}

/** A host may be back before its dead processes are accounted for: then only its boot id tells. */
async function survived(host: Host, exit: HostExit, bootId: string | undefined): Promise<boolean> {
  if (!host.online()) return false;
  return exit.code !== null || (await host.readFile(bootIdPath)) === bootId;
}
