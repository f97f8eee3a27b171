/** Looks after backups that are due for it: reads them, asks for their copies, removes those whose time is over. */
import { backupNotice } from '../backup-notice.ts';
import { retention } from '../backup-retention.ts';
import { listAll, parseRecord, update } from '../entities.ts';
import { type Instant, plusSeconds } from '../instant.ts';
import type { Backups, Ports } from '../ports.ts';
import {
  backupKey,
  backupShards,
  backupsPartition,
  type StoredBackup,
  storedBackups,
} from '../stored-backup.ts';
import { checkBackup } from './check-backup.ts';

type TendPorts = Pick<Ports, 'records' | 'notices'> & { readonly backups: Backups };

/** Of one shard at a time: each is read whole, so a run is bounded by how many it looks at. */
const perShard = 100;

const laterSeconds = 7 * 86_400;

export interface TendReport {
  readonly looked: number;
  readonly bad: readonly StoredBackup[];
  readonly removed: readonly StoredBackup[];
  /** Items that could not be looked at, and why; they stay due. */
  readonly failed: readonly { readonly item: string; readonly error: string }[];
}

/** One that can not be looked at does not keep the others from it. */
export async function tendBackups(ports: TendPorts, now: Instant): Promise<TendReport> {
  const bad: StoredBackup[] = [];
  const removed: StoredBackup[] = [];
  const failed: { item: string; error: string }[] = [];
  let looked = 0;
  for (const shard of backupShards) {
    for (const record of await ports.records.listDue(shard, now, perShard)) {
      looked++;
      try {
        const backup = parseRecord(storedBackups, record);
        const tended = await tend(ports, backup, now);
        if (tended.removedAt !== null) removed.push(tended);
        else if (isBad(tended)) bad.push(tended);
      } catch (error) {
        failed.push({ item: `${record.key.partition}/${record.key.sort}`, error: String(error) });
      }
    }
  }
  return { looked, bad, removed, failed };
}

async function tend(ports: TendPorts, backup: StoredBackup, now: Instant): Promise<StoredBackup> {
  // Read before anything goes: what stays has to be known to be good.
  const checked = await checkBackup(ports, backup, now);
  // Told once for each look that finds it so: a receiver knows doubles by the id.
  if (isBad(checked)) await ports.notices.send(backupNotice(checked));
  if (now < plusSeconds(checked.at, checked.keepDays * 86_400)) return checked;
  return removeIfOver(ports, checked, now);
}

function isBad({ check, replica }: StoredBackup): boolean {
  return check?.good === false || replica === 'failed';
}

async function removeIfOver(ports: TendPorts, backup: StoredBackup, now: Instant): Promise<StoredBackup> {
  const stored = await listAll(ports.records, storedBackups, backupsPartition(backup.serverId), '');
  const there = stored.filter(({ removedAt }) => removedAt === null);
  const decided = retention(
    there.map(({ campaignId, at, check }) => ({ campaignId, at, good: check?.good ?? null })),
    () => backup,
    now,
  ).get(backup.campaignId);
  const key = backupKey(backup.serverId, backup.campaignId);
  const gone = decided?.keep === false;
  if (gone) await ports.backups.remove(backup.archive.key);
  return update(ports.records, storedBackups, key, (current) =>
    gone ? { ...current, removedAt: now } : { ...current, lookAt: plusSeconds(now, laterSeconds) },
  );
}
