/** Backups that a campaign over apt, dnf, zypper and pacman has made, and what is found of one that was altered since. */
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { demoServers } from '../../apps/local/demo-campaign.ts';
import { demoFamilies } from '../../apps/local/hosts/families/demo-families.ts';
import { plusSeconds } from '../../core/instant.ts';
import { parseResultObject } from '../../core/result-object.ts';
import type { StoredBackup } from '../../core/stored-backup.ts';
import { findBackups, verifyBackups } from '../../core/use-cases/find-backups.ts';
import { tendBackups } from '../../core/use-cases/tend-backups.ts';
import { failedRestores, testRestores } from '../../core/use-cases/test-restores.ts';
import { runAgainst } from '../support/cli-answers.ts';
import { type HostCampaigns, startDemoCampaigns } from './host-campaign.ts';

const campaignId = 'altered-backups';
const servers = demoServers(4, demoFamilies);
let campaigns: HostCampaigns;
let made: readonly StoredBackup[];

beforeAll(async () => {
  campaigns = await startDemoCampaigns(servers);
  const { jobs } = await campaigns.run({ campaignId });
  for (const { server, state, reasons } of jobs)
    expect({ server: server.name, state, reasons }).toMatchObject({ state: 'succeeded', reasons: [] });
  made = (await findBackups(campaigns.ports, { campaignId })).backups;
});
afterAll(() => campaigns?.close());

const ports = () => ({ ...campaigns.ports, backups: campaigns.readBackups });
const backupOf = (family: string): StoredBackup => {
  const id = servers.find((server) => server.family === family)?.id;
  const found = made.find(({ serverId }) => serverId === id);
  if (!found) throw new Error(`the campaign made no backup of a server of the family ${family}`);
  return found;
};

/** What to do when a test is over. */
let restore: (() => Promise<void>) | undefined;
afterEach(async () => {
  await restore?.();
  restore = undefined;
});

/** Puts something else in the place of an object, until the test is over. */
async function alter(bucket: 'objects' | 'backups', key: string, change: (content: Buffer) => Uint8Array) {
  const before = await campaigns[bucket].get(key);
  if (!before) throw new Error(`there is no object ${key}`);
  restore = () => campaigns[bucket].put(key, before);
  await campaigns[bucket].put(key, change(Buffer.from(before)));
}

const flipped = (content: Buffer) => {
  const at = Math.floor(content.length / 2);
  content.writeUInt8(content.readUInt8(at) ^ 0xff, at);
  return content;
};

type Asked = Parameters<typeof verifyBackups>[1] & Parameters<typeof testRestores>[1];
type RestoreTest = Awaited<ReturnType<typeof testRestores>>;

/** `quarterdeck backups …`, answered by what the functions call. */
async function onCommandLine(...argv: readonly string[]) {
  let report: RestoreTest | undefined;
  const call = async (name: string, asked: unknown) => {
    const input: Asked = JSON.parse(JSON.stringify(asked));
    if (name === 'verify-backups') return verifyBackups(ports(), input, campaigns.now());
    report = await testRestores(ports(), input, campaigns.now());
    return report;
  };
  const { code, out } = await runAgainst(call, ['backups', ...argv], 300);
  return { code, out, report };
}

describe.each(demoFamilies)('the backup of a server of the family %s', (family) => {
  const other = () => backupOf(demoFamilies.find((name) => name !== family) ?? '');

  it('is good as it was made', async () => {
    const { serverId, archive } = backupOf(family);
    expect(await onCommandLine('verify', '--server', serverId)).toMatchObject({
      code: 0,
      out: expect.stringContaining('good, read'),
    });
    expect(archive.files).toBeGreaterThan(50);
  });

  it('is found out once a byte of it was altered, and no other one is blamed', async () => {
    const { serverId, archive } = backupOf(family);
    await alter('backups', archive.key, flipped);
    const { code, out } = await onCommandLine('verify', '--server', serverId);
    expect(code).toBe(4);
    expect(out).toMatch(/BAD, read/);
    expect(out).toMatch(/not good.*was altered: it hashes to [0-9a-f]{64}, the server made one of/);
    expect((await onCommandLine('verify', '--server', other().serverId)).code).toBe(0);
  });
});

describe('an altered backup', () => {
  it('is found when it is due to be read again, and people are told', async () => {
    const { serverId, archive } = backupOf('suse');
    await alter('backups', archive.key, flipped);
    const told = campaigns.notices.length;
    const { looked, bad } = await tendBackups(ports(), plusSeconds(campaigns.now(), 31 * 86_400));
    expect([looked, bad.map((backup) => backup.serverId)]).toEqual([4, [serverId]]);
    expect(campaigns.notices.slice(told)).toMatchObject([
      { kind: 'backup-bad', subject: `The backup of ${serverId} is not good` },
    ]);
  });
});

describe('the weekly restore test', () => {
  /** What the function would count for its alarm, and what the command ends with. */
  async function run() {
    const told = campaigns.notices.length;
    const { code, report } = await onCommandLine('test', '--count', '4');
    if (!report) throw new Error('no report of the restore test');
    return { code, report, counted: failedRestores(report), notices: campaigns.notices.slice(told) };
  }

  it('brings back every file and package as each server told it', async () => {
    const { code, report, counted, notices } = await run();
    expect([code, report.good, counted]).toEqual([0, true, 0]);
    expect(report.restored).toHaveLength(4);
    for (const { files, packages, differences } of report.restored) {
      expect(differences).toEqual([]);
      expect(files).toBeGreaterThan(20);
      expect(packages).toBeGreaterThan(8);
    }
    expect(notices.map(({ subject }) => subject)).toEqual([
      'Restore test: 4 of 4 backups came back as they were',
    ]);
  });

  const differing = (name: 'manifest' | 'files', change: (text: string) => string) => (content: Buffer) => {
    const sections = parseResultObject(gunzipSync(content));
    sections.set(name, change(sections.get(name) ?? ''));
    const text = [...sections].map(([each, body]) => `section ${each} ${Buffer.byteLength(body)}\n${body}\n`);
    return gzipSync(`quarterdeck-result 1\n${text.join('')}`);
  };

  it.each<[string, 'objects' | 'backups', (content: Buffer) => Uint8Array, RegExp]>([
    ['an archive was altered', 'backups', flipped, /was altered: it hashes to/],
    ['an archive was cut short', 'backups', (content) => content.subarray(0, -20), /was altered/],
    [
      'the packages differ',
      'objects',
      differing('manifest', (text) => text.replace(/^harbor-httpd\t.*\n/m, '')),
      /^manifest.tsv is not the list of packages that the server told$/,
    ],
    [
      'a file differs',
      'objects',
      differing('files', (text) =>
        text.replace(/^(\/etc\/harbor\/harbor.conf\tf\t)[0-9a-f]{64}/m, `$1${'0'.repeat(64)}`),
      ),
      /^\/etc\/harbor\/harbor.conf has another content$/,
    ],
  ])('is loud where %s', async (_, bucket, change, difference) => {
    const { serverId, archive, resultKey } = backupOf('debian');
    await alter(bucket, bucket === 'backups' ? archive.key : resultKey, change);
    const { code, report, counted, notices } = await run();
    expect([code, report.good, counted]).toEqual([4, false, 1]);
    const failed = report.restored.filter(({ differences }) => differences.length > 0);
    expect(failed).toMatchObject([{ serverId, differences: [expect.stringMatching(difference)] }]);
    const last = notices.at(-1);
    expect(last?.subject).toBe('RESTORE TEST FAILED: 1 of 4 backups did not come back as they were');
    expect(last?.text).toContain(`${serverId}  ${campaignId}`);
    expect(JSON.parse(Buffer.from((await campaigns.objects.get(report.key)) ?? '').toString())).toMatchObject(
      {
        good: false,
      },
    );
  });
});
