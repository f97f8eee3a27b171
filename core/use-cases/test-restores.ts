/** Restores a few backups into a scratch place and proves that files and packages come back as they were. */
import * as z from 'zod';
import { backupNotice } from '../backup-notice.ts';
import { parseRecord } from '../entities.ts';
import { type Instant, plusSeconds } from '../instant.ts';
import { sha256Of } from '../plan.ts';
import type { Backups, Objects, Ports } from '../ports.ts';
import {
  compareRestore,
  countRestore,
  packedManifest,
  type RestoreFindings,
  type ToldByServer,
} from '../restore-test.ts';
import { resultDays } from '../result-object.ts';
import { backupShards, type StoredBackup, storedBackups } from '../stored-backup.ts';
import { checkBackup } from './check-backup.ts';
import { readResult, unpackResult } from './orders.ts';

export const testRestoresInput = z.object({
  /** How many are restored. */
  count: z.number().int().min(1).max(100).default(5),
});

type TestPorts = Pick<Ports, 'records' | 'notices'> & {
  readonly objects: Pick<Objects, 'get' | 'put'>;
  readonly backups: Backups;
};

/** Looked at for each shard; those that are due for their next look come first, so they are others each week. */
const perShard = 50;
const farAhead = 3650 * 86_400;

export interface RestoreReport {
  readonly schema: 1;
  readonly at: Instant;
  readonly restored: readonly (RestoreFindings & {
    readonly serverId: string;
    readonly campaignId: string;
    readonly madeAt: Instant;
  })[];
  readonly good: boolean;
}

/** How many did not come back as they were: what the alarm counts. */
export function failedRestores({ restored }: Pick<RestoreReport, 'restored'>): number {
  return restored.filter(({ differences }) => differences.length > 0).length;
}

/** Where there is no backup there is nothing that could be restored, and that is told as well. */
export async function testRestores(
  ports: TestPorts,
  input: z.input<typeof testRestoresInput>,
  now: Instant,
): Promise<RestoreReport & { readonly key: string }> {
  const { count } = testRestoresInput.parse(input);
  const chosen = await choose(ports, count, now);
  const restored: RestoreReport['restored'][number][] = [];
  for (const backup of chosen) {
    const { serverId, campaignId, at: madeAt } = backup;
    restored.push({ serverId, campaignId, madeAt, ...(await restoreOne(ports, backup, now)) });
  }
  const report: RestoreReport = {
    schema: 1,
    at: now,
    restored,
    good: restored.every(({ differences }) => differences.length === 0),
  };
  // A campaign's id never begins with a dash.
  const key = `campaigns/-restore-tests/${now}.json`;
  await ports.objects.put(key, `${JSON.stringify(report, null, 2)}\n`);
  await ports.notices.send(noticeOf(report, key));
  return { ...report, key };
}

/** In an order that nobody chooses: by a hash of the backup and of the moment. */
async function choose(ports: TestPorts, count: number, now: Instant): Promise<StoredBackup[]> {
  const all: StoredBackup[] = [];
  for (const shard of backupShards) {
    const records = await ports.records.listDue(shard, plusSeconds(now, farAhead), perShard);
    all.push(...records.map((record) => parseRecord(storedBackups, record)));
  }
  const place = ({ serverId, campaignId }: StoredBackup) => sha256Of(`${now} ${serverId} ${campaignId}`);
  return all
    .map((backup) => ({ backup, place: place(backup) }))
    .toSorted((a, b) => (a.place < b.place ? -1 : 1))
    .slice(0, count)
    .map(({ backup }) => backup);
}

async function restoreOne(ports: TestPorts, backup: StoredBackup, now: Instant): Promise<RestoreFindings> {
  const nothing = (difference: string) => ({ files: 0, packages: 0, differences: [difference] });
  const checked = await checkBackup(ports, backup, now);
  if (checked.check?.good !== true) {
    await ports.notices.send(backupNotice(checked));
    return nothing(checked.check?.detail ?? 'it could not be read');
  }
  try {
    const archive = await ports.backups.restore(backup.archive.key, [packedManifest]);
    if (archive === undefined) return nothing('it is gone since it was read');
    const told = await toldBy(ports.objects, backup);
    const isPast = told === undefined && now >= plusSeconds(backup.at, resultDays * 86_400);
    return isPast ? countRestore(archive) : compareRestore(archive, told ?? nothingTold);
  } catch (error) {
    return nothing(`it can not be unpacked: ${String(error)}`.slice(0, 400));
  }
}

const nothingTold: ToldByServer = { files: undefined, manifest: undefined };

/** Undefined where the result is not there, or can not be read. */
async function toldBy(
  objects: Pick<Objects, 'get'>,
  { resultKey }: StoredBackup,
): Promise<ToldByServer | undefined> {
  const stored = await readResult(objects, resultKey);
  if (stored.kind === 'unreadable') return undefined;
  try {
    const sections = unpackResult(stored.content);
    return { files: sections.get('files'), manifest: sections.get('manifest') };
  } catch {
    // What a server wrote may be anything; then there is nothing to compare with, which is told.
    return nothingTold;
  }
}

function noticeOf(
  { at, restored, good }: RestoreReport,
  key: string,
): Parameters<Ports['notices']['send']>[0] {
  const lines = restored.map(({ serverId, campaignId, files, packages, differences, note }) =>
    [
      `${serverId}  ${campaignId}  ${files} files, ${packages} packages: `,
      differences.length === 0
        ? (note ?? 'all as they were')
        : differences.slice(0, 5).join('; ') + (differences.length > 5 ? '; …' : ''),
    ].join(''),
  );
  return {
    id: `restore-tested-${at}`,
    kind: 'restore-tested',
    campaignId: null,
    subject:
      restored.length === 0
        ? 'Restore test: there was no backup to restore'
        : good
          ? `Restore test: ${restored.length} of ${restored.length} backups came back as they were`
          : `RESTORE TEST FAILED: ${failedRestores({ restored })} of ${restored.length} backups did not come back as they were`,
    text: [
      restored.length === 0
        ? 'No server has a backup. If that is not what your policies say, look at the last campaigns.'
        : `Restored into a scratch place at ${at} UTC, and compared with what each server had listed:`,
      '',
      ...lines,
      '',
      `Report: ${key}`,
    ].join('\n'),
  };
}
