/** Owns the campaign's objects on S3. */
import {
  GetObjectCommand,
  NoSuchKey,
  PutObjectCommand,
  type PutObjectCommandInput,
  S3Client,
} from '@aws-sdk/client-s3';
import { checkObjectKey } from '../../core/object-key.ts';
import type { Objects } from '../../core/ports.ts';
import type { ClientLocation } from './place-clients.ts';

/** The calls of S3 that this adapter makes. */
export interface S3Calls {
  putObject(input: PutObjectCommandInput): Promise<unknown>;
  /** The whole content. */
  getObject(input: { Bucket: string; Key: string }): Promise<Uint8Array>;
}

export function createS3Calls(
  location: ClientLocation & { readonly forcePathStyle?: boolean },
): S3Calls & { close(): void } {
  const client = new S3Client({ ...location, retryMode: 'adaptive', maxAttempts: 6 });
  return {
    putObject: (input) => client.send(new PutObjectCommand(input)),
    async getObject(input) {
      const { Body } = await client.send(new GetObjectCommand(input));
      return (await Body?.transformToByteArray()) ?? new Uint8Array();
    },
    close: () => client.destroy(),
  };
}

export interface S3ObjectsOptions {
  readonly bucket: string;
  readonly region: string;
  /** Whose bucket it must be: the name of one that was deleted may belong to a stranger by now. */
  readonly owner?: string;
  readonly calls: S3Calls;
}

export function createS3Objects({ bucket, region, owner, calls }: S3ObjectsOptions): Objects {
  const location = { Bucket: bucket, ...(owner !== undefined && { ExpectedBucketOwner: owner }) };
  return {
    bucket,
    region,
    async put(key, content) {
      checkObjectKey(key);
      // Bytes, since the SDK takes an empty string for a stream whose length it does not know.
      const Body = typeof content === 'string' ? Buffer.from(content) : content;
      await calls.putObject({ ...location, Key: key, Body });
    },
    async get(key) {
      checkObjectKey(key);
      try {
        return await calls.getObject({ ...location, Key: key });
      } catch (error) {
        if (error instanceof NoSuchKey) return undefined;
        throw error;
      }
    },
  };
}
