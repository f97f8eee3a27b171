import { spawnSync } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import { sha256Of } from '../../core/plan.ts';
import { backupPrefix } from '../../core/result-object.ts';
import { backupBucket, place } from '../support/document-trials.ts';
import { type ShimTrial, serverId, spec, startShimTrial, withoutProgram } from './shim-trial.ts';

let trial: ShimTrial | undefined;

afterEach(async () => {
  await trial?.fleet.close();
  trial = undefined;
});

const parameters = { Backup: 'required', BackupBucket: backupBucket, BackupMebibytes: '16' };
const terms = { never: [], backup: { paths: ['/etc', '/opt/*/etc', '/nowhere'], exclude: ['/etc/secret*'] } };

/** A server with one update to install. */
async function start() {
  trial = await startShimTrial([spec('lib', '1.0-1'), spec('tool', '1.0-1')]);
  await trial.fleet.repository.publish('stable', [spec('lib', '1.1-1')]);
  return { ...trial, plan: (await trial.prepare(trial.host)).plan };
}

/** Names in an archive, and the content of one. */
function archived(content: Uint8Array, member?: string): string {
  const unpack = spawnSync('gzip', ['-dc'], { input: content });
  const read = member === undefined ? ['--list'] : ['--extract', '--to-stdout', member];
  const { stdout } = spawnSync('tar', [...read, '--file', '-'], { input: unpack.stdout, encoding: 'utf8' });
  return stdout;
}

describe('the backup before a patch', () => {
  it('is in the backup bucket, as the summary says, with the list of packages', async () => {
    const { host, plan, run, backups } = await start();
    await host.writeFile('/opt/app/etc/app.conf', 'port = 80\n', 0o644);
    await host.writeFile('/etc/secrets', 'left out\n', 0o600);
    await host.writeFile('/etc/it\'s "quoted"\nand more', 'hostile\n', 0o644);
    const { summary, sections } = await run(host, 'patch', { plan, terms, parameters });
    expect(summary).toMatchObject({ result: 'patched', warnings: [] });
    const { key, sha256, bytes, files } = summary.backup ?? {};
    expect(key).toBe(`${backupPrefix({ id: serverId, place })}/2027-q1-shim/configuration.tar.gz`);
    const content = (await backups.get(key ?? '')) ?? new Uint8Array();
    expect([sha256Of(content), content.length]).toEqual([sha256, bytes]);
    const names = archived(content).trimEnd().split('\n');
    expect(names).toHaveLength(files ?? 0);
    expect(names).toEqual(expect.arrayContaining(['manifest.tsv', './etc/', './opt/app/etc/app.conf']));
    expect(names).toContain(String.raw`./etc/it's "quoted"\nand more`);
    expect(names.join('\n')).not.toContain('secrets');
    expect(archived(content, 'manifest.tsv')).toBe(sections.get('manifest'));
    const listed = sections.get('files')?.trimEnd().split('\n');
    expect(listed).toContain(`/opt/app/etc/app.conf\tf\t${sha256Of('port = 80\n')}\t644:0:0`);
    expect(listed?.join('\n')).not.toContain('hostile');
    expect(sections.get('manifest')).toMatch(/^lib\tall\t1\.0-1\t/m);
  });

  it('is known to be impossible when the plan is made, where the server has no tar', async () => {
    const { host, run, ...more } = await start();
    const bare = await withoutProgram({ host, run, ...more }, 'tar');
    const { summary } = await run(bare, 'prepare', { campaign: '2027-q1-bare', parameters });
    expect(summary).toMatchObject({
      result: 'blocked',
      reasons: [{ code: 'tool-missing', detail: 'not found: tar' }],
    });
    const { summary: waived } = await run(bare, 'prepare', { campaign: '2027-q1-bare' });
    expect(waived.result).toBe('planned');
  });
});
