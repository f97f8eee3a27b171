import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createProgress, type Progress } from '../../../../apps/local/progress/progress.ts';
import { textWidth } from '../../../../apps/local/terminal-text.ts';
import type { Job, JobState } from '../../../../core/job.ts';
import { approvedCampaign, campaignOf, jobOf, serverOf, window } from '../../../support/samples.ts';
import { createTestScreen, type TestScreen } from '../../../support/terminal-screen.ts';

const servers = Array.from({ length: 3 }, (_, i) => serverOf(i + 1));
const manyServers = Array.from({ length: 200 }, (_, i) => serverOf(i + 1));

let elapsed: number;
let open: Progress[];
beforeEach(() => {
  vi.useFakeTimers();
  elapsed = 0;
  open = [];
});
afterEach(() => {
  for (const progress of open) progress.finish();
  vi.useRealTimers();
});

function start(screen: TestScreen, of = servers, env: Record<string, string> = { NO_COLOR: '1' }): Progress {
  const progress = createProgress({ screen, servers: of, env, stopwatch: () => elapsed });
  open.push(progress);
  return progress;
}

/** Lets real time go by, with the frames that it brings. */
function wait(millis: number) {
  for (let gone = 0; gone < millis; gone += 50) {
    elapsed += 50;
    vi.advanceTimersByTime(50);
  }
}

function job(number: number, state: JobState, changes: Partial<Job> = {}): Job {
  return jobOf({ server: serverOf(number), state, wave: number === 1 ? 0 : 1, ...changes });
}

const row = (screen: TestScreen, name: string) =>
  screen.lines().filter((line) => line.startsWith(`${name} `));

describe('on a terminal', () => {
  test('draws one row for each server, in place', () => {
    const screen = createTestScreen();
    const progress = start(screen);
    for (const state of ['preparing', 'ready', 'patching', 'verifying', 'succeeded'] as const) {
      progress.job(job(1, state));
      wait(1000);
      expect(row(screen, 'web-1')).toHaveLength(1);
      expect(row(screen, 'web-1')[0]).toMatch(new RegExp(` ${state} `));
    }
    expect(row(screen, 'web-2')[0]).toMatch(/planned$/);
    expect(screen.lines().filter((line) => line.startsWith('server'))).toHaveLength(1);
  });

  test('says of which family servers are where they differ, as long as there is room', () => {
    const mixed = servers.map((server, i) => (i === 0 ? { ...server, family: 'suse' as const } : server));
    for (const [columns, family] of [
      [80, true],
      [62, false],
    ] as const) {
      const screen = createTestScreen(columns);
      start(screen, mixed).job(job(1, 'preparing'));
      wait(300);
      expect(row(screen, 'web-1')[0]?.startsWith('web-1   suse ')).toBe(family);
      expect(screen.lines().every((line) => textWidth(line) <= columns)).toBe(true);
    }
    const plain = { ...createTestScreen(), isTTY: false };
    start(plain, mixed, { NO_COLOR: '1', CI: '1' }).job(job(1, 'preparing'));
    expect(plain.lines().join('\n')).toContain('web-1 suse  ');
  });

  test('shows how far a server is, by shape', () => {
    const screen = createTestScreen(80);
    const progress = start(screen);
    const bars = () =>
      row(screen, 'web-1')[0]
        ?.slice(15, 55)
        .trim()
        .split(' ')
        .map((bar) => [...new Set(bar)].join(''));
    progress.job(job(1, 'ready'));
    progress.job(job(1, 'patching'));
    wait(300);
    expect(bars()).toEqual(['━', expect.stringMatching(/━─|─━/), '·', '·']);
    progress.reboot(servers[0]?.id ?? '', true);
    wait(300);
    expect(bars()).toEqual(['━', '━', expect.stringMatching(/━─|─━/), '·']);
    progress.reboot(servers[0]?.id ?? '', false);
    progress.job(job(1, 'verifying'));
    progress.job(job(1, 'succeeded'));
    wait(300);
    expect(bars()).toEqual(['━', '━', '━', '━']);
  });

  test('tells a reboot that was not needed from one that was', () => {
    const screen = createTestScreen();
    const progress = start(screen);
    progress.job(job(1, 'verifying'));
    wait(300);
    expect(row(screen, 'web-1')[0]).toMatch(/━+ ━+ ─+ /);
  });

  test('marks where a server failed, and says why where there is room', () => {
    const screen = createTestScreen(120);
    const progress = start(screen);
    progress.job(job(1, 'patching'));
    progress.job(
      job(1, 'failed', {
        reasons: [{ code: 'x-failed', detail: 'the postinst of harbor-httpd ended with 1' }],
      }),
    );
    wait(300);
    expect(row(screen, 'web-1')[0]).toMatch(/━✗ ·+ ·+ +failed +the postinst/);
  });

  test('counts the time a server was worked on, not the time it waited', () => {
    const screen = createTestScreen();
    const progress = start(screen);
    progress.job(job(1, 'preparing'));
    wait(5000);
    progress.job(job(1, 'ready'));
    wait(60_000);
    progress.job(job(1, 'patching'));
    wait(7000);
    expect(row(screen, 'web-1')[0]).toMatch(/patching +0:12$/);
  });

  test('says what the campaign waits for, by its own clock and zone', () => {
    const screen = createTestScreen();
    const progress = start(screen);
    progress.useClock(() => Date.parse('2026-11-21T20:00:07.000Z'));
    progress.campaign(campaignOf({ state: 'awaiting-approval' }));
    wait(300);
    expect(screen.lines()[0]).toBe('Sat 21 Nov 21:00:07 Europe/Berlin · campaign spring-2027-web');
    expect(screen.lines()[1]).toBe('awaiting approval · waits for the approval of its plans');
    progress.campaign(approvedCampaign());
    wait(300);
    expect(screen.lines()[1]).toBe('patching · waits for its window at Sat 21 Nov 2026, 23:00');
    progress.useClock(() => Date.parse(window.start));
    progress.job(job(1, 'patching'));
    wait(300);
    expect(screen.lines()[1]).toBe('patching · patches the canary');
  });

  test('keeps notes above the grid', () => {
    const screen = createTestScreen();
    const progress = start(screen);
    progress.note('hosts: sandbox, booted');
    wait(1000);
    progress.note('the base is built');
    wait(1000);
    expect(screen.lines().slice(0, 2)).toEqual(['hosts: sandbox, booted', 'the base is built']);
    expect(row(screen, 'web-1')).toHaveLength(1);
  });

  test.each([
    [80, 24],
    [120, 40],
    [60, 10],
    [40, 8],
  ])('fits %i columns and %i rows, with 200 servers', (columns, rows) => {
    const screen = createTestScreen(columns, rows);
    const progress = start(screen, manyServers);
    progress.useClock(() => Date.parse(window.start));
    progress.campaign(approvedCampaign());
    for (let i = 1; i <= 200; i++) progress.job(job(i, i % 50 === 0 ? 'failed' : 'patching'));
    wait(1000);
    const lines = screen.lines();
    expect(lines.length).toBeLessThanOrEqual(rows);
    for (const line of lines) expect(textWidth(line)).toBeLessThan(columns);
    expect(lines.join('\n')).toMatch(/canary +1 /);
    expect(lines.at(-2)).toContain('4 failed, 196 patching');
  });

  test('shows failed servers first where not all have room', () => {
    const screen = createTestScreen(80, 24);
    const progress = start(screen, manyServers);
    for (let i = 1; i <= 200; i++) progress.job(job(i, i === 150 ? 'failed' : 'patching'));
    wait(300);
    const names = screen.lines().filter((line) => line.startsWith('web-'));
    expect(names[0]).toMatch(/^web-150 /);
  });

  test('leaves no broken lines behind when the terminal becomes narrower', () => {
    const screen = createTestScreen(120);
    const progress = start(screen);
    progress.job(job(1, 'patching'));
    wait(300);
    screen.resize(70);
    wait(300);
    for (const start of ['bringing', 'server', 'web-1', 'web-2', 'web-3', '0:00'])
      expect(screen.lines().filter((line) => line.startsWith(start))).toHaveLength(1);
  });

  test('draws at most ten frames a second, however much happens', () => {
    const screen = createTestScreen();
    const progress = start(screen, manyServers);
    for (let i = 0; i < 200; i++) {
      progress.job(job(i + 1, 'preparing'));
      progress.job(job(i + 1, 'ready'));
      wait(50);
    }
    expect(screen.frames).toBeLessThanOrEqual(101);
    expect(screen.frames).toBeGreaterThan(50);
  });

  test('hides the cursor while it draws, and gives it back at the end', () => {
    const screen = createTestScreen();
    const progress = start(screen);
    progress.job(job(1, 'succeeded'));
    expect(screen.isCursorShown).toBe(false);
    progress.finish();
    expect(screen.isCursorShown).toBe(true);
    const { written } = screen;
    wait(1000);
    progress.note('too late');
    expect(screen.written).toBe(written);
    expect(row(screen, 'web-1')[0]).toMatch(/succeeded/);
  });

  test('uses colour only where it is wanted', () => {
    const drawn = (env: Record<string, string>) => {
      const screen = createTestScreen();
      const progress = start(screen, servers, env);
      progress.job(job(1, 'failed'));
      wait(300);
      expect(progress.colour).toBe(screen.written.includes('\u001b[31;1m'));
      return progress.colour;
    };
    expect(drawn({})).toBe(true);
    expect(drawn({ NO_COLOR: '1' })).toBe(false);
  });

  test('lets no server’s name steer the terminal', () => {
    const screen = createTestScreen();
    const name = 'x\u001b[2J\u001b]0;title\u0007\r\n';
    const progress = start(screen, [serverOf(1, { name })]);
    progress.job(
      jobOf({
        server: serverOf(1, { name }),
        state: 'failed',
        reasons: [{ code: 'some-code', detail: name }],
      }),
    );
    expect(() => wait(300)).not.toThrow();
    expect(screen.written).not.toContain('\u001b[2J');
    expect(screen.written).not.toContain('\u0007');
  });
});

describe('off a terminal', () => {
  function plain(env: Record<string, string> = {}) {
    const screen = { ...createTestScreen(), isTTY: false };
    let written = '';
    const progress = createProgress({
      screen: { ...screen, write: (text) => (written += text) },
      servers,
      env,
      stopwatch: () => elapsed,
    });
    return { progress, lines: () => written.split('\n').slice(0, -1) };
  }

  test('is one line for each event, with both times', () => {
    const { progress, lines } = plain();
    progress.note('hosts: shim');
    elapsed = 3000;
    progress.useClock(() => Date.parse(window.start));
    progress.campaign(approvedCampaign());
    progress.job(job(1, 'patching'));
    progress.reboot(servers[0]?.id ?? '', true);
    elapsed = 65_000;
    progress.job(job(1, 'failed', { reasons: [{ code: 'x-failed', detail: 'the postinst failed' }] }));
    progress.finish();
    expect(lines()).toEqual([
      '0:00  hosts: shim',
      '0:03  Sat 21 Nov 23:00:00  campaign spring-2027-web  patching: window open until 05:00:00',
      '0:03  Sat 21 Nov 23:00:00  web-1  canary  patching',
      '0:03  Sat 21 Nov 23:00:00  web-1  reboots',
      '1:05  Sat 21 Nov 23:00:00  web-1  canary  failed: the postinst failed',
    ]);
  });

  test('says nothing twice: a job is stored more often than it changes', () => {
    const { progress, lines } = plain();
    for (let i = 0; i < 3; i++) {
      progress.campaign(campaignOf());
      progress.job(job(1, 'preparing'));
    }
    expect(lines()).toHaveLength(2);
  });

  test('has no escape sequences, and no line that a server broke', () => {
    const { progress, lines } = plain();
    progress.job(job(1, 'failed', { reasons: [{ code: 'some-code', detail: 'a\u001b[31m\nb' }] }));
    expect(lines()).toEqual(['0:00  web-1  canary  failed: a␛[31m␊b']);
  });

  test.each([{ CI: 'true' }, { TERM: 'dumb' }])('is what a terminal gets too where %j', (env) => {
    const screen = createTestScreen();
    start(screen, servers, env).note('hello');
    expect(screen.written).toBe('0:00  hello\n');
  });
});
