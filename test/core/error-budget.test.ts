import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BudgetEntry, overBudget } from '../../core/error-budget.ts';
import { plusSeconds } from '../../core/instant.ts';

const start = '2026-11-21T22:00:00.000Z';
const entry = fc.record({ dispatched: fc.nat(50), failed: fc.nat(50), after: fc.nat(1000) }).map(
  ({ dispatched, failed, after }): BudgetEntry => ({
    schema: 1,
    campaignId: 'campaign-1',
    batchId: `w0-${String(after).padStart(4, '0')}`,
    at: plusSeconds(start, after),
    dispatched,
    failures: failed === 0 ? [] : [{ at: plusSeconds(start, after), servers: Math.min(failed, dispatched) }],
  }),
);
const entries = fc.array(entry, { maxLength: 6 });
const budget = fc.record({ failures: fc.nat(20), share: fc.double({ min: 0, max: 1, noNaN: true }) });
const acknowledgedAt = (after: number) => ({
  schema: 1 as const,
  at: plusSeconds(start, after),
  by: 'bob',
  reason: 'known',
});
const failed = (all: readonly BudgetEntry[]) =>
  all.flatMap(({ failures }) => failures).reduce((sum, { servers }) => sum + servers, 0);

describe('an error budget', () => {
  test('is exceeded by more failures than it allows, or by a larger share of those dispatched', () => {
    fc.assert(
      fc.property(budget, entries, (allowed, all) => {
        const dispatched = all.reduce((sum, one) => sum + one.dispatched, 0);
        const tooMany = failed(all) > allowed.failures;
        const tooLarge = dispatched > 0 && failed(all) / dispatched > allowed.share;
        expect(overBudget(allowed, all) !== undefined).toBe(tooMany || tooLarge);
      }),
      { numRuns: 500 },
    );
  });

  test('that is exceeded stays so with every further failure', () => {
    fc.assert(
      fc.property(budget, entries, fc.nat(), (allowed, all, at) => {
        fc.pre(overBudget(allowed, all) !== undefined);
        const index = at % all.length;
        const one = all[index] as BudgetEntry;
        const worse = { ...one, failures: [...one.failures, { at: one.at, servers: 1 }] };
        expect(overBudget(allowed, all.with(index, worse))).toBeDefined();
      }),
    );
  });

  test('does not depend on the order of entries', () => {
    fc.assert(
      fc.property(budget, entries, fc.nat(1000), (allowed, all, after) => {
        expect(overBudget(allowed, all.toReversed(), acknowledgedAt(after))).toEqual(
          overBudget(allowed, all, acknowledgedAt(after)),
        );
      }),
    );
  });

  test('counts only what came after an acknowledgement', () => {
    fc.assert(
      fc.property(budget, entries, fc.nat(1000), (allowed, all, after) => {
        const acknowledged = acknowledgedAt(after);
        const later = all.filter((one) => one.at > acknowledged.at);
        expect(overBudget(allowed, all, acknowledged)).toEqual(overBudget(allowed, later));
        expect(overBudget(allowed, all, acknowledgedAt(2000))).toBeUndefined();
      }),
    );
  });

  test('counts a failure that was found after an acknowledgement, and not those of the same batch before it', () => {
    const batch: BudgetEntry = {
      schema: 1,
      campaignId: 'campaign-1',
      batchId: 'w0-0001',
      at: start,
      dispatched: 50,
      failures: [
        { at: start, servers: 7 },
        { at: plusSeconds(start, 900), servers: 2 },
      ],
    };
    const allowed = { failures: 1, share: 1 };
    expect(overBudget(allowed, [batch])?.detail).toContain('9 of 50');
    expect(overBudget(allowed, [batch], acknowledgedAt(60))?.detail).toContain('2 of 50');
    expect(overBudget(allowed, [batch], acknowledgedAt(900))).toBeUndefined();
  });

  test('says how much failed and how much was allowed', () => {
    const batch = {
      ...(fc.sample(entry, 1)[0] as BudgetEntry),
      dispatched: 20,
      failures: [{ at: start, servers: 3 }],
    };
    expect(overBudget({ failures: 2, share: 1 }, [batch])).toEqual({
      code: 'error-budget',
      detail: '3 of 20 patched servers of this policy and quarter failed; the error budget allows 2',
    });
    expect(overBudget({ failures: 5, share: 0.125 }, [batch])?.detail).toMatch(
      /the error budget allows 12.5 %$/,
    );
  });
});
