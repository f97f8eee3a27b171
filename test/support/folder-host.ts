/** Owns the smallest host there is: a folder, and the machine's own bash. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Host, HostProcess } from '../../apps/local/hosts/host.ts';
import { neverStarted, startHostProcess } from '../../apps/local/hosts/host-process.ts';

export interface FolderHost extends Host {
  /** Where its files are on the machine; commands find it as $ROOT. */
  readonly root: string;
  readonly boots: number;
}

export async function createFolderHost(id: string): Promise<FolderHost> {
  const root = await mkdtemp(join(tmpdir(), 'folder-host-'));
  const running = new Set<HostProcess>();
  let isUp = true;
  let boots = 1;
  const own = (word: string) => (word.startsWith('/var/lib/amazon/') ? join(root, word) : word);
  const goDown = async () => {
    isUp = false;
    for (const process of running) process.kill();
    await Promise.all([...running].map(({ done }) => done));
  };
  return {
    id,
    name: 'folder',
    kind: 'shim',
    root,
    env: { ROOT: root },
    get boots() {
      return boots;
    },
    online: () => isUp,
    run({ argv: [program, ...args], env, stdin }) {
      if (!isUp) return neverStarted();
      const base = { PATH: '/usr/bin:/bin', HOME: root, LC_ALL: 'C' };
      const process = startHostProcess([own(program), ...args.map(own)], { ...base, ...env }, stdin);
      running.add(process);
      void process.done.then(() => running.delete(process));
      return process;
    },
    async writeFile(path, content, mode) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), content, { mode });
    },
    async readFile(path) {
      if (path === '/proc/sys/kernel/random/boot_id') return `boot ${boots}`;
      return readFile(join(root, path), 'utf8').catch(() => undefined);
    },
    async reboot() {
      boots++;
      await goDown();
      isUp = true;
    },
    powerCut: goDown,
    async close() {
      await goDown();
      await rm(root, { recursive: true, force: true });
    },
  };
}
