/** Unpacks package files into a folder without a package manager, as the first step of making a root file system. */
import { availableParallelism } from 'node:os';
import { runOnMachine } from './machine-command.ts';

/** What hosts do without: a quarter of a small system, and nobody reads it there. */
export const LEFT_OUT = ['/usr/share/doc/*', '/usr/share/man/*', '/usr/share/locale/*'];

export async function extractDebs(archives: readonly string[], root: string): Promise<void> {
  const excludes = LEFT_OUT.map((pattern) => `--exclude=.${pattern}`);
  const tar = [
    'tar',
    '-xf',
    '-',
    '-C',
    root,
    '--no-same-owner',
    '-p',
    '--keep-directory-symlink',
    ...excludes,
  ];
  const queue = [...archives];
  const worker = async () => {
    for (let deb = queue.pop(); deb; deb = queue.pop())
      await runOnMachine(['sh', '-c', 'dpkg-deb --fsys-tarfile "$0" | "$@"', deb, ...tar]);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
}
