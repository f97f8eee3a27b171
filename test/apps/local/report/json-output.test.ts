import { describe, expect, test } from 'vitest';
import { jsonOutput, jsonOutputSchema } from '../../../../apps/local/report/json-output.ts';
import { sampleReport } from '../../../support/sample-report.ts';

const output = jsonOutput(sampleReport());

describe('the JSON output', () => {
  test('has exactly the shape that programs rely on', () => {
    expect(jsonOutputSchema.parse(JSON.parse(JSON.stringify(output)))).toEqual(output);
    expect(Object.keys(output)).toEqual(['hosts', 'campaign', 'jobs', 'cost', 'timings']);
    expect(Object.keys(output.jobs[0] ?? {})).toEqual([
      'server',
      'family',
      'wave',
      'state',
      'facts',
      'packages',
      'error',
    ]);
  });

  test('says what became of each server, unknown facts as null', () => {
    const job = (name: string) => output.jobs.find(({ server }) => server === name);
    expect(job('mail-1')).toMatchObject({
      family: 'debian',
      wave: 1,
      state: 'failed',
      facts: { installed: false, rebootPending: true, rebooted: false, healthy: false, compliant: null },
      error: expect.stringMatching(/^package-not-configured: the postinst of harbor-httpd/),
    });
    expect(job('edge-7')).toMatchObject({ wave: null, packages: [], facts: { installed: null } });
    expect(job('web-1')?.packages).toContainEqual({ name: 'libbuoy-data', from: null, to: '0.9.5-1' });
  });

  test('names an error for every server that is not as it should be, and for no other', () => {
    const bad = output.jobs.filter(({ error }) => error !== null).map(({ server }) => server);
    expect(bad).toEqual(['mail-1', 'build-3', 'edge-7', 'ledger-1']);
    const data = sampleReport(['mail-1']);
    const jobs = data.jobs.map((job) => ({ ...job, reasons: [] }));
    expect(jsonOutput({ ...data, jobs }).jobs[0]?.error).toBe('failed: no reason was given');
  });

  test('gives the reason of a stopped campaign', () => {
    const data = sampleReport();
    const reason = { code: 'error-budget', detail: 'one canary of one failed' };
    const { campaign } = jsonOutput({ ...data, report: { ...data.report, state: 'stopped', reason } });
    expect(campaign).toEqual({
      id: 'spring-2027-web',
      state: 'stopped',
      reason: 'error-budget: one canary of one failed',
    });
    expect(output.campaign.reason).toBeNull();
  });

  test('gives the list price, the transitions, calls and timings', () => {
    expect(output.cost.listUsd).toBeCloseTo(0.00144, 6);
    expect(output.cost).toMatchObject({ transitions: 38, calls: { 'ssm:SendCommand': 4 } });
    expect(output.timings).toEqual({ hosts: 3.4, campaign: 52.8, total: 57.1 });
    expect(output.hosts).toBe('sandbox');
  });
});
