import { describe, expect, test } from 'vitest';
import { budgetText, verdictWords } from '../../../../apps/local/report/verdict-words.ts';
import type { CampaignState } from '../../../../core/campaign.ts';
import { type JobState, jobStateSchema } from '../../../../core/job.ts';
import type { ReportJob } from '../../../../core/report.ts';
import { sampleReport } from '../../../support/sample-report.ts';

const sample = sampleReport(['web-1']);
const [model] = sample.jobs as [ReportJob];

/** A campaign whose servers ended so. */
function ended(state: CampaignState, states: readonly JobState[], changes: Partial<ReportJob> = {}) {
  const jobs = states.map((job) => ({ ...model, state: job, ...changes }));
  const campaign = { ...sample.report.campaign, serverCount: states.length };
  return { report: { ...sample.report, state, campaign }, jobs };
}

function words(state: CampaignState, states: readonly JobState[], changes: Partial<ReportJob> = {}) {
  const { report, jobs } = ended(state, states, changes);
  return verdictWords(report, jobs);
}

const untouched = { dispatched: null, packages: [], facts: { ...model.facts, rebooted: null } };

describe('the verdict', () => {
  test.each([
    [['succeeded', 'succeeded'], 'All 2 servers are patched and verified.'],
    [['succeeded'], 'The one server is patched and verified.'],
    [
      ['succeeded', 'nothing-to-do', 'nothing-to-do'],
      'All 3 servers are up to date: 1 patched and verified, 2 had nothing to update.',
    ],
  ] as const)('is good for %j', (states, headline) => {
    expect(words('completed', states)).toMatchObject({ tone: 'good', headline });
  });

  test.each([
    [['succeeded', 'failed'], 'bad', '1 of 2 servers is patched and verified; 1 failed.'],
    [
      ['drifted', 'succeeded', 'drifted', 'succeeded'],
      'watch',
      '2 of 4 servers are patched and verified; 2 drifted from the plan and were left untouched.',
    ],
    [
      ['held', 'unreachable', 'succeeded', 'lost'],
      'bad',
      '1 of 4 servers is patched and verified; 1 gave no answer after patching began, 1 could not be reached, 1 held back by a person.',
    ],
  ] as const)('names what is not well, worst first: %j', (states, tone, headline) => {
    expect(words('completed', states)).toMatchObject({ tone, headline });
  });

  test('is never good while one server is anything but succeeded or without updates', () => {
    for (const state of jobStateSchema.options) {
      if (state === 'succeeded' || state === 'nothing-to-do') continue;
      expect(words('completed', ['succeeded', state]).tone, state).not.toBe('good');
    }
  });

  test('is never good when the campaign did not complete', () => {
    const states = ['stopped', 'denied', 'missed', 'broken', 'patching', 'nothing-to-do'] as const;
    for (const state of states) expect(words(state, ['succeeded']).tone, state).not.toBe('good');
  });

  test('is bad when servers are missing from the report, and says how many', () => {
    const { report, jobs } = ended('completed', ['succeeded', 'nothing-to-do', 'succeeded']);
    const verdict = verdictWords(report, jobs.slice(0, 2));
    expect(verdict).toMatchObject({
      tone: 'bad',
      headline: '1 of 3 servers is patched and verified; 1 had nothing to update.',
    });
    expect(verdict.details).toContain('Of 1 server this report knows nothing.');
  });

  test('gives the reason of a stop', () => {
    const { report, jobs } = ended('stopped', ['failed', 'not-started', 'not-started']);
    const reason = { code: 'error-budget', detail: '1 of 1 patched servers failed' };
    expect(verdictWords({ ...report, reason }, jobs)).toMatchObject({
      headline: 'Stopped: 0 of 3 servers are patched and verified; 1 failed, 2 not started.',
      details: expect.arrayContaining(['1 of 1 patched servers failed.']),
    });
  });

  test.each([
    ['denied', 'Not approved: 2 servers left as they were.'],
    ['missed', 'The window was missed: 2 servers left as they were.'],
  ] as const)('says of a %s campaign that nothing was touched, if so', (state, headline) => {
    expect(words(state, ['not-started', 'not-started'], untouched).headline).toBe(headline);
    expect(words(state, ['succeeded', 'not-started']).headline).not.toContain('left as they were');
  });

  test('counts packages, reboots, and reboots that are still due', () => {
    const facts = { ...model.facts, rebootPending: true };
    expect(words('completed', ['failed', 'failed'], { facts }).details).toEqual([
      '16 packages changed, 6 of them for security.',
      '2 servers rebooted.',
      '2 servers still need a reboot.',
    ]);
  });

  test('does not count a package that was never looked at, nor one that stayed', () => {
    const packages = model.packages.map((change, i) => ({ ...change, to: i === 0 ? change.from : null }));
    expect(words('completed', ['failed'], { packages }).details).toEqual([]);
  });
});

describe('the error budget', () => {
  test('counts only failures of servers that were patched', () => {
    const { report, jobs } = ended('completed', ['failed', 'succeeded', 'drifted']);
    expect(budgetText(report, jobs)).toBe(
      '1 of 3 dispatched servers failed; policy production allows 2 failures, and no more than 25 %, over all campaigns of 2027-Q1',
    );
    const never = ended('missed', ['failed'], untouched);
    expect(budgetText(never.report, never.jobs)).toContain('0 of 0 dispatched servers failed');
  });
});
