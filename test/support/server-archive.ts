/** Makes archives as servers do: what is backed up, beside the lists of files and of packages. */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { tarArchive } from '../../apps/local/hosts/tar-archive.ts';
import type { Archive } from '../../core/backup.ts';

export const manifest = 'openssl\tamd64\t3.0.17-1\tbookworm\tmanual\t-\n';

const sha256 = (content: Uint8Array | string) => createHash('sha256').update(content).digest('hex');

export interface ServerArchive {
  readonly content: Buffer;
  readonly archive: Archive;
  /** As the server lists it in its result object. */
  readonly listed: string;
}

/** @param files text by path below the root, `etc/hosts` */
export function serverArchive(
  key: string,
  files: Readonly<Record<string, string>> = {
    'etc/hosts': '127.0.0.1 localhost\n',
    'etc/web/web.conf': 'port 80\n',
  },
): ServerArchive {
  const paths = Object.keys(files);
  const listed = paths.map((path) => `/${path}\tf\t${sha256(files[path] ?? '')}\t640:0:0\n`).join('');
  const entries = [
    ...paths.map((path) => ({ path, content: Buffer.from(files[path] ?? ''), mode: 0o640 })),
    { path: 'manifest.tsv', content: Buffer.from(manifest), mode: 0o600 },
  ];
  const content = gzipSync(tarArchive(entries, 0, ''));
  // Folders are entries as well.
  const folders = new Set(paths.flatMap((path) => parents(path)));
  const archive = {
    key,
    sha256: sha256(content),
    bytes: content.length,
    files: entries.length + folders.size,
  };
  return { content, archive, listed };
}

function parents(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}
