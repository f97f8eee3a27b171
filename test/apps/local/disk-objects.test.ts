import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createDiskObjects } from '../../../apps/local/disk-objects.ts';
import { describeObjects } from '../../contracts/objects.contract.ts';

const newFolder = () => mkdtemp(join(tmpdir(), 'quarterdeck-objects-'));

describeObjects('disk', async () => {
  const parent = await newFolder();
  return {
    objects: createDiskObjects({ folder: join(parent, 'objects'), bucket: 'bucket', region: 'eu-central-1' }),
    close: () => rm(parent, { recursive: true }),
  };
});

describe('objects on disk', () => {
  let parent: string;
  beforeEach(async () => {
    parent = await newFolder();
  });
  afterEach(() => rm(parent, { recursive: true }));
  const open = () =>
    createDiskObjects({ folder: join(parent, 'objects'), bucket: 'bucket', region: 'eu-central-1' });

  test('nothing is written outside the folder', async () => {
    for (const key of ['../escape', '/../../escape', 'a/../../../escape']) await open().put(key, 'x');
    expect(await readdir(parent)).toEqual(['objects']);
  });

  test('keys are found again by the eye', async () => {
    await open().put('orders/0123.txt', 'x');
    expect(await readdir(join(parent, 'objects', 'orders'))).toEqual(['0123.txt']);
  });

  test('another store on the same folder sees the objects', async () => {
    await open().put('a', 'kept');
    expect(Buffer.from((await open().get('a')) ?? '').toString()).toBe('kept');
  });

  test('no half-written file stays behind', async () => {
    await open().put('a', 'x');
    await expect(open().put('a/b', 'x')).rejects.toThrow(
      'object a/b and another object need the same name as file and as folder: rename one',
    );
    expect(await readdir(join(parent, 'objects', '.incoming'))).toEqual([]);
  });

  test('a failure that is not a missing object is told', async () => {
    await mkdir(join(parent, 'objects'));
    await writeFile(join(parent, 'objects', 'a'), 'x', { mode: 0o600 });
    const long = 'x'.repeat(256);
    await expect(open().get(long)).rejects.toThrow(/needs 256 of 255 characters/);
  });
});
