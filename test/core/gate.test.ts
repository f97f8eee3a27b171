import { describe, expect, test } from 'vitest';
import { type Campaign, campaignStateSchema, isCampaignEnded } from '../../core/campaign.ts';
import { phaseSeconds } from '../../core/document.ts';
import { passage, phaseClosed } from '../../core/gate.ts';
import { plusSeconds } from '../../core/instant.ts';
import { type JobState, jobStateSchema } from '../../core/job.ts';
import { type Phase, phaseSchema } from '../../core/phase.ts';
import type { Presence } from '../../core/ports.ts';
import {
  approvedCampaign,
  dayBefore,
  entryOf,
  exceptionOf,
  jobOf,
  policyOf,
  window,
} from '../support/samples.ts';

const open = approvedCampaign();
const inWindow = plusSeconds(window.start, 60);
const { approval } = open;
if (!approval?.decision) throw new Error('the sample has no approval');
const { decision } = approval;

describe('a phase', () => {
  const stops: readonly Campaign['stop'][] = [null, { by: 'bob', at: dayBefore, reason: 'incident' }];
  const approvals: readonly [Campaign['approval'], boolean][] = [
    [approval, true],
    [null, false],
    [{ ...approval, decision: null }, false],
    [{ ...approval, decision: { ...decision, approved: false } }, false],
    [{ ...approval, root: 'another root' }, false],
  ];
  const latest = (phase: Phase) => plusSeconds(window.end, -phaseSeconds(open, phase));
  const moments: readonly [string, { prepare: boolean; patch: boolean }][] = [
    [dayBefore, { prepare: true, patch: false }],
    [plusSeconds(window.start, -0.001), { prepare: true, patch: false }],
    [window.start, { prepare: true, patch: true }],
    [latest('patch'), { prepare: true, patch: true }],
    [plusSeconds(latest('patch'), 0.001), { prepare: true, patch: false }],
    [latest('prepare'), { prepare: true, patch: false }],
    [plusSeconds(latest('prepare'), 0.001), { prepare: false, patch: false }],
    [window.end, { prepare: false, patch: false }],
  ];

  test('is open only where nothing of stop, state, seal, approval and window is against it', () => {
    let opened = 0;
    for (const stop of stops)
      for (const state of campaignStateSchema.options)
        for (const seal of [open.seal, null])
          for (const required of [true, false])
            for (const [asked, isApproved] of approvals)
              for (const [now, inTime] of moments) {
                const policy = policyOf({ approval: { required } });
                const campaign = { ...open, stop, state, seal, policy, approval: asked };
                const goesOn = stop === null && !isCampaignEnded(state);
                const mayPatch = seal !== null && (!required || isApproved);
                expect(phaseClosed(campaign, 'prepare', now) === undefined).toBe(goesOn && inTime.prepare);
                expect(phaseClosed(campaign, 'patch', now) === undefined).toBe(
                  goesOn && mayPatch && inTime.patch,
                );
                expect(phaseClosed(campaign, 'verify', now)).toBeUndefined();
                if (phaseClosed(campaign, 'patch', now) === undefined) opened++;
              }
    expect(opened).toBe(5 * (1 + approvals.length) * 2);
  });

  test.each([
    ['stopped-by-hand', { stop: { by: 'bob', at: dayBefore, reason: 'incident' } }],
    ['campaign-ended', { state: 'completed' }],
    ['not-sealed', { seal: null }],
    ['not-approved', { approval: null }],
    ['approval-of-other-plans', { approval: { ...approval, root: 'another root' } }],
    ['approval-denied', { approval: { ...approval, decision: { ...decision, approved: false } } }],
  ] as const)('that is closed says why: %s', (code, changes) => {
    expect(phaseClosed({ ...open, ...changes }, 'patch', inWindow)?.code).toBe(code);
  });

  test('that is closed by the window says why', () => {
    expect(phaseClosed(open, 'patch', dayBefore)?.code).toBe('window-not-open');
    expect(phaseClosed(open, 'patch', window.end)?.code).toBe('window-closed');
    expect(phaseClosed(open, 'prepare', window.end)?.code).toBe('window-too-short');
  });
});

describe('the way back', () => {
  const late = policyOf({ rollback: { graceSeconds: 600 } });
  const until = plusSeconds(window.end, 600);
  const stop = { by: 'bob', at: dayBefore, reason: 'incident' };
  const closed = (changes: Partial<Campaign>, now = inWindow) =>
    phaseClosed({ ...open, policy: late, ...changes }, 'rollback', now)?.code;

  test('is open to the end of its time of grace, and not after it', () => {
    expect([closed({}), closed({}, window.end), closed({}, until)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(closed({}, plusSeconds(until, 0.001))).toBe('rollback-too-late');
  });

  test('is open after a stop and without an approval: it repairs what was done', () => {
    expect(closed({ stop })).toBeUndefined();
    expect(closed({ approval: null })).toBeUndefined();
  });

  test('is closed once the campaign has ended, stopped by hand or not', () => {
    expect(closed({ state: 'completed' })).toBe('campaign-ended');
    expect(closed({ state: 'stopped', stop })).toBe('campaign-ended');
  });
});

describe('the passage of a server', () => {
  const waiting: Record<Phase, JobState> = {
    prepare: 'planned',
    patch: 'ready',
    verify: 'verifying',
    rollback: 'rolling-back',
  };
  const presences: readonly (Presence | undefined)[] = ['online', 'offline', 'gone', undefined];
  const plan = [entryOf()];
  const exceptions = {
    none: [],
    'for another package': [exceptionOf({ package: 'bash' })],
    'for a planned package': [exceptionOf()],
    'that has ended': [exceptionOf({ package: null, until: dayBefore })],
    hold: [exceptionOf({ package: null })],
  };

  test('is free only for a job that waits, of a server that is there and not held', () => {
    for (const phase of phaseSchema.options)
      for (const state of jobStateSchema.options)
        for (const presence of presences)
          for (const [name, all] of Object.entries(exceptions)) {
            const sealed = phase === 'prepare' ? null : plan;
            const step = passage(phase, jobOf({ state }), presence, all, sealed, inWindow);
            const isHeld = name === 'hold' || (name === 'for a planned package' && phase !== 'prepare');
            if (state !== waiting[phase]) expect(step).toEqual({ kind: 'pass-by' });
            else if (phase === 'verify' || phase === 'rollback') expect(step).toEqual({ kind: 'go' });
            else if (presence === 'gone') expect(step).toMatchObject({ kind: 'end', state: 'superseded' });
            else if (isHeld) expect(step).toMatchObject({ kind: 'end', state: 'held' });
            else expect(step).toEqual({ kind: 'go' });
          }
  });

  test('keeps an exception from packages that are not to be changed while there is no plan yet', () => {
    expect(passage('prepare', jobOf(), 'online', [exceptionOf()], null, inWindow)).toEqual({ kind: 'go' });
  });
});
