/** Owns the backup bucket of the embedded host: what servers put there is read through the folder that holds it. */
import { Readable } from 'node:stream';
import type { Backups } from '../../core/ports.ts';
import { inspectArchive, restoreArchive } from '../../lambdas/aws/backup-archive.ts';
import type { RemovableObjects } from './memory-objects.ts';

/** Bytes that a restore may unpack on this machine. */
const scratchBytes = 4 * 1024 ** 3;

export function createDiskBackups(objects: RemovableObjects): Backups {
  const open = async (key: string) => {
    const content = await objects.get(key);
    return content && Readable.from([content]);
  };
  return {
    bucket: objects.bucket,
    async inspect(key) {
      const body = await open(key);
      return body && inspectArchive(body);
    },
    async restore(key, texts) {
      const body = await open(key);
      return body && restoreArchive(body, texts, scratchBytes);
    },
    async replication(key) {
      return (await objects.get(key)) && 'none';
    },
    remove: (key) => objects.remove(key),
  };
}
