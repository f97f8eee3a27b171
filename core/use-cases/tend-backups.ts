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

/** For what passes by itself. */
const patienceSeconds = 86_400;

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
        const tended = await tend(ports, backup, bad, now);
        if (tended.removedAt !== null) removed.push(tended);
      } catch (error) {
        failed.push({ item: `${record.key.partition}/${record.key.sort}`, error: String(error) });
      }
    }
  }
  return { looked, bad, removed, failed };
}

async function tend(
  ports: TendPorts,
  backup: StoredBackup,
  bad: StoredBackup[],
  now: Instant,
): Promise<StoredBackup> {
  let isRead = true;
  const checked = await checkBackup(ports, backup, now).catch((error: unknown) => {
    isRead = false;
    return markUnreadable(ports, backup, error, now);
  });
  if (isBad(checked)) await tell(ports, checked, bad);
  if (!isRead || now < plusSeconds(checked.at, checked.keepDays * 86_400)) return checked;
  return removeIfOver(ports, checked, bad, now);
}

/** One that nobody could read for a day is none to rely on, whatever the cause: that is told, and no other goes for it. */
function markUnreadable(
  ports: TendPorts,
  backup: StoredBackup,
  error: unknown,
  now: Instant,
): Promise<StoredBackup> {
  if (now < plusSeconds(backup.lookAt, patienceSeconds)) throw error;
  const detail = `it could not be read since ${backup.lookAt}: ${String(error)}`.slice(0, 400);
  const check = { at: now, good: false, detail };
  const key = backupKey(backup.serverId, backup.campaignId);
  return update(ports.records, storedBackups, key, (current) =>
    current.removedAt === null ? { ...current, check, lookAt: plusSeconds(now, patienceSeconds) } : undefined,
  );
}

/** Once for each look that finds it so: a receiver knows doubles by the id. */
async function tell(ports: TendPorts, backup: StoredBackup, bad: StoredBackup[]): Promise<void> {
  bad.push(backup);
  await ports.notices.send(backupNotice(backup));
}

function isBad({ check, replica }: StoredBackup): boolean {
  return check?.good === false || replica === 'failed';
}

async function removeIfOver(
  ports: TendPorts,
  backup: StoredBackup,
  bad: StoredBackup[],
  now: Instant,
): Promise<StoredBackup> {
  const gone = await mayGo(ports, backup, bad, now);
  if (gone) await ports.backups.remove(backup.archive.key);
  const key = backupKey(backup.serverId, backup.campaignId);
  return update(ports.records, storedBackups, key, (current) =>
    gone ? { ...current, removedAt: now } : { ...current, lookAt: plusSeconds(now, laterSeconds) },
  );
}

/** Only for the sake of others that are good now: when they were read last may be a month ago. */
async function mayGo(
  ports: TendPorts,
  backup: StoredBackup,
  bad: StoredBackup[],
  now: Instant,
): Promise<boolean> {
  const read = new Set([backup.campaignId]);
  for (;;) {
    const stored = await listAll(ports.records, storedBackups, backupsPartition(backup.serverId), '');
    const there = stored.filter(({ removedAt }) => removedAt === null);
    const decided = retention(
      there.map(({ campaignId, at, check }) => ({ campaignId, at, good: check?.good ?? null })),
      () => backup,
      now,
    );
    if (decided.get(backup.campaignId)?.keep !== false) return false;
    const unread = there
      .filter(({ check, campaignId }) => check?.good === true && !read.has(campaignId))
      .find(({ campaignId }) => decided.get(campaignId)?.keep === true);
    if (unread === undefined) return true;
    read.add(unread.campaignId);
    if (unread.check?.at === now) continue;
    const checked = await checkBackup(ports, unread, now);
    if (isBad(checked)) await tell(ports, checked, bad);
  }
}
