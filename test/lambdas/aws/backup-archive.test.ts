import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { tarArchive } from '../../../apps/local/hosts/tar-archive.ts';
import { restoreArchive } from '../../../lambdas/aws/backup-archive.ts';

test('modes are those of the archive, whatever those may be that unpack it', async () => {
  const modes = { 'etc/app/shared.conf': 0o664, 'etc/app/open.conf': 0o777, 'etc/app/closed.conf': 0 };
  const entries = Object.entries(modes).map(([path, mode]) => ({ path, mode, content: Buffer.from('x') }));
  const packed = gzipSync(tarArchive(entries, 0));
  const before = process.umask(0o077);
  try {
    const { files } = await restoreArchive(Readable.from([packed]), [], 1000);
    const found = files.filter(({ type }) => type === 'file').map(({ path, mode }) => [path, mode]);
    expect(found).toEqual([
      ['etc/app/closed.conf', '0000'],
      ['etc/app/open.conf', '0777'],
      ['etc/app/shared.conf', '0664'],
    ]);
  } finally {
    process.umask(before);
  }
});
