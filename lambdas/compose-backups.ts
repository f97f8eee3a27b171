/** Owns how functions come by backups. Apart from the other ports: the reader of archives is bundled wherever it is. */
import type { Backups } from '../core/ports.ts';
import { createBackupCalls, createS3Backups } from './aws/s3-backups.ts';
import type { WorldWith } from './compose.ts';

/** Of the scratch folder of what restores, less than all. */
const scratchBytes = 4 * 1024 ** 3;

export function backups({ home, environment }: WorldWith<'backupBucket'>): Backups {
  return createS3Backups({
    bucket: environment.backupBucket,
    owner: home.account,
    scratchBytes,
    calls: createBackupCalls({ region: home.region }),
  });
}
