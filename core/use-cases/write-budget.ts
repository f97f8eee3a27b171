/** Writes what one batch adds to the error budget of its policy and quarter. */
import type { Batch } from '../batch.ts';
import type { Campaign } from '../campaign.ts';
import { budgetEntries, create, update } from '../entities.ts';
import { withFailures } from '../error-budget.ts';
import type { Instant } from '../instant.ts';
import { isFailure, type Job } from '../job.ts';
import type { Ports } from '../ports.ts';

/** @param all every job of the batch; writing them again adds nothing */
export async function writeBudget(
  ports: Pick<Ports, 'records'>,
  campaign: Campaign,
  batch: Batch,
  all: readonly Job[],
  now: Instant,
) {
  const entity = budgetEntries(campaign.policy.name, campaign.quarter);
  const failed = all.filter(isFailure).length;
  const empty = {
    schema: 1 as const,
    campaignId: campaign.id,
    batchId: batch.id,
    at: now,
    dispatched: all.filter((job) => job.dispatched !== null).length,
    failures: [],
  };
  const entry = withFailures(empty, failed, now) ?? empty;
  if (!(await create(ports.records, entity, entry)))
    await update(ports.records, entity, entity.key(entry), (current) => withFailures(current, failed, now));
}
