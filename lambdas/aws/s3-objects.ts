/** Owns the campaign's objects on S3. */
import {
  GetObjectCommand,
  NoSuchKey,
  PutObjectCommand,
  type PutObjectCommandInput,
  S3Client,
} from '@aws-sdk/client-s3';
import { checkObjectKey } from '../../core/object-key.ts';
import { type Objects, tooLarge } from '../../core/ports.ts';
import type { ClientLocation } from './place-clients.ts';

/** The calls of S3 that this adapter makes. */
export interface S3Calls {
  putObject(input: PutObjectCommandInput): Promise<unknown>;
  /** The whole content; only its length, when that is more than `atMost`. */
  getObject(input: { Bucket: string; Key: string }, atMost?: number): Promise<Uint8Array | number>;
}

export function createS3Calls(
  location: ClientLocation & { readonly forcePathStyle?: boolean },
): S3Calls & { close(): void } {
  const client = new S3Client({ ...location, retryMode: 'adaptive', maxAttempts: 6 });
  return {
    putObject: (input) => client.send(new PutObjectCommand(input)),
    async getObject(input, atMost = Number.POSITIVE_INFINITY) {
      const { Body, ContentLength = 0 } = await client.send(new GetObjectCommand(input));
      if (ContentLength > atMost) {
        // Left unread: what a server wrote may be larger than the memory of this function.
        if (Body && 'destroy' in Body) Body.destroy();
        return ContentLength;
      }
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
    async get(key, atMost) {
      checkObjectKey(key);
      try {
        const content = await calls.getObject({ ...location, Key: key }, atMost);
        if (typeof content === 'number') throw tooLarge(key, content, atMost ?? 0);
        return content;
      } catch (error) {
        if (error instanceof NoSuchKey) return undefined;
        throw error;
      }
    },
  };
}
