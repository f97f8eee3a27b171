/** A host that is a folder: commands run on the machine itself, and find their system below QD_ROOT. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host, HostProcess } from './host.ts';
import { neverStarted, startHostProcess } from './host-process.ts';
import { runOnMachine } from './machine-command.ts';

const SHIM = join(import.meta.dirname, 'shim');

/** The stand-ins come first; what they do not stand for is the machine's own. */
export const SHIM_PATH = `${join(SHIM, 'bin')}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`;

/** How long a host is away when it restarts. */
const BOOT_MS = 100;

export interface ShimHostOptions {
  readonly id: string;
  readonly name: string;
  /** Its file system, which is there already. */
  readonly root: string;
  readonly listeners: { readonly metadata: RequestListener; readonly s3: RequestListener };
}

async function listen(listener: RequestListener): Promise<{ server: Server; url: string }> {
  const server = createServer(listener);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function stopListening(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}

export async function startShimHost({ id, name, root, listeners }: ShimHostOptions): Promise<Host> {
  const metadata = await listen(listeners.metadata);
  const s3 = await listen(listeners.s3);
  const running = new Set<HostProcess>();
  let up = false;

  const boot = async () => {
    await rm(join(root, 'run'), { recursive: true, force: true });
    await mkdir(join(root, 'run/systemd/system'), { recursive: true });
    const random = join(root, 'proc/sys/kernel/random');
    await mkdir(random, { recursive: true });
    await writeFile(join(random, 'boot_id'), `${randomUUID()}\n`);
    up = true;
  };
  const endProcesses = async () => {
    up = false;
    // A command that has only just been started does not carry QD_ROOT yet.
    for (const process of running) process.kill();
    await runOnMachine(['bash', join(SHIM, 'end-processes.sh'), root]);
    await Promise.all([...running].map(({ done }) => done));
  };
  const inRoot = (path: string) => {
    if (!up) throw new Error(`cannot reach "${path}" on ${name}: it is offline`);
    return join(root, path);
  };
  await boot();

  return {
    id,
    name,
    kind: 'shim',
    env: { AWS_EC2_METADATA_SERVICE_ENDPOINT: metadata.url, AWS_ENDPOINT_URL_S3: s3.url },
    online: () => up,
    run({ argv: [program, ...args], env, stdin }) {
      if (!up) return neverStarted();
      // A path that the host has is meant as the host's.
      const own = (word: string) =>
        word.startsWith('/') && existsSync(join(root, word)) ? join(root, word) : word;
      const base = { PATH: SHIM_PATH, HOME: join(root, 'root'), LC_ALL: 'C', QD_ROOT: root };
      const process = startHostProcess([own(program), ...args.map(own)], { ...base, ...env }, stdin);
      running.add(process);
      void process.done.then(() => running.delete(process));
      return process;
    },
    async writeFile(path, content, mode) {
      const file = inRoot(path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(`${file}.incoming`, content);
      await chmod(`${file}.incoming`, mode);
      await rename(`${file}.incoming`, file);
    },
    async readFile(path) {
      const file = inRoot(path);
      return existsSync(file) ? readFile(file, 'utf8') : undefined;
    },
    async reboot() {
      await endProcesses();
      await sleep(BOOT_MS);
      await boot();
    },
    powerCut: endProcesses,
    async close() {
      await endProcesses();
      await Promise.all([stopListening(metadata.server), stopListening(s3.server)]);
    },
  };
}
