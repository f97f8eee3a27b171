/** Owns the error budget: how many failed servers all campaigns of one policy and quarter may have together. */
import * as z from 'zod';
import { type Instant, instantSchema } from './instant.ts';
import type { Reason } from './outcome.ts';
import type { Policy } from './policy.ts';

/** What one batch adds. */
export const budgetEntrySchema = z.object({
  schema: z.literal(1),
  campaignId: z.string(),
  batchId: z.string(),
  at: instantSchema,
  dispatched: z.number().int().nonnegative(),
  /** By the moment they were found: a batch fails in part when it is patched and in part when it is verified. */
  failures: z.array(z.object({ at: instantSchema, servers: z.number().int().positive() })),
});
export type BudgetEntry = z.infer<typeof budgetEntrySchema>;

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

/**
 * The entry with as many failures as are known by now, or undefined when it has them already. Those it had keep
 * their moment, so that an acknowledgement of them is not undone by what is found later.
 */
export function withFailures(entry: BudgetEntry, failed: number, at: Instant): BudgetEntry | undefined {
  const more = failed - sum(entry.failures.map(({ servers }) => servers));
  return more > 0 ? { ...entry, failures: [...entry.failures, { at, servers: more }] } : undefined;
}

/** A person has looked at the failures up to `at` and lets patching go on. */
export const acknowledgementSchema = z.object({
  schema: z.literal(1),
  at: instantSchema,
  by: z.string().min(1).max(255),
  reason: z.string().min(1).max(400),
});
export type Acknowledgement = z.infer<typeof acknowledgementSchema>;

/** Why the budget is used up, or undefined. Failures that were acknowledged no longer count. */
export function overBudget(
  budget: Policy['errorBudget'],
  entries: readonly BudgetEntry[],
  acknowledged?: Acknowledgement,
): Reason | undefined {
  const counts = ({ at }: { readonly at: Instant }) => acknowledged === undefined || at > acknowledged.at;
  const failed = sum(
    entries.flatMap(({ failures }) => failures.filter(counts).map(({ servers }) => servers)),
  );
  const dispatched = sum(
    entries.filter((entry) => counts(entry) || entry.failures.some(counts)).map((entry) => entry.dispatched),
  );
  const detail = `${failed} of ${dispatched} patched servers of this policy and quarter failed`;
  if (failed > budget.failures) {
    return { code: 'error-budget', detail: `${detail}; the error budget allows ${budget.failures}` };
  }
  if (dispatched > 0 && failed / dispatched > budget.share) {
    return {
      code: 'error-budget',
      detail: `${detail}; the error budget allows ${Math.round(budget.share * 1000) / 10} %`,
    };
  }
  return undefined;
}
