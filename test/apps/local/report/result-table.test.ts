import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { resultTable } from '../../../../apps/local/report/result-table.ts';
import { textWidth } from '../../../../apps/local/terminal-text.ts';
import type { ReportJob } from '../../../../core/report.ts';
import { sampleReport } from '../../../support/sample-report.ts';

const page = '.quarterdeck/run/report.html';
const sample = sampleReport();
const table = (columns: number, colour = false, data = sample) =>
  resultTable(data, { columns, colour, page });

function named(name: string) {
  return {
    ...sample,
    jobs: sample.jobs.map((job) => ({
      ...job,
      server: { ...job.server, name },
      reasons: job.reasons.map((reason) => ({ ...reason, detail: name })),
    })),
  };
}

describe('the result table', () => {
  test('has a row for each server, problems first, with every fact', () => {
    const rows = table(120)
      .split('\n')
      .slice(0, 9)
      .map((line) => line.split(/ {2,}/));
    expect(rows).toEqual([
      ['server', 'wave', 'state', 'installed', 'reboot', 'healthy', 'compliant', 'packages', 'time'],
      ['mail-1', 'wave 1', 'failed', 'no', 'due', 'no', 'unknown', '7/8', '50 s'],
      ['edge-7', '–', 'unreachable', 'unknown', 'unknown', 'unknown', 'unknown', '–', '–'],
      ['build-3', 'wave 1', 'drifted', 'unknown', 'none', 'yes', 'unknown', '0/8', '50 s'],
      ['ledger-1', '–', 'held', 'unknown', 'unknown', 'unknown', 'unknown', '–', '–'],
      ['web-1', 'canary', 'succeeded', 'yes', 'done', 'yes', 'yes', '8/8', '53 s'],
      [
        'shop-db-primary.eu-central-1.internal',
        'wave 1',
        'succeeded',
        'yes',
        'none',
        'yes',
        'yes',
        '5/5',
        '53 s',
      ],
      ['web-2', 'wave 1', 'succeeded', 'yes', 'done', 'yes', 'yes', '8/8', '53 s'],
      ['cache-1', '–', 'nothing to do', 'unknown', 'none', 'unknown', 'unknown', '–', '9.1 s'],
    ]);
  });

  test('says of which family servers are where they differ, and keeps that longer than the facts', () => {
    const jobs = sample.jobs.map((job, i) =>
      i % 2 ? job : { ...job, server: { ...job.server, family: 'arch' as const } },
    );
    for (const columns of [120, 60]) {
      const [titles = '', ...rows] = table(columns, false, { ...sample, jobs })
        .split('\n')
        .slice(0, 9);
      expect(titles.split(/ +/).slice(0, 2)).toEqual(['server', 'family']);
      expect(new Set(rows.map((line) => line.split(/ +/)[1]))).toEqual(new Set(['arch', 'debian']));
    }
  });

  test('keeps every column at 80 columns, in short words', () => {
    const [titles = '', first = ''] = table(80).split('\n');
    expect(titles.split(/ +/)).toEqual([
      'server',
      'wave',
      'state',
      'inst',
      'reboot',
      'well',
      'compl',
      'pkgs',
      'time',
    ]);
    expect(first).toMatch(/^mail-1 +wave 1 +failed +no +due +no +\? +7\/8 +50 s$/);
  });

  test('fits any terminal, whatever servers are called', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 40, max: 200 }),
        fc.string({ minLength: 1, unit: 'grapheme' }),
        (columns, name) => {
          const lines = table(columns, false, named(name)).split('\n');
          for (const line of lines.filter((text) => !text.startsWith('Report: '))) {
            expect(textWidth(line), line).toBeLessThanOrEqual(columns);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  test('lets no server steer the terminal', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const printed = table(100, false, named(`x\u001b]0;title\u0007\u001b[2J\r${text}`));
        expect(printed).not.toMatch(/[^\P{Cc}\n]/u);
      }),
      { numRuns: 40 },
    );
  });

  test('says the same with colour and without', () => {
    expect(table(100, true)).toContain('\u001b[');
    expect(stripVTControlCharacters(table(100, true))).toBe(table(100, false));
  });

  test('tells reasons below, servers with the same ones together', () => {
    const [failed] = sample.jobs.filter(({ state }) => state === 'failed') as [ReportJob];
    const reasons = [{ code: 'error-budget', detail: 'the budget is used up' }];
    const stopped = ['a', 'b'].map((name) => ({
      ...failed,
      server: { ...failed.server, name },
      state: 'not-started' as const,
      reasons,
    }));
    const printed = table(100, false, { ...sample, jobs: [failed, ...stopped] });
    expect(printed).toContain('not started a, b\n  the budget is used up (error-budget)\n');
    expect(printed).toMatch(/failed mail-1\n {2}the postinst of harbor-httpd/);
  });

  test('ends with the verdict and the path of the page, in one piece', () => {
    const long = '/a/very/long/path/'.repeat(10);
    const printed = resultTable(sample, { columns: 60, colour: false, page: long });
    expect(printed).toContain('3 of 8 servers are patched and verified;');
    expect(printed.endsWith(`\nReport: ${long}\n`)).toBe(true);
  });

  test('of a large fleet shows the servers that need a person, and says how many more there are', () => {
    const [model] = sample.jobs as [ReportJob];
    const many = Array.from({ length: 200 }, (_, i) => ({
      ...model,
      server: { ...model.server, name: `s-${i}` },
      state: i === 150 ? ('failed' as const) : ('succeeded' as const),
    }));
    const lines = table(100, false, { ...sample, jobs: many }).split('\n');
    expect(lines[1]).toMatch(/^s-150 +canary +failed/);
    expect(lines).toContain('and 140 more, all in the report');
  });
});
