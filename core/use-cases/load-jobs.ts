/** Reads jobs by server. */
import { jobKey, jobs, MissingItemError, parseRecord } from '../entities.ts';
import type { Job } from '../job.ts';
import type { Records } from '../ports.ts';

/** @throws MissingItemError: a batch names only servers that have a job */
export async function loadJobs(
  records: Records,
  campaignId: string,
  serverIds: readonly string[],
): Promise<Job[]> {
  const keys = serverIds.map((id) => jobKey(campaignId, id));
  const found = await records.getMany(keys);
  return found.map((record, index) => {
    if (record === undefined) throw new MissingItemError(keys[index] as (typeof keys)[number]);
    return parseRecord(jobs, record);
  });
}
