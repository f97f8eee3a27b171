import { describe, expect, test } from 'vitest';
import type { JobState } from '../../core/job.ts';
import type { Facts, Reason } from '../../core/outcome.ts';
import { type Phase, phaseSchema } from '../../core/phase.ts';
import type { Policy } from '../../core/policy.ts';
import type { InvocationStatus } from '../../core/ports.ts';
import { type Summary, summarySchema } from '../../core/summary.ts';
import { type Evidence, judgePhase, unmet, withoutSummary } from '../../core/verdict.ts';
import { allGood, policyOf, serverOf, summaryOf } from '../support/samples.ts';

const results = summarySchema.shape.result.options;
const unproven: Reason = { code: 'result-unproven', detail: 'the object is not in the bucket' };
const said: Reason = { code: 'disk-full', detail: '/var needs 300 MB' };
const tolerant = policyOf({ reboot: 'never', requireCompliant: false });

const judge = (
  phase: Phase,
  changes: Partial<Summary>,
  because?: Reason,
  facts = allGood,
  policy = tolerant,
) => {
  const summary = summaryOf(serverOf(1), phase, changes);
  const evidence: Evidence = because
    ? { kind: 'summary', summary, unproven: because }
    : { kind: 'summary', summary };
  return judgePhase(phase, evidence, facts, policy);
};

describe('a verdict on what a server says', () => {
  const good: Record<Phase, Partial<Record<Summary['result'], JobState>>> = {
    prepare: { planned: 'ready', 'nothing-to-do': 'nothing-to-do', unsupported: 'unsupported' },
    patch: { patched: 'verifying', 'nothing-to-do': 'verifying', drifted: 'drifted' },
    verify: { verified: 'succeeded' },
    rollback: { 'rolled-back': 'rolled-back', 'nothing-to-do': 'rolled-back' },
  };
  const bad: Record<Phase, JobState> = {
    prepare: 'failed',
    patch: 'failed',
    verify: 'failed',
    rollback: 'rollback-failed',
  };
  const ends: readonly JobState[] = ['ready', 'nothing-to-do', 'succeeded', 'rolled-back'];
  const table = phaseSchema.options.flatMap((phase) => results.map((result) => [phase, result] as const));

  test.each(table)('%s %s', (phase, result) => {
    expect(judge(phase, { result }).state).toBe(good[phase][result] ?? bad[phase]);
  });

  test.each(table)('%s %s, without proof, is nothing that was sealed or ended well', (phase, result) => {
    const { state, reasons } = judge(phase, { result }, unproven);
    expect(ends).not.toContain(state);
    // A patch was carried out, proven or not: the verification looks at it, and the job can not succeed any more.
    if (ends.includes(good[phase][result] ?? bad[phase])) {
      expect(state).toBe(bad[phase]);
      expect(reasons).toContainEqual(unproven);
    }
  });

  test.each(table)(
    '%s %s has a reason unless it is good, and keeps the one that the server names',
    (phase, result) => {
      const isGood = [...ends, 'verifying'].includes(good[phase][result] ?? bad[phase]);
      expect(judge(phase, { result }).reasons).toHaveLength(isGood ? 0 : 1);
      if (!isGood) expect(judge(phase, { result, reasons: [said] }).reasons[0]).toEqual(said);
    },
  );

  test('that refused to begin has failed, for whatever cause: only the control plane knows the window', () => {
    const refused = (code: string) =>
      judge('patch', { result: 'refused', reasons: [{ code, detail: '' }] }).state;
    expect(refused('no-time')).toBe('failed');
    expect(refused('lock-held')).toBe('failed');
    expect(refused('packages-broken')).toBe('failed');
  });
});

describe('success', () => {
  const values = [true, false, null];
  const facts = values.flatMap((installed) =>
    values.flatMap((rebootPending) =>
      values.flatMap((rebooted) =>
        values.flatMap((healthy) =>
          values.map((compliant): Facts => ({ installed, rebootPending, rebooted, healthy, compliant })),
        ),
      ),
    ),
  );
  const policies = (['never', 'if-needed', 'always', 'separate-window'] as const).flatMap((reboot) =>
    [true, false].flatMap((requireCompliant) =>
      [true, false].map((requireHealthy): Policy => policyOf({ reboot, requireCompliant, requireHealthy })),
    ),
  );

  test.each(
    policies.map(
      (policy) => [policy.reboot, policy.requireCompliant, policy.requireHealthy, policy] as const,
    ),
  )(
    'with reboot %s, compliance %s and health %s needs all that is asked to be known as such',
    (reboot, requireCompliant, requireHealthy, policy) => {
      for (const one of facts) {
        const isMet =
          one.installed === true &&
          // Where health need not be known, it must still not be known to be bad.
          (one.healthy === true || (!requireHealthy && one.healthy === null)) &&
          (['never', 'separate-window'].includes(reboot) || one.rebootPending === false) &&
          (reboot !== 'always' || one.rebooted === true) &&
          (!requireCompliant || one.compliant === true);
        const { state, reasons } = judge('verify', {}, undefined, one, policy);
        const isMendable = one.installed === false || one.healthy === false;
        expect(state).toBe(isMet ? 'succeeded' : isMendable ? 'rolling-back' : 'failed');
        expect(reasons.length > 0).toBe(!isMet);
        expect(judge('verify', {}, unproven, one, policy).state).toBe('failed');
      }
    },
  );

  test('that is missed says what is missing and what is known of it', () => {
    const unknown = { ...allGood, healthy: null, compliant: false };
    expect(unmet(unknown, policyOf())).toEqual([
      { code: 'not-healthy', detail: 'healthy: unknown' },
      { code: 'not-compliant', detail: 'compliant: no' },
    ]);
  });
});

describe('the way back', () => {
  const sick = { ...allGood, healthy: false };
  const torn = { ...allGood, installed: false };
  const failed: Partial<Summary> = { result: 'failed', reasons: [said] };

  test.each([
    ['a patch that broke off', 'patch', failed, torn],
    ['a patch after which a unit failed', 'patch', failed, sick],
    ['a server that is not well after its patch', 'verify', {}, sick],
    ['a package that is not there any more', 'verify', {}, torn],
    ['a verification that failed of a server that is not well', 'verify', failed, sick],
  ] as const)('is taken after %s', (_case, phase, changes, facts) => {
    expect(judge(phase, changes, undefined, facts).state).toBe('rolling-back');
  });

  test.each([
    ['a patch that was refused', 'patch', { result: 'refused' }, sick],
    ['a patch that drifted', 'patch', { result: 'drifted' }, torn],
    ['a patch that failed before anything was touched', 'patch', failed, { ...allGood, installed: null }],
    ['a server of which nobody can say how it is', 'verify', {}, { ...allGood, healthy: null }],
    ['a server that is not compliant', 'verify', {}, { ...allGood, compliant: false }],
    ['a reboot that is pending', 'verify', {}, { ...allGood, rebootPending: true }],
  ] as const)('is not taken after %s', (_case, phase, changes, facts) => {
    expect(judge(phase, changes, undefined, facts, policyOf()).state).not.toBe('rolling-back');
  });

  test('is not taken on a word that is not proven, nor where the policy leaves it to people', () => {
    expect(judge('verify', {}, unproven, sick).state).toBe('failed');
    expect(judge('patch', failed, unproven, torn).state).toBe('failed');
    const byHand = policyOf({ rollback: { automatic: 'none' } });
    expect(judge('verify', {}, undefined, sick, byHand)).toMatchObject({
      state: 'failed',
      reasons: [{ code: 'not-healthy' }],
    });
  });

  test('has failed where the server is not well in the end, whatever it calls its result', () => {
    expect(judge('rollback', {}, undefined, sick)).toMatchObject({
      state: 'rollback-failed',
      reasons: [{ code: 'not-healthy' }],
    });
    const unknown = { ...allGood, healthy: null };
    expect(judge('rollback', {}, undefined, unknown).state).toBe('rollback-failed');
    const blind = policyOf({ requireHealthy: false });
    expect(judge('rollback', {}, undefined, unknown, blind).state).toBe('rolled-back');
  });
});

describe('a verdict on silence', () => {
  const statuses: Record<InvocationStatus, { delivered: boolean; code: string }> = {
    pending: { delivered: false, code: 'no-answer' },
    'in-progress': { delivered: true, code: 'no-answer' },
    succeeded: { delivered: true, code: 'summary-unreadable' },
    failed: { delivered: true, code: 'summary-unreadable' },
    'execution-timed-out': { delivered: true, code: 'execution-timed-out' },
    'delivery-timed-out': { delivered: false, code: 'delivery-timed-out' },
    undeliverable: { delivered: false, code: 'undeliverable' },
    cancelled: { delivered: true, code: 'command-cancelled' },
  };

  test.each(Object.entries(statuses) as [InvocationStatus, (typeof statuses)['pending']][])(
    '%s is never a success, and its reason names it',
    (status, { delivered, code }) => {
      const evidence = withoutSummary({
        serverId: 'i-1',
        status,
        terminal: true,
        statusDetails: status,
        summary: '',
      });
      expect(evidence).toMatchObject({ delivered, reason: { code } });
      const states = phaseSchema.options.map((phase) => judgePhase(phase, evidence, allGood, tolerant));
      expect(states.map(({ state }) => state)).toEqual(
        delivered ? ['failed', 'lost', 'lost', 'lost'] : ['unreachable', 'unreachable', 'lost', 'lost'],
      );
      for (const { reasons } of states) expect(reasons).toEqual([evidence.reason]);
    },
  );
});
