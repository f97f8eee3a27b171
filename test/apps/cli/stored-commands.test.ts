import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { textWidth } from '../../../apps/local/terminal-text.ts';
import { createCliWorld } from '../../support/cli-world.ts';

const header = 'Server Name,Environment,Server Timezone,Host Group,Primary Owner,Q1 Patch Date,Cron Schedule';
const list = [
  header,
  'web-1,Production,Europe/Berlin,web,ana,,',
  'web-2,Production,Europe/Berlin,web,bo,2027-01-09,',
  'dev-1,Development,Asia/Kolkata,,bo,,0 3 * * wed',
].join('\n');

async function imported(columns = 100) {
  const cli = createCliWorld({ 's.csv': list }, { columns });
  await cli.run('servers', 'import', 's.csv');
  return cli;
}

describe('quarterdeck servers', () => {
  it('imports a list, says what changed, and exports what an import reads back', async () => {
    const cli = createCliWorld({ 's.csv': list });
    const first = await cli.run('servers', 'import', 's.csv');
    expect(first).toEqual({ code: 0, out: 'imported: 3 new; the inventory has 3 servers\n', note: '' });
    await cli.run('servers', 'export', 'out.csv');
    const again = await cli.run('servers', 'import', 'out.csv');
    expect(again).toMatchObject({ code: 0, out: 'nothing to change: 3 servers are as the list says\n' });
    cli.files['out.csv'] = (cli.files['out.csv'] as string).replace('Asia/Kolkata', 'Asia/Tokyo');
    const changed = await cli.run('servers', 'import', 'out.csv', '--by', 'ana');
    expect(changed.out).toBe(
      '  dev-1: Server Timezone Asia/Kolkata -> Asia/Tokyo\nimported: 1 changed; the inventory has 3 servers\n',
    );
    expect((await cli.run('servers', 'list')).out).toContain('3 servers, changed by ana at 2026-11-21');
  });

  it('imports nothing when a row is wrong, and names row, column and mend', async () => {
    const cli = createCliWorld({ 's.csv': `${list}\nbad\u001b[31m,Production,Europe/Berln,,,,` });
    const { code, out, note } = await cli.run('servers', 'import', 's.csv');
    expect([code, out]).toEqual([1, '']);
    expect(note).toMatch(/^s\.csv: row 5, Server Timezone: "Europe\/Berln".*Europe\/Berlin/m);
    expect(note).toContain('nothing was imported: mend 2 mistakes');
    expect(note).not.toContain('\u001b');
    const skipped = await cli.run('servers', 'import', 's.csv', '--skip-bad-rows');
    expect(skipped.code).toBe(0);
    expect(skipped.note).toContain('skipped bad');
    expect(skipped.out).toContain('3 new');
  });

  it('is no success when every row was skipped, and does not say that the servers are as the list says', async () => {
    const cli = createCliWorld({ 's.csv': `${list.split('\n')[0]}\nbad,Production,Europe/Berln,,,,` });
    for (const dryRun of [[], ['--dry-run']]) {
      const { code, out, note } = await cli.run('servers', 'import', 's.csv', '--skip-bad-rows', ...dryRun);
      expect([code, out]).toEqual([1, '']);
      expect(note).toMatch(/nothing (was|would be) imported: no row is right, 1 row skipped/);
    }
  });

  it('says of a file that can not be read which, and why', async () => {
    const { code, note } = await createCliWorld().run('servers', 'import', 'none.csv');
    expect([code, note]).toEqual([1, '"none.csv" can not be read: no such file\n']);
  });

  it('exports what was set by itself, and knows it when it comes back', async () => {
    const cli = await imported();
    await cli.run('schedule', 'set', 'web-1', '--date', '2027-01-16', '--time', '01:00', '--approved');
    await cli.run('schedule', 'set', 'web-2', '--cron', '0 2 * * sat', '--change');
    await cli.run('servers', 'export', 'out.csv');
    const exported = cli.files['out.csv'] as string;
    expect(exported).toMatch(/^web-1,.*,2027-01-16,01:00,Approved,/m);
    expect(exported).toMatch(/^web-2,.*,0 2 \* \* sat,/m);
    const again = await cli.run('servers', 'import', 'out.csv');
    expect(again).toMatchObject({ code: 0, out: 'nothing to change: 3 servers are as the list says\n' });
    cli.files['out.csv'] = exported.replace('2027-01-16', '2027-01-23').replace('0 2 * * sat', '0 3 * * sat');
    const other = await cli.run('servers', 'import', 'out.csv');
    expect(other.code).toBe(1);
    expect(other.note).toContain('web-1 has a schedule already, dates Q1 2027-01-16, set by tester');
    expect(other.note).toContain('web-2 has a schedule already, cron 0 2 * * sat, set by tester');
    const fresh = createCliWorld({ 's.csv': exported });
    await fresh.run('servers', 'import', 's.csv');
    expect((await fresh.run('schedule', 'list')).out).toContain('dates Q1 2027-01-16 (list)');
  });

  it('says what is wrong with what a person wrote, and not where in the program', async () => {
    const cli = await imported();
    const { code, out, note } = await cli.run(
      'schedule',
      'set',
      'web-1',
      '--cron',
      `${'1,'.repeat(150)}1 2 * * sat`,
    );
    expect([code, out]).toEqual([1, '']);
    expect(note).toMatch(/^rule\.expression: .*200 characters\n$/);
  });

  it('only tries when that is asked for', async () => {
    const cli = createCliWorld({ 's.csv': list });
    const tried = await cli.run('servers', 'import', 's.csv', '--dry-run');
    expect(tried).toMatchObject({ code: 0, out: 'would import: 3 new\n' });
    expect((await cli.run('servers', 'list')).out).toContain('There are no servers yet');
  });

  it('moves no server out of a prepared campaign without --force', async () => {
    const cli = createCliWorld(
      { 'a.csv': `${header}\nweb-1,Production,Europe/Berlin,,,2026-11-21,` },
      { now: '2026-11-20T12:00:00.000Z' },
    );
    await cli.run('servers', 'import', 'a.csv');
    cli.files['b.csv'] = `${header}\nweb-1,Production,Europe/Berlin,,,2026-12-05,`;
    const refused = await cli.run('servers', 'import', 'b.csv');
    expect(refused.code).toBe(1);
    expect(refused.note).toContain('web-1: 2026-11-21 00:00 Europe/Berlin, campaign');
    const forced = await cli.run('servers', 'import', 'b.csv', '--force');
    expect(forced.code).toBe(0);
    expect(forced.out).toContain('campaigns had been prepared for\n  web-1: 2026-11-21');
  });

  it('has nothing to sync with on this machine', async () => {
    const { code, note } = await createCliWorld().run('servers', 'sync');
    expect([code, note]).toEqual([1, expect.stringContaining('add --aws')]);
  });

  it.each([50, 80, 200])('lists them within %i columns', async (columns) => {
    const cli = await imported(columns);
    for (const command of [
      ['servers', 'list'],
      ['schedule', 'list', '--all'],
      ['schedule', 'show', 'dev-1'],
    ]) {
      const { out } = await cli.run(...command);
      for (const line of out.split('\n')) expect(textWidth(line)).toBeLessThanOrEqual(columns);
    }
  });

  it('lists those that are asked for', async () => {
    const cli = await imported();
    const { out } = await cli.run('servers', 'list', '--owner', 'BO');
    expect(out).toMatch(/^web-2 .*\ndev-1 /m);
    expect(out).toContain('2 of 3 servers');
    const json = await cli.run('servers', 'list', '--name', 'EV', '--json');
    expect(JSON.parse(json.out).servers.map(({ name }: { name: string }) => name)).toEqual(['dev-1']);
  });
});

describe('quarterdeck schedule', () => {
  it('sets one, shows the next runs in the zone of the server, and says what either means', async () => {
    const cli = await imported();
    const { code, out } = await cli.run('schedule', 'set', 'WEB-1', '--cron', '0 2 13 * sat');
    expect(code).toBe(4);
    expect(out).toContain('web-1  production, times in Europe/Berlin');
    expect(out).toContain('schedule    cron 0 2 13 * sat, set by tester at 2026-11-21T12:00:00.000Z');
    expect(out).toContain('on the days of either');
    expect(out).toMatch(/next runs {3}Sat 2026-11-28 02:00\n {12}Sat 2026-12-05 02:00/);
    expect(out).toContain('conflict    outside-allowed-hours');
    expect(out).toContain("before: the policy's default");
  });

  it('refuses a second, and takes it with --change', async () => {
    const cli = await imported();
    const refused = await cli.run('schedule', 'set', 'web-2', '--cron', '0 2 * * sat');
    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(refused.note).toContain('dates Q1 2027-01-09, from the server list: change that one (--change)');
    const changed = await cli.run('schedule', 'set', 'web-2', '--cron', '0 2 * * sat', '--change');
    expect(changed.code).toBe(0);
    expect((await cli.run('schedule', 'show', 'web-2')).out).toContain('cron 0 2 * * sat');
    const removed = await cli.run('schedule', 'remove', 'web-2');
    expect(removed.out).toContain("schedule    the policy's default\n");
  });

  it('lists those that are not of the policy, and all with --all', async () => {
    const cli = await imported();
    const { out } = await cli.run('schedule', 'list');
    expect(out).toMatch(/^web-2 {3}dates Q1 2027-01-09 \(list\) {2}Sat 2027-01-09 00:00 .*Europe\/Berlin$/m);
    expect(out).toMatch(/^dev-1 {3}cron 0 3 \* \* wed \(list\) .*Wed 2026-11-25 03:00 .*Asia\/Kolkata$/m);
    expect(out).not.toContain('web-1');
    expect(out).toContain('1 more servers have what the policy says: --all shows them');
    expect((await cli.run('schedule', 'list', '--all')).out).toMatch(/^web-1 {3}the policy's default/m);
  });
});

describe('quarterdeck plan and feed', () => {
  it('plan what is stored', async () => {
    const cli = await imported();
    const { code, out } = await cli.run('plan', '--quarter', '2027-Q1', '--json');
    expect(code).toBe(0);
    const { windows, errors } = JSON.parse(out);
    expect(errors).toEqual([]);
    expect(windows.filter(({ server }: { server: string }) => server === 'web-2')).toMatchObject([
      { localStart: '2027-01-09T00:00:00+01:00' },
    ]);
    await cli.run('schedule', 'set', 'web-2', '--date', '2027-01-16', '--change');
    const again = JSON.parse((await cli.run('plan', '--quarter', '2027-Q1', '--json')).out);
    expect(again.windows.filter(({ server }: { server: string }) => server === 'web-2')).toMatchObject([
      { localStart: '2027-01-16T00:00:00+01:00' },
    ]);
  });

  it('say when nothing is stored, and what is no quarter', async () => {
    const empty = await createCliWorld().run('plan');
    expect(empty).toMatchObject({ code: 1, out: '' });
    expect(empty.note).toContain('no servers are stored');
    const wrong = await (await imported()).run('plan', '--quarter', '2027-Q9', '--json');
    expect(wrong.code).toBe(1);
    expect(JSON.parse(wrong.out).errors[0].message).toContain('--quarter "2027-Q9" is not a quarter');
  });

  it('write a calendar whose windows keep their identity when they move', async () => {
    const cli = await imported();
    const before = (await cli.run('feed', '--owner', 'Bo')).out;
    expect(before).toContain('SUMMARY:Patching of web-2');
    expect(before).not.toContain('web-1');
    await cli.run('schedule', 'set', 'web-2', '--date', '2027-01-16', '--change');
    const { out, note } = await cli.run('feed', '--owner', 'bo', '--out', 'bo.ics');
    expect([out, note]).toEqual(['', 'wrote bo.ics\n']);
    const after = cli.files['bo.ics'] as string;
    const uid = (text: string) => /UID:(.*)\r\n(?:.*\r\n){4}DTEND[^\r]*202701(?:09|16)/.exec(text)?.[1];
    expect(uid(after)).toBe(uid(before));
    expect(after).toContain('SEQUENCE:1');
  });
});

describe('the program', () => {
  it('keeps what is stored from one run to the next, and lets go of it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'quarterdeck-state-'));
    try {
      await writeFile(join(folder, 's.csv'), `\ufeff${list.replaceAll('\n', '\r\n')}`);
      const program = join(import.meta.dirname, '../../../apps/cli/quarterdeck.mjs');
      const run = (...argv: string[]) =>
        promisify(execFile)(process.execPath, [program, ...argv], { cwd: folder });
      await run('servers', 'import', 's.csv', '--state', 'kept');
      await run('schedule', 'set', 'web-1', '--date', '2027-01-16', '--now', '2026-11-21', '--state', 'kept');
      const { stdout, stderr } = await run(
        'schedule',
        'list',
        '--state',
        'kept',
        '--now',
        '2026-11-21',
        '--json',
      );
      expect(stderr).toBe('');
      const rows = JSON.parse(stdout) as { server: string; next: string }[];
      expect(rows.find(({ server }) => server === 'web-1')?.next).toBe('2027-01-16T00:00:00+01:00');
      const refused = await run('schedule', 'show', 'none', '--state', 'kept').catch((error) => error);
      expect([refused.code, refused.stdout]).toEqual([1, '']);
      expect(refused.stderr).toContain('no server "none" is in the inventory');
      const lost = await run('servers', 'export', 'no/x.csv', '--state', 'kept').catch((error) => error);
      expect([lost.code, lost.stderr]).toEqual([
        1,
        expect.stringMatching(/^"no\/x.csv" can not be written: .*\n$/),
      ]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
