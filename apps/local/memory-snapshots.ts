/** Owns snapshots of the embedded host: every instance has a root volume and one of data, and nothing is copied. */
import { type Instant, plusSeconds } from '../../core/instant.ts';
import { sha256Of } from '../../core/plan.ts';
import type { Snapshots, TakenSnapshot, Volume } from '../../core/ports.ts';
import { type Place, placeKey } from '../../core/server.ts';

/** How long EC2 seems to copy. */
const copySeconds = 120;

export interface MemorySnapshots extends Snapshots {
  /** From now on the server is of those that are gone. */
  lose(serverId: string): void;
}

export function createMemorySnapshots(now: () => Instant): MemorySnapshots {
  const all: (TakenSnapshot & { readonly place: string })[] = [];
  const gone = new Set<string>();
  const volumesOf = (serverId: string): Volume[] =>
    gone.has(serverId) || !serverId.startsWith('i-') ? [] : attachedTo(serverId);
  const asItIs = ({ place: _, ...snapshot }: (typeof all)[number]): TakenSnapshot => ({
    ...snapshot,
    state: plusSeconds(snapshot.startedAt, copySeconds) <= now() ? 'completed' : 'pending',
  });
  const inPlace = (place: Place) => all.filter((snapshot) => snapshot.place === placeKey(place)).map(asItIs);
  return {
    async volumes(_, serverIds) {
      const there = serverIds.filter((id) => volumesOf(id).length > 0);
      return new Map(there.map((id) => [id, volumesOf(id)]));
    },
    find: async (place, campaignId, serverIds) =>
      inPlace(place).filter(
        (snapshot) => snapshot.campaignId === campaignId && serverIds.includes(snapshot.serverId),
      ),
    async take(place, order) {
      const startedAt = now();
      const taken = volumesOf(order.serverId).map(({ volumeId }) => ({
        ...order,
        place: placeKey(place),
        snapshotId: `snap-${idFrom(`${volumeId} ${all.length}`)}`,
        volumeId,
        state: 'pending' as const,
        startedAt,
        encrypted: true,
      }));
      all.push(...taken);
      return taken.map(asItIs);
    },
    list: async (place) => ({ snapshots: inPlace(place), unread: [] }),
    async delete(place, snapshotId) {
      const index = all.findIndex((each) => each.snapshotId === snapshotId && each.place === placeKey(place));
      if (index < 0) return 'gone';
      all.splice(index, 1);
      return 'deleted';
    },
    lose: (serverId) => void gone.add(serverId),
  };
}

function attachedTo(serverId: string): Volume[] {
  return ['/dev/xvda', '/dev/xvdb'].map((device, index) => ({
    volumeId: `vol-${idFrom(`${serverId} ${device}`)}`,
    device,
    root: index === 0,
  }));
}

const idFrom = (text: string) => sha256Of(text).slice(0, 17);
