/** Puts up the fence before a server whose root volume is replaced, and has it stand after that. */
import { create, update } from '../entities.ts';
import { type Fence, fenceKey, fences } from '../fence.ts';
import type { Instant } from '../instant.ts';
import type { Records } from '../ports.ts';
import type { RootVolume } from '../root-volume.ts';

/** Never moved back: an earlier one may hold more campaigns off than this one. */
export async function putUpFence(
  records: Records,
  { campaignId, serverId, decision }: RootVolume,
): Promise<void> {
  if (!decision) throw new Error(`the root volume of ${serverId} is to be replaced, and nobody approved it`);
  const { at: since, by } = decision;
  const fence: Fence = { schema: 1, serverId, since, campaignId, by, replacing: true };
  if (await create(records, fences, fence)) return;
  await update(records, fences, fenceKey(serverId), (current) =>
    current.since < since || current.replacing !== true
      ? { ...fence, since: laterOf(current.since, since) }
      : undefined,
  );
}

/** Campaigns that were made while it was replaced may have sent something to the disk that is gone. */
export async function endReplacing(
  records: Records,
  { campaignId, serverId }: RootVolume,
  now: Instant,
): Promise<void> {
  if ((await records.get(fenceKey(serverId))) === undefined) return;
  await update(records, fences, fenceKey(serverId), ({ replacing, ...current }) => {
    // Another one that is under way ends itself.
    if (replacing !== true || current.campaignId !== campaignId) return undefined;
    return { ...current, since: laterOf(current.since, now) };
  });
}

const laterOf = (...instants: readonly Instant[]): Instant => instants.toSorted().at(-1) as Instant;
