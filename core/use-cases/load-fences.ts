/** Reads the fences before servers. */
import { parseRecord } from '../entities.ts';
import { type Fence, fenceKey, fences } from '../fence.ts';
import type { Records } from '../ports.ts';

/** By server; most have none. */
export async function loadFences(
  records: Records,
  serverIds: readonly string[],
): Promise<ReadonlyMap<string, Fence>> {
  const found = await records.getMany(serverIds.map(fenceKey));
  return new Map(
    found.flatMap((record) => {
      if (record === undefined) return [];
      const fence = parseRecord(fences, record);
      return [[fence.serverId, fence] as const];
    }),
  );
}
