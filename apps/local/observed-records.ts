/** Owns a state store that tells of each change of a job or campaign, so that people can watch. */
import { type Campaign, campaignSchema } from '../../core/campaign.ts';
import { type Job, jobSchema } from '../../core/job.ts';
import type { Records, StoredRecord } from '../../core/ports.ts';

export interface Watcher {
  job(job: Job): void;
  campaign(campaign: Campaign): void;
}

export function observedRecords(records: Records, watcher: Watcher): Records {
  const tell = ({ key, body }: Omit<StoredRecord, 'revision'>) => {
    if (key.sort === 'job') watcher.job(jobSchema.parse(body));
    if (key.sort === 'campaign') watcher.campaign(campaignSchema.parse(body));
  };
  return {
    get: (key) => records.get(key),
    getMany: (keys) => records.getMany(keys),
    list: (partition, options) => records.list(partition, options),
    listDue: (shard, before, limit) => records.listDue(shard, before, limit),
    async create(record) {
      const created = await records.create(record);
      if (created) tell(record);
      return created;
    },
    async replace(record, expected) {
      const replaced = await records.replace(record, expected);
      if (replaced) tell(record);
      return replaced;
    },
  };
}
