import { describe, expect, test } from 'vitest';
import { changeOutcome, hasCome } from '../../../../apps/local/report/change-outcome.ts';
import type { PackageChange, ReportJob } from '../../../../core/report.ts';
import { sampleReport } from '../../../support/sample-report.ts';

const [job] = sampleReport(['web-1']).jobs as [ReportJob];
const [other] = job.packages as [PackageChange];

function outcome(
  from: string | null,
  planned: string | null,
  to: string | null,
  changes: Partial<ReportJob> = {},
) {
  const change = { ...other, from, planned, to };
  return changeOutcome(change, { ...job, packages: [change, other], ...changes });
}

describe('what became of a planned change', () => {
  test.each([
    ['upgraded as planned', '1', '2', '2', 'as planned'],
    ['newly installed', null, '2', '2', 'as planned'],
    ['removed as planned', '1', null, null, 'as planned'],
    ['still at its old version', '1', '2', '1', 'unchanged'],
    ['still not installed', null, '2', null, 'unchanged'],
    ['at a version that nobody planned', '1', '2', '3', 'other version'],
    ['gone', '1', '2', null, 'missing'],
  ] as const)('%s', (_what, from, planned, to, expected) => {
    expect(outcome(from, planned, to)).toBe(expected);
  });

  test('is nothing where no patch was ever sent', () => {
    expect(outcome('1', '2', null, { phases: {} })).toBe('not attempted');
  });

  test('is unknown where the server’s result proves nothing, or lists no version', () => {
    const { patch } = job.phases;
    if (!patch) throw new Error('the sample was patched');
    const unproven = { code: 'result-unproven', detail: 'altered' };
    expect(outcome('1', '2', '2', { phases: { patch: { ...patch, unproven } } })).toBe('unknown');
    expect(outcome('1', '2', '2', { phases: { patch: { ...patch, object: null } } })).toBe('unknown');
    expect(outcome('1', '2', null, { packages: [{ ...other, to: null }] })).toBe('unknown');
  });

  test('counts as come only where the package is no longer what it was', () => {
    expect((['as planned', 'other version'] as const).every(hasCome)).toBe(true);
    expect((['unchanged', 'missing', 'not attempted', 'unknown'] as const).some(hasCome)).toBe(false);
  });
});
