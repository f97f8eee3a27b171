/** Owns the error budget: how many failed servers all campaigns of one policy and quarter may have together. */
import { z } from 'zod';
import { instantSchema } from './instant.ts';
import type { Reason } from './outcome.ts';
import type { Policy } from './policy.ts';

/** What one batch adds; written whole each time, so writing it twice adds nothing. */
export const budgetEntrySchema = z.object({
  schema: z.literal(1),
  campaignId: z.string(),
  batchId: z.string(),
  at: instantSchema,
  dispatched: z.number().int().nonnegative(),
  failed: z.number().int().nonnegative(),
});
export type BudgetEntry = z.infer<typeof budgetEntrySchema>;

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
  const counted = entries.filter((entry) => acknowledged === undefined || entry.at > acknowledged.at);
  const dispatched = counted.reduce((sum, entry) => sum + entry.dispatched, 0);
  const failed = counted.reduce((sum, entry) => sum + entry.failed, 0);
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
