import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { textWidth } from '../../../apps/local/terminal-text.ts';
import { createCliWorld } from '../../support/cli-world.ts';

const root = join(import.meta.dirname, '../../..');

const header = 'Server Name,Environment,Server Timezone,Host Group,HA Group,Q2 Patch Date,Q2 Patch Time';
const good = [
  header,
  'web-1,Production,America/New_York,web,web,2027-03-14,02:30',
  'uat-1,UAT,America/New_York,web,,,',
  'dev-1,Development,Asia/Tokyo,,,,',
].join('\n');
const clashing = `${good}\nweb-2,Production,America/New_York,web,web,2027-03-14,03:00`;

const configuration = `schema: 1
home: { account: "111111111111", region: eu-central-1 }
environments:
  production: { calendar: { cadence: monthly, days: [tuesday], hours: { from: "22:00", to: "02:00" } } }
calendar:
  firstMonth: 10
  freezes:
    - { from: 2026-12-20, to: 2027-01-03, reason: year end }
`;

function run(argv: readonly string[], files: Record<string, string> = {}, columns = 100) {
  return createCliWorld(files, { columns }).run('plan', ...argv);
}

describe('quarterdeck plan --json', () => {
  it('prints quarter, windows, conflicts and errors, and ends with 0', async () => {
    const { code, out } = await run(['--servers', 's.csv', '--quarter', '2027-Q2', '--json'], {
      's.csv': good,
    });
    expect(code).toBe(0);
    const printed = JSON.parse(out);
    expect(Object.keys(printed)).toEqual(['quarter', 'windows', 'conflicts', 'errors']);
    expect(printed.quarter).toMatchObject({ id: '2027-Q2', firstDay: '2027-02-01', lastDay: '2027-04-30' });
    expect(printed.windows.find(({ server }: { server: string }) => server === 'web-1')).toEqual({
      server: 'web-1',
      start: '2027-03-14T07:00:00.000Z',
      end: '2027-03-14T08:00:00.000Z',
      zone: 'America/New_York',
      localStart: '2027-03-14T03:00:00-04:00',
      campaign: expect.any(String),
      reason: expect.stringContaining(
        '02:30 does not exist on 2027-03-14 in America/New_York: moved to 03:00',
      ),
    });
    expect([printed.conflicts, printed.errors]).toEqual([[], []]);
  });

  it('ends with 4 when there are conflicts', async () => {
    const { code, out } = await run(['--servers', 's.csv', '--quarter', '2027-Q2', '--json'], {
      's.csv': clashing,
    });
    expect(code).toBe(4);
    expect(JSON.parse(out).conflicts).toEqual([
      { server: 'web-2', code: 'same-ha-group', message: expect.stringContaining('web-1 of HA group web') },
    ]);
  });

  it('ends with 1 when rows are wrong, and plans nothing', async () => {
    const text = `${good}\nbad,Production,Europe/Berln,,,,`;
    const { code, out } = await run(['--servers', 's.csv', '--quarter', '2027-Q2', '--json'], {
      's.csv': text,
    });
    expect(code).toBe(1);
    const { windows, errors } = JSON.parse(out);
    expect(windows).toEqual([]);
    expect(errors).toEqual([
      { row: 5, column: 'Server Timezone', message: expect.stringContaining('Europe/Berlin') },
    ]);
    const skipped = await run(['--servers', 's.csv', '--quarter', '2027-Q2', '--json', '--skip-bad-rows'], {
      's.csv': text,
    });
    expect(skipped.code).toBe(0);
    expect(JSON.parse(skipped.out).skipped).toMatchObject([{ row: 5, name: 'bad' }]);
  });

  it.each([
    [['--servers', 'none.csv'], '--servers "none.csv" can not be read: no such file'],
    [['--servers', 's.csv', '--quarter', '2027-Q7'], '--quarter "2027-Q7" is not a quarter'],
    [['--servers', 's.csv', '--config', 'none.yaml'], '--config "none.yaml" can not be read'],
    [['--servers', 's.csv', '--config', 's.csv'], 's.csv:'],
  ])('ends with 1 for %j', async (argv, message) => {
    const { code, out } = await run([...argv, '--json'], { 's.csv': good });
    expect(code).toBe(1);
    const { errors } = JSON.parse(out);
    expect(errors[0]).toEqual({ row: null, column: null, message: expect.stringContaining(message) });
  });

  it('takes a file that is about the calendar alone, with the environments that there are without one', async () => {
    const text = 'calendar: { firstMonth: 10 }\n';
    const argv = ['--servers', 's.csv', '--config', 'q.yaml', '--quarter', '2027-Q2', '--json'];
    const { code, out } = await run(argv, { 's.csv': good, 'q.yaml': text });
    expect(code).toBe(0);
    expect(JSON.parse(out).quarter).toMatchObject({ firstDay: '2027-01-01' });
    expect(JSON.parse(out).windows.map(({ server }: { server: string }) => server)).toContain('uat-1');
    const wrong = await run(argv, { 's.csv': good, 'q.yaml': 'calender: {}\n' });
    expect(JSON.parse(wrong.out).errors).toMatchObject([
      { message: expect.stringContaining('did you mean calendar?') },
    ]);
  });

  it('takes quarters and policies from the configuration', async () => {
    const text = 'Server Name,Environment,Server Timezone\nweb-1,production,Europe/Berlin';
    const argv = ['--servers', 's.csv', '--quarter', 'next', '--now', '2026-08-01T00:00:00Z', '--json'];
    const { code, out } = await run(argv, { 's.csv': text, 'quarterdeck.yaml': configuration });
    const { quarter, windows } = JSON.parse(out);
    expect([code, quarter.firstDay]).toEqual([0, '2026-10-01']);
    expect(windows.map(({ localStart }: { localStart: string }) => localStart)).toEqual([
      '2026-10-06T22:00:00+02:00',
      '2026-11-03T22:00:00+01:00',
      '2026-12-01T22:00:00+01:00',
    ]);
  });
});

describe('quarterdeck plan for people', () => {
  it('shows a line for each week, a column for each environment, and the conflicts below', async () => {
    const { code, out } = await run(['--servers', 's.csv', '--quarter', '2027-Q2'], { 's.csv': clashing });
    expect(code).toBe(4);
    expect(out).toContain('week of     production  uat       development');
    expect(out).toMatch(/^2027-03-08 {2}Sun 14: 1 {3}· {9}Tue 9: 1$/m);
    expect(out).toMatch(/^2027-03-01 {2}· {11}Sun 7: 1 {2}Tue 2: 1$/m);
    expect(out).toMatch(/America\/New_York \(2\), Asia\/Tokyo \(1\)/);
    expect(out.split('week of')[1]).toContain('1 conflict: same ha group\n  web-2: web-1 of HA group web');
    expect(out).not.toContain('\u001b');
  });

  it('cuts the words of a freeze before an environment has to stand below the others', async () => {
    const reason = 'year end, and all that a year end means to those who keep the books';
    const text = configuration
      .replace('reason: year end', `reason: "${reason}"`)
      .replace('environments:', 'environments:\n  uat: {}\n  development: {}');
    const argv = ['--servers', 's.csv', '--quarter', '2027-Q1', '--now', '2026-09-01T00:00:00Z'];
    const servers = ['production', 'uat', 'development'].map((name) => `${name},${name},UTC`);
    const files = {
      's.csv': `Server Name,Environment,Server Timezone\n${servers.join('\n')}`,
      'q.yaml': text,
    };
    const shown = async (columns: number) => (await run([...argv, '--config', 'q.yaml'], files, columns)).out;
    expect((await shown(80)).match(/^week of .*$/gm)).toHaveLength(1);
    expect(await shown(80)).toMatch(/^2026-12-21 {2}year end, and all th…/m);
    expect((await shown(40)).match(/^week of .*$/gm)).toHaveLength(2);
    expect(await shown(200)).toContain('year end, and all that a year end means…');
    for (const columns of [40, 80, 200])
      for (const line of (await shown(columns)).split('\n'))
        expect(textWidth(line)).toBeLessThanOrEqual(columns);
  });

  it('tells windows for security updates from the others', async () => {
    const text =
      'Server Name,Environment,Server Timezone,Q1 Patch Date\nweb-1,production,UTC,2026-11-14\nweb-2,production,UTC,2026-11-21';
    const lane = `${configuration.split('environments')[0]}environments:\n  production: { calendar: { securityWithinDays: 14 } }\n`;
    const argv = ['--servers', 's.csv', '--quarter', '2027-Q1', '--now', '2026-09-01'];
    const { code, out } = await run(argv, { 's.csv': text, 'quarterdeck.yaml': lane });
    expect(code).toBe(0);
    expect(out).toContain('production: quarterly, Sat Sun 00:00-04:00, security at least every 14 days');
    expect(out).toMatch(/^2026-11-09 {2}Sat 14: 1, Sat 14: 1 security$/m);
    expect(out).toMatch(/^2026-11-23 {2}Sat 28: 1 security$/m);
    expect(out).toMatch(/^2027-01-25 {2}Sat 30: 1 security$/m);
  });

  it('goes on with security windows from the quarter before', async () => {
    const text = 'Server Name,Environment,Server Timezone\nweb-1,production,UTC';
    const lane = `${configuration.split('environments')[0]}environments:\n  production: { calendar: { cadence: ad-hoc, securityWithinDays: 14 } }\n`;
    const files = { 's.csv': text, 'quarterdeck.yaml': lane };
    const starts = async (quarter: string): Promise<string[]> => {
      const argv = ['--servers', 's.csv', '--quarter', quarter, '--now', '2026-11-01', '--json'];
      const { windows } = JSON.parse((await run(argv, files)).out);
      expect(Object.keys(windows[0]).toSorted()).toEqual(
        ['server', 'start', 'end', 'zone', 'localStart', 'campaign', 'reason'].toSorted(),
      );
      return windows.map(({ localStart }: { localStart: string }) => localStart.slice(0, 10));
    };
    expect([(await starts('2027-Q1')).at(-1), (await starts('2027-Q2'))[0]]).toEqual([
      '2027-01-23',
      '2027-02-06',
    ]);
  });

  it('says which weeks are frozen', async () => {
    const text = 'Server Name,Environment,Server Timezone\nweb-1,production,Europe/Berlin';
    const files = { 's.csv': text, 'quarterdeck.yaml': configuration.replace('monthly', 'weekly') };
    const { out } = await run(['--servers', 's.csv', '--quarter', '2027-Q1', '--now', '2026-09-01'], files);
    expect(out).toMatch(/^2026-12-21 {2}year end$/m);
  });

  it('lists every window with its reason when asked', async () => {
    const { out } = await run(['--servers', 's.csv', '--quarter', '2027-Q2', '--reasons'], { 's.csv': good });
    expect(out).toContain(
      '2027-03-14 03:00 America/New_York  web-1\n    set for Q2: 2027-03-14 02:30; 02:30 does not',
    );
  });

  it.each([40, 60, 80, 200])('fits into %i columns', async (columns) => {
    const { out } = await run(
      ['--servers', 's.csv', '--quarter', '2027-Q2', '--reasons'],
      { 's.csv': clashing },
      columns,
    );
    for (const line of out.split('\n')) expect(textWidth(line)).toBeLessThanOrEqual(columns);
  });

  it('names wrong rows with the file, and lets no text steer the terminal', async () => {
    const text = `${good}\nbad\u001b[31m,Production,\u001b[2J,,,,`;
    const { code, note, out } = await run(['--servers', 's.csv'], { 's.csv': text });
    expect([code, out]).toEqual([1, '']);
    expect(note).toContain('s.csv: row 5, Server Timezone: ');
    expect(note + out).not.toContain('\u001b');
    const skipped = await run(['--servers', 's.csv', '--skip-bad-rows', '--quarter', '2027-Q2'], {
      's.csv': text,
    });
    expect(skipped.note).toContain('skipped bad');
    expect(skipped.note + skipped.out).not.toContain('\u001b');
  });

  it('plans nothing, and says so, when every row was skipped', async () => {
    const text = `${good.split('\n')[0]}\nbad,Production,nowhere,,,,`;
    const { code, note, out } = await run(['--servers', 's.csv', '--skip-bad-rows'], { 's.csv': text });
    expect([code, out]).toEqual([1, '']);
    expect(note).toContain('there is nothing to plan: no row of the list is right');
  });
});

describe('the program', () => {
  it('plans a list', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'quarterdeck-plan-'));
    try {
      const file = join(folder, 'servers.csv');
      await writeFile(file, clashing);
      const program = join(root, 'apps/cli/quarterdeck.mjs');
      const argv = [
        program,
        'plan',
        '--servers',
        file,
        '--quarter',
        '2027-Q2',
        '--now',
        '2026-11-21T00:00:00Z',
        '--json',
      ];
      const failure = await promisify(execFile)(process.execPath, argv, { cwd: folder }).catch(
        (error) => error,
      );
      expect(failure.code).toBe(4);
      expect(failure.stderr).toBe('');
      expect(JSON.parse(failure.stdout).windows.length).toBeGreaterThan(3);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
