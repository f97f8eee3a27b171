/** Owns the object store of the embedded host: one file per object, in folders that a person can look through. */
import { randomUUID } from 'node:crypto';
import { type FileHandle, lstat, mkdir, open, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { checkObjectKey } from '../../core/object-key.ts';
import { tooLarge } from '../../core/ports.ts';
import type { RemovableObjects } from './memory-objects.ts';

export interface DiskObjectsOptions {
  /** Made when it is not there. Nothing else may live in it. */
  readonly folder: string;
  readonly bucket: string;
  readonly region: string;
}

/** Where files are written before they get their name; no key maps to it, since leading dots are encoded. */
const staging = '.incoming';
/** What file systems allow. */
const longestName = 255;

/**
 * A reader sees an object whole or not at all, also if this process is killed. There is one thing that S3 can and
 * a folder cannot: hold an object `a` beside an object `a/b`. None of our keys do.
 */
export function createDiskObjects({ folder, bucket, region }: DiskObjectsOptions): RemovableObjects {
  return {
    bucket,
    region,

    async put(key, content) {
      const path = join(folder, pathOf(key));
      const incoming = join(folder, staging, randomUUID());
      await mkdir(join(folder, staging), { recursive: true });
      try {
        await writeFile(incoming, content);
        await mkdir(dirname(path), { recursive: true });
        await rename(incoming, path);
      } catch (error) {
        await rm(incoming, { force: true });
        if (['EISDIR', 'ENOTDIR', 'EEXIST'].some((code) => hasCode(error, code))) {
          throw new Error(
            `object ${key} and another object need the same name as file and as folder: rename one`,
            {
              cause: error,
            },
          );
        }
        throw error;
      }
    },

    async get(key, atMost) {
      const file = await openIfThere(join(folder, pathOf(key)));
      if (file === undefined) return undefined;
      try {
        // Of the open file: another may take its name meanwhile, and be of another size.
        const found = await file.stat();
        if (!found.isFile()) return undefined;
        if (atMost !== undefined && found.size > atMost) throw tooLarge(key, found.size, atMost);
        return Uint8Array.from(await file.readFile());
      } finally {
        await file.close();
      }
    },

    async remove(key) {
      const path = join(folder, pathOf(key));
      const found = await lstat(path).catch(() => undefined);
      if (found?.isFile()) await rm(path, { force: true });
    },
  };
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].some((code) => hasCode(error, code))) return undefined;
    throw error;
  }
}

/** Distinct keys have distinct paths, and no path leaves the folder. */
function pathOf(key: string): string {
  checkObjectKey(key);
  const names = key.split('/').map((segment) => {
    // A lone percent sign is what no encoding yields, so it can stand for the empty name of `a//b`.
    const name = segment === '' ? '%' : encodeURIComponent(segment).replace(/^\./, '%2E');
    if (name.length > longestName) {
      throw new Error(
        `object key ${key} has a part whose file name needs ${name.length} of ${longestName} characters`,
      );
    }
    return name;
  });
  return join(...names);
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
