/** Owns what is stored on this machine: the embedded table and the objects of a folder, by the adapters that AWS has. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Ports } from '../../core/ports.ts';
import { createDynamoDbRecords } from '../../lambdas/aws/dynamodb-records.ts';
import { createDiskObjects } from './disk-objects.ts';
import { startEmbeddedDynamoDb } from './embedded-dynamodb.ts';

export interface StoredState extends Pick<Ports, 'records' | 'objects'> {
  /** Ends what listens; the process would go on else. */
  close(): Promise<void>;
}

/**
 * @param folder made when it is not there
 * @throws Error when another process has it open
 */
export async function openStoredState(folder: string): Promise<StoredState> {
  const { table, calls, close } = await startEmbeddedDynamoDb(folder);
  return {
    records: createDynamoDbRecords({ table, calls, wait: (millis) => sleep(millis) }),
    objects: createDiskObjects({ folder: join(folder, 'objects'), bucket: 'state', region: 'us-east-1' }),
    close,
  };
}
