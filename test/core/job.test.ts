import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  isEnded,
  isFailure,
  type Job,
  type JobState,
  jobSchema,
  jobStateSchema,
  mayMove,
  moveJob,
  reopenForRollback,
} from '../../core/job.ts';
import { dayBefore, jobOf } from '../support/samples.ts';

const states = jobStateSchema.options;
const ended: readonly JobState[] = [
  'succeeded',
  'nothing-to-do',
  'unsupported',
  'drifted',
  'failed',
  'rolled-back',
  'rollback-failed',
  'unreachable',
  'superseded',
  'lost',
  'held',
  'not-started',
];
const state = fc.constantFrom(...states);

/** Moves that lie between `planned` and the farthest way to each state. */
function depth(of: JobState): number {
  const before = states.filter((from) => mayMove(from, of));
  return before.length === 0 ? 0 : 1 + Math.max(...before.map(depth));
}

describe('the moves of a job', () => {
  test('have no cycle, and every state can be reached from planned', () => {
    const roots = states.filter((of) => depth(of) === 0);
    expect(roots).toEqual(['planned']);
  });

  test('lead from every state that has not ended to an end', () => {
    expect(states.filter(isEnded)).toEqual(ended);
    for (const from of states.filter((one) => !isEnded(one))) {
      expect(states.some((to) => mayMove(from, to) && isEnded(to))).toBe(true);
    }
  });

  test('lead to success through verification only, and there through patching only', () => {
    expect(states.filter((from) => mayMove(from, 'succeeded'))).toEqual(['verifying']);
    expect(states.filter((from) => mayMove(from, 'verifying'))).toEqual(['patching']);
    expect(states.filter((from) => mayMove(from, 'patching'))).toEqual(['ready']);
  });

  test('never go back, and never leave an end, whatever events come', () => {
    fc.assert(
      fc.property(fc.array(state, { maxLength: 40 }), (events) => {
        let job = jobOf();
        for (const to of events) {
          const before = job;
          job = moveJob(job, to, dayBefore) ?? job;
          if (job !== before) {
            expect(isEnded(before.state)).toBe(false);
            expect(depth(job.state)).toBeGreaterThan(depth(before.state));
          }
        }
        const seen = job.history.map((entry) => entry.state);
        expect(new Set(seen).size).toBe(seen.length);
        expect(seen.at(-1)).toBe(job.state);
        expect(jobSchema.safeParse(job).success).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('are the same when every event comes twice', () => {
    fc.assert(
      fc.property(fc.array(state, { maxLength: 20 }), (events) => {
        const follow = (all: JobState[]) =>
          all.reduce((job, to) => moveJob(job, to, dayBefore) ?? job, jobOf());
        expect(follow(events.flatMap((to) => [to, to]))).toEqual(follow(events));
      }),
    );
  });

  test('leave the job as it was', () => {
    const job = Object.freeze(jobOf());
    moveJob(job, 'held', dayBefore, [{ code: 'hold', detail: 'held' }]);
    expect(job).toEqual(jobOf());
  });
});

describe('a job that has ended', () => {
  const asked = { code: 'rollback-by-hand', detail: 'ann asked for it' };
  const plan = { sha256: 'a', entries: 1, security: 0, downloadBytes: 1, objectKey: 'k' };
  const patched = { plan, dispatched: { at: dayBefore, online: true } };

  test('goes back by hand where it may have changed its server, and nowhere else', () => {
    const open = states.filter((of) => reopenForRollback(jobOf({ ...patched, state: of }), dayBefore, asked));
    expect(open).toEqual(['succeeded', 'failed', 'rollback-failed', 'lost']);
    for (const bare of [{ plan: null }, { dispatched: null }]) {
      const job = jobOf({ ...patched, ...bare, state: 'failed' });
      expect(reopenForRollback(job, dayBefore, asked)).toBeUndefined();
    }
  });

  test('ends once more as a rollback does, whatever late events come', () => {
    fc.assert(
      fc.property(fc.array(state, { maxLength: 20 }), (events) => {
        const start = reopenForRollback(jobOf({ ...patched, state: 'succeeded' }), dayBefore, asked) as Job;
        const end = events.reduce((job, to) => moveJob(job, to, dayBefore) ?? job, start);
        expect(['rolling-back', 'rolled-back', 'rollback-failed', 'lost']).toContain(end.state);
        expect(end.reasons).toContainEqual(asked);
        expect(end.history.length).toBeLessThanOrEqual(start.history.length + 1);
      }),
    );
  });
});

describe('a failure', () => {
  const online = { at: dayBefore, online: true };
  test.each(states.map((of) => [of]))('%s counts as the error budget has it', (of) => {
    const counts = [
      'failed',
      'rolling-back',
      'rolled-back',
      'rollback-failed',
      'lost',
      'unreachable',
    ].includes(of);
    expect(isFailure(jobOf({ state: of, dispatched: online }))).toBe(counts);
    expect(isFailure(jobOf({ state: of, dispatched: null }))).toBe(false);
  });

  test('is not that a server was offline when its patch was sent', () => {
    expect(isFailure(jobOf({ state: 'unreachable', dispatched: { ...online, online: false } }))).toBe(false);
    expect(isFailure(jobOf({ state: 'lost', dispatched: { ...online, online: false } }))).toBe(true);
  });
});
