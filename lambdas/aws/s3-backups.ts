/** Owns the backup bucket on S3. */
import { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  NoSuchKey,
  NotFound,
  S3Client,
} from '@aws-sdk/client-s3';
import type { Backups } from '../../core/ports.ts';
import { inspectArchive, restoreArchive } from './backup-archive.ts';
import type { ClientLocation } from './place-clients.ts';

interface ObjectAt {
  readonly Bucket: string;
  readonly Key: string;
  readonly ExpectedBucketOwner?: string;
}

/** The calls of S3 that this adapter makes. */
export interface BackupCalls {
  getObject(input: ObjectAt): Promise<{ readonly Body?: unknown }>;
  headObject(input: ObjectAt): Promise<{ readonly ReplicationStatus?: string | undefined }>;
  deleteObject(input: ObjectAt): Promise<unknown>;
}

export function createBackupCalls(
  location: ClientLocation & { readonly forcePathStyle?: boolean },
): BackupCalls & { close(): void } {
  // The hash that its server named is what tells whether an object was altered; the store's own says it of any object.
  const client = new S3Client({
    ...location,
    retryMode: 'adaptive',
    maxAttempts: 6,
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  return {
    getObject: (input) => client.send(new GetObjectCommand(input)),
    headObject: (input) => client.send(new HeadObjectCommand(input)),
    deleteObject: (input) => client.send(new DeleteObjectCommand(input)),
    close: () => client.destroy(),
  };
}

export interface S3BackupsOptions {
  readonly bucket: string;
  /** Whose bucket it must be: the name of one that was deleted may belong to a stranger by now. */
  readonly owner?: string;
  /** Bytes that a restore may unpack. */
  readonly scratchBytes: number;
  readonly calls: BackupCalls;
}

export function createS3Backups({ bucket, owner, scratchBytes, calls }: S3BackupsOptions): Backups {
  const at = (Key: string): ObjectAt => ({
    Bucket: bucket,
    Key,
    ...(owner !== undefined && { ExpectedBucketOwner: owner }),
  });
  const open = async (key: string): Promise<Readable | undefined> => {
    try {
      const { Body } = await calls.getObject(at(key));
      return Body instanceof Readable ? Body : Readable.from([]);
    } catch (error) {
      if (error instanceof NoSuchKey) return undefined;
      throw error;
    }
  };
  return {
    bucket,
    async inspect(key) {
      const body = await open(key);
      return body && inspectArchive(body);
    },
    async restore(key, texts) {
      const body = await open(key);
      return body && restoreArchive(body, texts, scratchBytes);
    },
    async replication(key) {
      try {
        const { ReplicationStatus } = await calls.headObject(at(key));
        return ReplicationStatus === undefined ? 'none' : (replicaStates[ReplicationStatus] ?? 'pending');
      } catch (error) {
        if (error instanceof NotFound || error instanceof NoSuchKey) return undefined;
        throw error;
      }
    },
    async remove(key) {
      // In a bucket with versions this leaves a marker, whatever is locked: the versions go by the bucket's own rules.
      await calls.deleteObject(at(key));
    },
  };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html */
const replicaStates: Readonly<Record<string, 'pending' | 'arrived' | 'failed'>> = {
  PENDING: 'pending',
  COMPLETED: 'arrived',
  COMPLETE: 'arrived',
  FAILED: 'failed',
  REPLICA: 'arrived',
};
