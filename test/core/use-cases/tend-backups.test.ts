import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { createDiskBackups } from '../../../apps/local/disk-backups.ts';
import { createMemoryObjects } from '../../../apps/local/memory-objects.ts';
import { createMemoryRecords } from '../../../apps/local/memory-records.ts';
import { load } from '../../../core/entities.ts';
import { type Instant, plusSeconds } from '../../../core/instant.ts';
import type { Notice } from '../../../core/ports.ts';
import { backupPrefix } from '../../../core/result-object.ts';
import { backupKey, storedBackups } from '../../../core/stored-backup.ts';
import { recordBackup } from '../../../core/use-cases/record-backup.ts';
import { tendBackups } from '../../../core/use-cases/tend-backups.ts';
import { testRestores } from '../../../core/use-cases/test-restores.ts';
import { policyOf, serverOf } from '../../support/samples.ts';
import { manifest, serverArchive } from '../../support/server-archive.ts';

const made = '2027-01-10T01:00:00.000Z';
const day = 86_400;
const server = serverOf(1);

function world() {
  const notices: Notice[] = [];
  const bucket = createMemoryObjects('backups', 'eu-central-1');
  const objects = createMemoryObjects('campaigns', 'eu-central-1');
  const ports = {
    records: createMemoryRecords(),
    backups: createDiskBackups(bucket),
    objects,
    notices: { send: async (notice: Notice) => void notices.push(notice) },
  };
  return {
    ports,
    bucket,
    objects,
    notices,
    /** As one server does before its patch. */
    async backUp(campaignId: string, at: Instant, keep: { keepDays?: number; keepLast?: number } = {}) {
      const key = `${backupPrefix(server)}/${campaignId}/configuration.tar.gz`;
      const { content, archive, listed } = serverArchive(key);
      await bucket.put(key, content);
      const campaign = {
        id: campaignId,
        policy: policyOf({ backup: { keepDays: 90, keepLast: 1, ...keep } }),
      };
      await recordBackup(ports, campaign, server, archive, at);
      const { resultKey } = await load(ports.records, storedBackups, backupKey(server.id, campaignId));
      await objects.put(resultKey, resultWith(manifest, listed));
      return key;
    },
    stored: (campaignId: string) => load(ports.records, storedBackups, backupKey(server.id, campaignId)),
  };
}

const section = (name: string, text: string) => `section ${name} ${Buffer.byteLength(text)}\n${text}\n`;
const resultWith = (packages: string, files: string) =>
  gzipSync(`quarterdeck-result 1\n${section('manifest', packages)}${section('files', files)}`);

describe('backups', () => {
  test('are read as soon as they are made, and again after thirty days', async () => {
    const { ports, backUp, stored, notices } = world();
    await backUp('2027-q1-first', made);
    expect(await tendBackups(ports, made)).toMatchObject({ looked: 1, bad: [], removed: [], failed: [] });
    expect(await stored('2027-q1-first')).toMatchObject({
      check: { good: true, at: made },
      replica: 'none',
      lookAt: plusSeconds(made, 30 * day),
    });
    expect(await tendBackups(ports, plusSeconds(made, 29 * day))).toMatchObject({ looked: 0 });
    expect(await tendBackups(ports, plusSeconds(made, 30 * day))).toMatchObject({ looked: 1 });
    expect(notices).toEqual([]);
  });

  test('that were altered in the store are found, told, and known as bad', async () => {
    const { ports, bucket, backUp, stored, notices } = world();
    const key = await backUp('2027-q1-first', made);
    await bucket.put(key, serverArchive(key, { 'etc/hosts': 'altered\n' }).content);
    const { bad } = await tendBackups(ports, made);
    expect(bad).toHaveLength(1);
    expect((await stored('2027-q1-first')).check).toMatchObject({
      good: false,
      detail: expect.stringContaining('was altered'),
    });
    expect(notices).toMatchObject([{ kind: 'backup-bad', campaignId: '2027-q1-first' }]);
    expect(notices[0]?.text).toContain('could not be restored from');
  });

  test('that are gone from the store are found', async () => {
    const { ports, bucket, backUp, notices } = world();
    await bucket.remove(await backUp('2027-q1-first', made));
    expect((await tendBackups(ports, made)).bad[0]?.check?.detail).toContain('is not in the bucket');
    expect(notices).toHaveLength(1);
  });

  test('are removed by age, once, and never the last one that is good', async () => {
    const { ports, bucket, backUp, stored } = world();
    const first = await backUp('2027-q1-first', made, { keepDays: 10 });
    const later = plusSeconds(made, 11 * day);
    expect((await tendBackups(ports, later)).removed).toEqual([]);
    expect(await bucket.get(first)).toBeDefined();
    await backUp('2027-q1-second', later, { keepDays: 10 });
    const muchLater = plusSeconds(later, 8 * day);
    // The new one is read first or second; either way the old one goes when both are known.
    await tendBackups(ports, muchLater);
    const afterwards = plusSeconds(muchLater, 8 * day);
    await tendBackups(ports, afterwards);
    expect((await stored('2027-q1-first')).removedAt).not.toBeNull();
    expect(await bucket.get(first)).toBeUndefined();
    expect((await stored('2027-q1-second')).removedAt).toBeNull();
    expect(await tendBackups(ports, afterwards)).toMatchObject({ looked: 0 });
  });

  test('are not removed for the sake of one that was good a month ago and is no more', async () => {
    const { ports, bucket, backUp, stored, notices } = world();
    const first = await backUp('2027-q1-first', made, { keepDays: 10 });
    const soon = plusSeconds(made, day);
    const second = await backUp('2027-q1-second', soon, { keepDays: 90 });
    expect((await tendBackups(ports, soon)).bad).toEqual([]);
    await bucket.remove(second);
    const over = plusSeconds(made, 10 * day);
    const { removed, bad } = await tendBackups(ports, over);
    expect(removed).toEqual([]);
    expect(bad.map(({ campaignId }) => campaignId)).toEqual(['2027-q1-second']);
    expect(notices).toMatchObject([{ kind: 'backup-bad', campaignId: '2027-q1-second' }]);
    expect(await bucket.get(first)).toBeDefined();
    // With a good one after it, it goes.
    await backUp('2027-q1-third', over, { keepDays: 90 });
    await tendBackups(ports, over);
    expect((await tendBackups(ports, plusSeconds(over, 7 * day))).removed).toHaveLength(1);
    expect((await stored('2027-q1-third')).check?.at).toBe(plusSeconds(over, 7 * day));
  });

  test('of which one can not be looked at do not keep the others from it', async () => {
    const { ports, backUp, stored, notices } = world();
    const broken = await backUp('2027-q1-first', made);
    await backUp('2027-q1-second', made);
    const backups = {
      ...ports.backups,
      inspect: (key: string) =>
        key === broken ? Promise.reject(new Error('no answer')) : ports.backups.inspect(key),
    };
    const report = await tendBackups({ ...ports, backups }, made);
    expect(report).toMatchObject({ looked: 2, failed: [{ error: 'Error: no answer' }] });
    expect((await stored('2027-q1-second')).check?.good).toBe(true);
    expect((await stored('2027-q1-first')).check).toBeNull();
    // What does not pass in a day is told, once a day.
    const nextDay = plusSeconds(made, day);
    expect((await tendBackups({ ...ports, backups }, plusSeconds(nextDay, -1))).bad).toEqual([]);
    expect(await tendBackups({ ...ports, backups }, nextDay)).toMatchObject({
      failed: [],
      bad: [{ at: made }],
    });
    expect((await stored('2027-q1-first')).check).toMatchObject({
      good: false,
      detail: `it could not be read since ${made}: Error: no answer`,
    });
    expect(notices).toMatchObject([{ kind: 'backup-bad', campaignId: '2027-q1-first' }]);
    expect(await tendBackups({ ...ports, backups }, plusSeconds(nextDay, 3600))).toMatchObject({ looked: 0 });
    await tendBackups(ports, plusSeconds(nextDay, day));
    expect((await stored('2027-q1-first')).check?.good).toBe(true);
  });
});

describe('a restore test', () => {
  test('proves that files and packages come back, writes its report, and says so', async () => {
    const { ports, objects, backUp, notices } = world();
    await backUp('2027-q1-first', made);
    const report = await testRestores(ports, {}, made);
    expect(report).toMatchObject({
      good: true,
      restored: [{ serverId: server.id, files: 2, packages: 1, differences: [] }],
    });
    expect(JSON.parse(Buffer.from((await objects.get(report.key)) ?? '').toString()).good).toBe(true);
    expect(notices).toMatchObject([{ subject: 'Restore test: 1 of 1 backups came back as they were' }]);
  });

  test('that finds other packages than the server told fails, loudly', async () => {
    const { ports, objects, backUp, stored, notices } = world();
    await backUp('2027-q1-first', made);
    await objects.put(
      (await stored('2027-q1-first')).resultKey,
      resultWith('other\tamd64\t1\n', serverArchive('').listed),
    );
    expect(await testRestores(ports, {}, made)).toMatchObject({ good: false });
    expect(notices[0]?.subject).toContain('RESTORE TEST FAILED');
    expect(notices[0]?.text).toContain('manifest.tsv is not the list of packages');
  });

  test('tells a list that is not kept so long from one that is missing', async () => {
    const { ports, objects, backUp, stored, notices } = world();
    await backUp('2027-q1-first', made);
    await objects.remove((await stored('2027-q1-first')).resultKey);
    const missing = await testRestores(ports, {}, plusSeconds(made, 119 * day));
    expect(missing.restored[0]?.differences).toContain(
      'the server listed no files, or its list can not be read',
    );
    const past = await testRestores(ports, {}, plusSeconds(made, 120 * day));
    expect(past).toMatchObject({ good: true, restored: [{ files: 3, packages: 1, differences: [] }] });
    expect(notices.at(-1)?.text).toContain(
      'it came back whole, and its hash is the one that the server told',
    );
  });

  test('of an archive that was altered restores nothing, and says what was altered', async () => {
    const { ports, bucket, backUp, notices } = world();
    const key = await backUp('2027-q1-first', made);
    await bucket.put(key, Buffer.from('altered'));
    const { good, restored } = await testRestores(ports, {}, made);
    expect(good).toBe(false);
    expect(restored[0]?.differences[0]).toContain('was altered');
    expect(notices.map(({ kind }) => kind)).toEqual(['backup-bad', 'restore-tested']);
  });

  test('without any backup says that there was none', async () => {
    const { ports, notices } = world();
    expect(await testRestores(ports, {}, made)).toMatchObject({ restored: [] });
    expect(notices[0]?.subject).toBe('Restore test: there was no backup to restore');
  });
});
