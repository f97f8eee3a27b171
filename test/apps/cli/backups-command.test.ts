import { describe, expect, it } from 'vitest';
import { parseCommandLine, UsageError } from '../../../apps/cli/arguments.ts';
import type { StoredBackup } from '../../../core/stored-backup.ts';
import { findBackupsInput } from '../../../core/use-cases/find-backups.ts';
import { testRestoresInput } from '../../../core/use-cases/test-restores.ts';
import { runAnswered } from '../../support/cli-answers.ts';
import { createCliWorld } from '../../support/cli-world.ts';
import { serverOf } from '../../support/samples.ts';

const at = '2027-01-10T01:00:00.000Z';
const server = serverOf(1);

const backupOf = (changes: Partial<StoredBackup> = {}): StoredBackup => ({
  schema: 1,
  serverId: server.id,
  campaignId: '2027-q1-first',
  archive: { key: 'a/configuration.tar.gz', sha256: 'a'.repeat(64), bytes: 1_500_000, files: 12 },
  resultKey: 'a/prepare.gz',
  at,
  keepDays: 90,
  keepLast: 3,
  check: { at, good: true, detail: '' },
  replica: 'arrived',
  removedAt: null,
  lookAt: at,
  ...changes,
});

async function run(answer: unknown, ...argv: readonly string[]) {
  const { code, out, calls } = await runAnswered(answer, ['backups', ...argv]);
  for (const shown of argv.includes('--json') ? [] : out.split('\n'))
    expect(shown.length).toBeLessThanOrEqual(100);
  return { code, out, calls };
}

describe('quarterdeck backups list and verify', () => {
  it.each([
    ['list', 'show-backups'],
    ['verify', 'verify-backups'],
  ])('%s asks %s for a campaign or a server', async (verb, name) => {
    const found = { backups: [backupOf()], without: [] };
    const ofCampaign = await run(found, verb, '--campaign', '2027-q1-first');
    const ofServer = await run(found, verb, '--server', server.id);
    for (const [{ code, calls }, asked] of [
      [ofCampaign, { campaignId: '2027-q1-first' }],
      [ofServer, { serverId: server.id }],
    ] as const) {
      expect(code).toBe(0);
      expect(calls).toHaveLength(1);
      expect(calls[0]?.[0]).toBe(name);
      // As it travels, and as the function takes it.
      expect(findBackupsInput.parse(JSON.parse(JSON.stringify(calls[0]?.[1])))).toEqual(asked);
    }
    expect(ofCampaign.out).toContain('1.4 MiB  good, read 2027-01-10 01:00  arrived');
  });

  it.each<[string, Partial<StoredBackup>, number, string]>([
    [
      'one that is bad',
      { check: { at, good: false, detail: 'its hash is another' } },
      4,
      'its hash is another',
    ],
    ['one without its copy', { replica: 'failed' }, 4, 'its copy in the second Region is failed'],
    ['one that nobody has read', { check: null, replica: null }, 0, 'not read yet'],
    [
      'one that has had its time',
      { removedAt: at, check: { at, good: false, detail: 'gone' } },
      0,
      'removed 2027-01-10',
    ],
  ])('tells %s', async (_what, changes, code, words) => {
    const found = { backups: [backupOf(), backupOf({ campaignId: 'c-2', ...changes })], without: [] };
    const told = await run(found, 'list', '--server', server.id);
    expect(told).toMatchObject({ code, out: expect.stringContaining(words) });
  });

  it('names servers without a backup, and says when there is none at all', async () => {
    const { code, out } = await run({ backups: [], without: ['i-0aa', 'i-0bb'] }, 'list', '--campaign', 'c');
    expect(code).toBe(0);
    expect(out).toBe(
      'there is no backup\nwithout     i-0aa, i-0bb: not patched by this campaign, or without a backup\n',
    );
  });

  it('prints JSON, with the same exit code', async () => {
    const found = { backups: [backupOf({ check: { at, good: false, detail: 'x' } })], without: [] };
    const { code, out } = await run(found, 'verify', '--campaign', 'c', '--json');
    expect(code).toBe(4);
    expect(JSON.parse(out)).toEqual(found);
  });
});

describe('quarterdeck backups test', () => {
  const key = 'campaigns/-restore-tests/x.json';
  const one = { serverId: server.id, campaignId: 'c', madeAt: at, files: 12, packages: 300, differences: [] };

  it('asks for as many as were said, and tells what came back', async () => {
    const report = { schema: 1, at, restored: [one], good: true, key };
    const { code, out, calls } = await run(report, 'test', '--count', '3');
    expect(code).toBe(0);
    expect(testRestoresInput.parse(JSON.parse(JSON.stringify(calls[0]?.[1])))).toEqual({ count: 3 });
    expect(out).toMatch(/c {9}12 {5}300 {7}as it was/);
    expect(out).toContain(key);
    const { calls: plain } = await run(report, 'test');
    expect(testRestoresInput.parse(JSON.parse(JSON.stringify(plain[0]?.[1])))).toEqual({ count: 5 });
  });

  it('is not well where one came back otherwise, or nothing came back', async () => {
    const differs = { ...one, differences: ['/etc/hosts has another content'] };
    const bad = await run({ schema: 1, at, restored: [one, differs], good: false, key }, 'test');
    expect(bad.code).toBe(4);
    expect(bad.out).toContain('1 DIFFERENT');
    expect(bad.out).toContain(`${server.id}: /etc/hosts has another content`);
    const none = await run({ schema: 1, at, restored: [], good: true, key }, 'test');
    expect(none).toMatchObject({ code: 4, out: expect.stringContaining('no backup to restore') });
  });
});

describe('quarterdeck backups', () => {
  it.each([
    [['list'], 'give one of --campaign ID, --server ID'],
    [['verify', '--campaign', 'c', '--server', server.id], 'give one of --campaign ID, --server ID'],
    [['list', '--server', 'web-1'], '"web-1" is not the id of a server'],
    [['test', '--count', '101'], 'is not a number from 1 to 100'],
  ])('%j is refused: %s', (argv, message) => {
    const parse = () => parseCommandLine(['backups', ...argv, '--aws']);
    expect(parse).toThrow(UsageError);
    expect(parse).toThrow(message);
  });

  it('is of a stack on AWS', async () => {
    expect(await createCliWorld().run('backups', 'test')).toMatchObject({
      code: 1,
      note: expect.stringContaining('add --aws'),
    });
  });
});
