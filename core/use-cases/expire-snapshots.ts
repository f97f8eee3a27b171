/** Deletes the snapshots that have had their time, place by place, and says what was kept and why. */
import type { Instant } from '../instant.ts';
import { inParallel } from '../parallel.ts';
import type { Snapshots, TakenSnapshot } from '../ports.ts';
import { type Place, placeKey } from '../server.ts';
import { failedLately, fates } from '../snapshot-expiry.ts';

export interface ExpiryReport {
  readonly deleted: readonly {
    readonly snapshotId: string;
    readonly serverId: string;
    readonly why: string;
  }[];
  /** How many, by reason. */
  readonly kept: Readonly<Record<string, number>>;
  /** Snapshots that failed lately: what they were to keep is not kept. */
  readonly broken: readonly TakenSnapshot[];
  /** Places that could not be looked at, and snapshots that could not be read or deleted. */
  readonly failed: readonly { readonly item: string; readonly error: string }[];
}

/** EC2 allows few deletions a second. */
const deletedAtOnce = 4;

/** What fails in one place keeps no other from it. */
export async function expireSnapshots(
  { snapshots }: { readonly snapshots: Pick<Snapshots, 'list' | 'delete'> },
  places: readonly Place[],
  now: Instant,
): Promise<ExpiryReport> {
  const deleted: { snapshotId: string; serverId: string; why: string }[] = [];
  const kept: Record<string, number> = {};
  const broken: TakenSnapshot[] = [];
  const failed: { item: string; error: string }[] = [];
  const keep = (why: string) => {
    kept[why] = (kept[why] ?? 0) + 1;
  };
  for (const place of places) {
    const found = await snapshots.list(place).catch((error: unknown) => {
      failed.push({ item: placeKey(place), error: String(error) });
      return { snapshots: [], unread: [] };
    });
    failed.push(...found.unread.map(({ snapshotId, why }) => ({ item: snapshotId, error: why })));
    broken.push(...failedLately(found.snapshots, now));
    const all = fates(found.snapshots, now);
    for (const { why } of all.filter((fate) => fate.keep)) keep(why.replace(/ \d{4}-\S+/, ' later'));
    await inParallel(
      all.filter((fate) => !fate.keep),
      deletedAtOnce,
      async ({ snapshot: { snapshotId, serverId }, why }) => {
        try {
          const outcome = await snapshots.delete(place, snapshotId);
          if (outcome === 'in-use') keep('something else uses it');
          else deleted.push({ snapshotId, serverId, why });
        } catch (error) {
          failed.push({ item: snapshotId, error: String(error) });
        }
      },
    );
  }
  return { deleted, kept, broken, failed };
}
