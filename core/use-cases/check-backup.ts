/** Reads one backup to its end and compares it with what its server said when it made it. */
import { update } from '../entities.ts';
import { type Instant, plusSeconds } from '../instant.ts';
import type { Backups, Ports } from '../ports.ts';
import { backupKey, type StoredBackup, storedBackups } from '../stored-backup.ts';

const day = 86_400;

/** What is at rest may be altered at any time, so it is read again and again. */
const readAgainSeconds = 30 * day;
/** A copy takes minutes; what has none after a day is told. */
const replicaSeconds = day;

/** @returns the backup with what was found, as it is stored now */
export async function checkBackup(
  ports: Pick<Ports, 'records'> & { readonly backups: Backups },
  backup: StoredBackup,
  now: Instant,
): Promise<StoredBackup> {
  const check = await look(ports.backups, backup, now);
  const replica = await replicaOf(ports.backups, backup, now);
  const expiry = plusSeconds(backup.at, backup.keepDays * day);
  const next = plusSeconds(now, replica === 'pending' ? 3600 : readAgainSeconds);
  return update(ports.records, storedBackups, backupKey(backup.serverId, backup.campaignId), (current) => ({
    ...current,
    check,
    replica,
    lookAt: now < expiry && expiry < next ? expiry : next,
  }));
}

async function look(
  backups: Backups,
  { archive }: StoredBackup,
  at: Instant,
): Promise<NonNullable<StoredBackup['check']>> {
  const bad = (detail: string) => ({ at, good: false, detail: detail.slice(0, 400) });
  const found = await backups.inspect(archive.key);
  if (found === undefined) return bad(`${archive.key} is not in the bucket`);
  if (found.sha256 !== archive.sha256) {
    return bad(
      `${archive.key} was altered: it hashes to ${found.sha256}, the server made one of ${archive.sha256}`,
    );
  }
  if (found.entries === null) return bad(`${archive.key} can not be read: ${found.problem}`);
  if (found.entries !== archive.files) {
    return bad(`${archive.key} has ${found.entries} entries, the server put ${archive.files} into it`);
  }
  return { at, good: true, detail: `${found.entries} entries, ${found.bytes} bytes` };
}

async function replicaOf(
  backups: Backups,
  { archive, at }: StoredBackup,
  now: Instant,
): Promise<StoredBackup['replica']> {
  const state = (await backups.replication(archive.key)) ?? 'failed';
  return state === 'pending' && now >= plusSeconds(at, replicaSeconds) ? 'failed' : state;
}
