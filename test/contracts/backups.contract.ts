/** Owns what every backup bucket must do; run it on each adapter of the port. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backups } from '../../core/ports.ts';
import { serverArchive } from '../support/server-archive.ts';

export interface BackupsUnderTest {
  readonly backups: Backups;
  /** As a server does. */
  put(key: string, content: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

const folder = 'backups/arn:aws:ec2:eu-central-1:123456789012:instance/i-00000001/2027-q1-canary';
const key = `${folder}/configuration.tar.gz`;

export function describeBackups(name: string, open: () => Promise<BackupsUnderTest>): void {
  describe(`backups on ${name}`, () => {
    let opened: BackupsUnderTest;
    let backups: Backups;
    beforeAll(async () => {
      opened = await open();
      backups = opened.backups;
    });
    afterAll(() => opened?.close());

    test('one that a server put there is read to its end: hash, bytes and entries', async () => {
      const { content, archive } = serverArchive(key);
      await opened.put(key, content);
      const { sha256, bytes, files } = archive;
      expect(await backups.inspect(key)).toEqual({ sha256, bytes, entries: files });
    });

    test.each([
      ['cut short', (content: Buffer) => content.subarray(0, -20)],
      ['altered in the middle', (content: Buffer) => flipped(content)],
      ['something else', () => Buffer.from('no archive at all')],
      ['empty', () => Buffer.alloc(0)],
    ])('one that is %s has a hash, and no entries but a problem', async (what, damage) => {
      const damaged = damage(serverArchive(key).content);
      const at = `${folder}/${what.replaceAll(' ', '-')}.tar.gz`;
      await opened.put(at, damaged);
      const found = await backups.inspect(at);
      expect(found).toMatchObject({ bytes: damaged.length, entries: null });
      expect(found?.problem).toMatch(/\w/);
      await expect(backups.restore(at, [])).rejects.toThrow();
    });

    test('one that is restored gives files with content, mode and the texts that were asked for', async () => {
      await opened.put(key, serverArchive(key, { 'etc/hosts': 'hosts\n' }).content);
      const restored = await backups.restore(key, ['manifest.tsv', 'none.tsv']);
      const paths = restored?.files.map(({ path, type, mode }) => `${path} ${type} ${mode}`);
      expect(paths).toEqual(['etc directory 0755', 'etc/hosts file 0640', 'manifest.tsv file 0600']);
      expect([...(restored?.texts.keys() ?? [])]).toEqual(['manifest.tsv']);
      expect(restored?.files[1]?.sha256).toMatch(/^[0-9a-f]{64}$/);
    });

    test('what is not there is undefined, and may be removed', async () => {
      const missing = `${folder}/missing.tar.gz`;
      expect(await backups.inspect(missing)).toBeUndefined();
      expect(await backups.restore(missing, [])).toBeUndefined();
      expect(await backups.replication(missing)).toBeUndefined();
      await backups.remove(missing);
    });

    test('one that is removed is gone', async () => {
      const at = `${folder}/removed.tar.gz`;
      await opened.put(at, serverArchive(at).content);
      expect(await backups.replication(at)).toBe('none');
      await backups.remove(at);
      expect(await backups.inspect(at)).toBeUndefined();
    });
  });
}

function flipped(content: Buffer): Buffer {
  const altered = Buffer.from(content);
  const middle = Math.floor(altered.length / 2);
  altered[middle] = (altered[middle] ?? 0) ^ 0xff;
  return altered;
}
