import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { reconcileSchedules, type ScheduleChanges } from '../../../core/calendar/reconcile-schedules.ts';
import { instantOf, millisOf } from '../../../core/instant.ts';
import type { OneTimeSchedule } from '../../../core/ports.ts';

const now = '2026-11-21T00:00:00.000Z';
const schedule = (name: string, at: string, input: unknown = { campaignId: name }): OneTimeSchedule => ({
  name,
  at,
  input,
});
const later = '2026-11-28T00:00:00.000Z';
const names = (changes: ScheduleChanges) => ({
  create: changes.create.map(({ name }) => name),
  move: changes.move.map(({ name }) => name),
  delete: changes.delete.map(({ name }) => name),
  keep: changes.keep,
  due: changes.due.map(({ name }) => name),
});
const nothing = { create: [], move: [], delete: [], keep: [], due: [] };

describe('schedules are reconciled', () => {
  test('what is expected and not there is created', () => {
    expect(names(reconcileSchedules([schedule('a', later)], [], now))).toEqual({ ...nothing, create: ['a'] });
  });

  test('what is there and not expected is deleted, with its time in the reason', () => {
    const changes = reconcileSchedules([], [schedule('a', later)], now);
    expect(names(changes)).toEqual({ ...nothing, delete: ['a'] });
    expect(changes.delete[0]?.reason).toContain(later);
  });

  test('what fires at another moment is moved, and says from where', () => {
    const changes = reconcileSchedules(
      [schedule('a', '2026-11-28T01:00:00.000Z')],
      [schedule('a', later)],
      now,
    );
    expect(names(changes)).toEqual({ ...nothing, move: ['a'] });
    expect(changes.move[0]).toMatchObject({ at: '2026-11-28T01:00:00.000Z', from: later });
  });

  test('what would tell its target something else is put right', () => {
    const present = [schedule('a', later, { campaignId: 'b' })];
    expect(names(reconcileSchedules([schedule('a', later)], present, now))).toEqual({
      ...nothing,
      move: ['a'],
    });
  });

  test('the order of keys in an input is no difference', () => {
    const [one, other] = [
      { a: 1, b: { c: 2, d: 3 } },
      { b: { d: 3, c: 2 }, a: 1 },
    ];
    const changes = reconcileSchedules([schedule('a', later, one)], [schedule('a', later, other)], now);
    expect(names(changes)).toEqual({ ...nothing, keep: ['a'] });
  });

  test.each([
    ['past', '2026-11-20T00:00:00.000Z'],
    ['now', now],
    ['less than two minutes ahead', '2026-11-21T00:01:59.000Z'],
  ])('nothing is created for a moment that is %s', (_, at) => {
    expect(names(reconcileSchedules([schedule('a', at)], [], now))).toEqual({ ...nothing, due: ['a'] });
  });

  test('a schedule that fires about now is left to fire', () => {
    const due = schedule('a', now);
    expect(names(reconcileSchedules([due], [due], now))).toEqual({ ...nothing, due: ['a'] });
  });

  test('a schedule for later of what is due now would fire for nobody: it goes', () => {
    const changes = reconcileSchedules([schedule('a', now)], [schedule('a', later)], now);
    expect(names(changes)).toEqual({ ...nothing, due: ['a'], delete: ['a'] });
  });
});

const some = fc.uniqueArray(
  fc.record({
    name: fc.constantFrom(...'abcdefgh'),
    at: fc.integer({ min: -300, max: 300 }).map((seconds) => instantOf(millisOf(now) + seconds * 1000)),
    input: fc.constantFrom<unknown>({ campaignId: 'x' }, { campaignId: 'y' }, null),
  }),
  { selector: ({ name }) => name },
);

function carriedOut(present: readonly OneTimeSchedule[], changes: ScheduleChanges): OneTimeSchedule[] {
  const all = new Map(present.map((each) => [each.name, each]));
  for (const { name } of changes.delete) all.delete(name);
  for (const { reason: _, ...each } of changes.create) all.set(each.name, each);
  for (const { reason: _, from: _from, ...each } of changes.move) all.set(each.name, each);
  return [...all.values()];
}

describe('whatever is expected and there', () => {
  test('carrying it out leaves just what is expected, and a second time changes nothing', () => {
    fc.assert(
      fc.property(some, some, (expected, present) => {
        const changes = reconcileSchedules(expected, present, now);
        const after = carriedOut(present, changes);
        const due = new Set(changes.due.map(({ name }) => name));
        const ahead = (all: readonly OneTimeSchedule[]) =>
          all.filter(({ name }) => !due.has(name)).toSorted((a, b) => (a.name < b.name ? -1 : 1));
        expect(ahead(after)).toEqual(ahead(expected));
        const again = reconcileSchedules(expected, after, now);
        expect({ ...names(again), keep: [], due: [] }).toEqual(nothing);
      }),
    );
  });

  test('every expected name is in one list, and nothing is made for a moment that may have passed', () => {
    fc.assert(
      fc.property(some, some, (expected, present) => {
        const { create, move, keep, due } = names(reconcileSchedules(expected, present, now));
        expect([...create, ...move, ...keep, ...due].toSorted()).toEqual(
          expected.map(({ name }) => name).toSorted(),
        );
        const made = expected.filter(({ name }) => create.includes(name) || move.includes(name));
        for (const { at } of made) expect(millisOf(at) - millisOf(now)).toBeGreaterThan(120_000);
      }),
    );
  });

  test('the order in which they are given does not matter', () => {
    fc.assert(
      fc.property(some, some, (expected, present) => {
        expect(reconcileSchedules(expected.toReversed(), present.toReversed(), now)).toEqual(
          reconcileSchedules(expected, present, now),
        );
      }),
    );
  });
});
