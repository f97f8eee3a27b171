/** Owns the list of batches that a Distributed Map reads from the bucket. */
import type { Batch } from '../batch.ts';
import type { Campaign } from '../campaign.ts';
import { commandSeconds } from '../document.ts';
import type { Phase } from '../phase.ts';
import type { Objects } from '../ports.ts';

export interface BatchManifest {
  readonly bucket: string;
  readonly key: string;
  readonly batches: number;
  /**
   * After which the state machine gives a batch up by itself. Longer than any command: the sweeper settles what is
   * overdue long before, and this is for the case that the sweeper is down.
   */
  readonly timeoutSeconds: number;
}

export function manifestOf(
  objects: Pick<Objects, 'bucket'>,
  campaign: Campaign,
  phase: Phase,
  key: string,
  count: number,
): BatchManifest {
  return {
    bucket: objects.bucket,
    key,
    batches: count,
    timeoutSeconds: commandSeconds(campaign, phase) + 1800,
  };
}

/** Writes the list; writing it again writes the same. */
export async function putManifest(
  objects: Objects,
  campaign: Campaign,
  phase: Phase,
  key: string,
  batches: readonly Batch[],
): Promise<BatchManifest> {
  await objects.put(key, JSON.stringify(batches.map(({ id }) => ({ batchId: id }))));
  return manifestOf(objects, campaign, phase, key, batches.length);
}
