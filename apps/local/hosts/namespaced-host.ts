/** A host that lives in namespaces of its own: what it does between being switched on and taken away. */
import type { Host, HostCommand, HostKind, HostProcess } from './host.ts';
import { neverStarted, startHostProcess } from './host-process.ts';

/** One boot of a host, from its first process to its last. */
export interface Boot {
  /** Pid of the host's first process, as this machine knows it. */
  readonly leader: number;
  /** Settles when the host is down; `restarts` if it went down in order to come up again. */
  readonly ended: Promise<{ readonly restarts: boolean }>;
  /** Asks the host to go down in its own way, in order to come up again. */
  restart(): Promise<void>;
}

export interface NamespacedHostOptions {
  readonly id: string;
  readonly name: string;
  readonly kind: HostKind;
  readonly env: Readonly<Record<string, string>>;
  /** Resolves once the host takes commands. */
  boot(run: (leader: number, command: HostCommand) => HostProcess): Promise<Boot>;
  /** The words before a command that run it in the namespaces of this process, as root there. */
  enter(leader: number): readonly [string, ...string[]];
}

/** How long a host may take to go down by itself before the plug is pulled. */
const SHUTDOWN_MS = 60_000;

const BASE_ENVIRONMENT = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LC_ALL: 'C',
};

const WRITE_FILE =
  'mkdir -p -- "$(dirname -- "$1")" && cat >"$1.incoming" && chmod "$2" "$1.incoming" && mv -f -- "$1.incoming" "$1"';
const ABSENT = 66;
const READ_FILE = `[ -e "$1" ] || exit ${ABSENT}; exec cat -- "$1"`;

async function collect(
  process: HostProcess,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const text = async (stream: HostProcess['stdout']) => {
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks).toString();
  };
  const [stdout, stderr, { code }] = await Promise.all([
    text(process.stdout),
    text(process.stderr),
    process.done,
  ]);
  return { code, stdout, stderr };
}

/** Switches the host on and resolves with it once it takes commands. */
export async function startNamespacedHost(options: NamespacedHostOptions): Promise<Host> {
  const { id, name, kind, env, enter } = options;
  let current: Boot | undefined;
  let up: Promise<void> = Promise.resolve();
  let closed = false;

  const runIn = (leader: number, { argv, env: extra, stdin }: HostCommand) =>
    startHostProcess([...enter(leader), ...argv], { ...BASE_ENVIRONMENT, ...extra }, stdin);

  const start = async () => {
    const boot = await options.boot(runIn);
    current = boot;
    void boot.ended.then(({ restarts }) => {
      current = undefined;
      if (restarts && !closed) switchOn();
    });
  };

  const switchOn = () => {
    up = start();
    // Whoever waits for the host hears of it; a host that nobody waits for just stays off.
    up.catch(() => {});
  };

  const pullPlug = (boot: Boot) => {
    try {
      process.kill(boot.leader, 'SIGKILL');
    } catch {
      // It went down by itself first.
    }
    return boot.ended;
  };

  switchOn();
  await up;

  const host: Host = {
    id,
    name,
    kind,
    env,
    online: () => current !== undefined,
    run: (command) => (current ? runIn(current.leader, command) : neverStarted()),
    async writeFile(path, content, mode) {
      const command = ['sh', '-c', WRITE_FILE, 'sh', path, mode.toString(8)] as const;
      const { code, stderr } = await collect(host.run({ argv: command, stdin: content }));
      if (code !== 0)
        throw new Error(`cannot write "${path}" on ${name}: ${stderr.trim() || 'it is offline'}`);
    },
    async readFile(path) {
      const { code, stdout, stderr } = await collect(host.run({ argv: ['sh', '-c', READ_FILE, 'sh', path] }));
      if (code === ABSENT) return undefined;
      if (code !== 0)
        throw new Error(`cannot read "${path}" on ${name}: ${stderr.trim() || 'it is offline'}`);
      return stdout;
    },
    async reboot() {
      const before = current;
      if (before) {
        const overdue = setTimeout(() => void pullPlug(before), SHUTDOWN_MS);
        await before.restart();
        const { restarts } = await before.ended;
        clearTimeout(overdue);
        if (!restarts) switchOn();
      } else if (!(await isComingUp())) switchOn();
      await up;
    },
    async powerCut() {
      await up.catch(() => {});
      if (current) await pullPlug(current);
    },
    async close() {
      closed = true;
      await host.powerCut();
    },
  };

  /** Whether a boot that is under way leads somewhere. */
  async function isComingUp(): Promise<boolean> {
    await up.catch(() => {});
    return current !== undefined;
  }

  return host;
}
