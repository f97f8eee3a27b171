/** Owns `quarterdeck backups`: what there is of a campaign or a server, whether it is good, and whether it comes back. */
import type { StoredBackup } from '../../core/stored-backup.ts';
import type { FoundBackups } from '../../core/use-cases/find-backups.ts';
import type { RestoreReport } from '../../core/use-cases/test-restores.ts';
import { painter } from '../local/terminal-text.ts';
import type { BackupsArguments, RestoreArguments } from './asked-jobs.ts';
import { labelledLines } from './labelled-lines.ts';
import { tableLines } from './table.ts';
import { exitCodes, type World, withBackend } from './world.ts';

export async function runBackups(
  name: 'show-backups' | 'verify-backups',
  asked: BackupsArguments,
  world: World,
): Promise<number> {
  const { campaignId, serverId } = asked;
  const found = (await withBackend(asked, world, (backend) =>
    backend.call(name, { campaignId, serverId }),
  )) as FoundBackups;
  world.out(asked.json ? `${JSON.stringify(found)}\n` : backupsText(found, world));
  return found.backups.some(isBad) ? exitCodes.unwell : exitCodes.done;
}

export async function runRestoreTest(asked: RestoreArguments, world: World): Promise<number> {
  const report = (await withBackend(asked, world, (backend) =>
    backend.call('test-restores', { count: asked.count }),
  )) as RestoreReport & { readonly key: string };
  world.out(asked.json ? `${JSON.stringify(report)}\n` : restoreText(report, world));
  // Where nothing was restored, nothing was proven.
  return report.good && report.restored.length > 0 ? exitCodes.done : exitCodes.unwell;
}

/** One that was removed had its time, whatever it was before. */
function isBad({ check, replica, removedAt }: StoredBackup): boolean {
  return removedAt === null && (check?.good === false || replica === 'failed');
}

function backupsText({ backups, without }: FoundBackups, { columns, colour }: World): string {
  const rows = backups.map((backup) => {
    const { serverId, campaignId, at, archive, replica } = backup;
    return [
      serverId,
      campaignId,
      minute(at),
      sizeText(archive.bytes),
      stateText(backup),
      replica ?? 'not asked',
    ];
  });
  const heads = ['SERVER', 'CAMPAIGN', 'MADE (UTC)', 'SIZE', 'STATE', 'COPY'];
  const bad = backups.filter(isBad);
  const lines = [
    ...(rows.length > 0
      ? tableLines(heads, rows, { columns, paint: painter(colour) })
      : ['there is no backup']),
    ...bad.flatMap(({ serverId, campaignId, check, replica }) =>
      labelledLines(
        'not good',
        [
          `${serverId} of ${campaignId}: ${check?.good === false ? check.detail : `its copy in the second Region is ${replica}`}`,
        ],
        columns,
      ),
    ),
    ...(without.length > 0
      ? labelledLines(
          'without',
          [`${without.join(', ')}: not patched by this campaign, or without a backup`],
          columns,
        )
      : []),
  ];
  return `${lines.join('\n')}\n`;
}

function stateText({ check, removedAt }: StoredBackup): string {
  if (removedAt !== null) return `removed ${minute(removedAt)}`;
  if (check === null) return 'not read yet';
  return `${check.good ? 'good' : 'BAD'}, read ${minute(check.at)}`;
}

function restoreText({ restored, key }: RestoreReport & { readonly key: string }, world: World): string {
  const { columns, colour } = world;
  if (restored.length === 0)
    return 'there was no backup to restore: look at the last campaigns if that is not what your policies say\n';
  const rows = restored.map(({ serverId, campaignId, files, packages, differences, note }) => [
    serverId,
    campaignId,
    String(files),
    String(packages),
    differences.length === 0
      ? note === undefined
        ? 'as it was'
        : 'whole'
      : `${differences.length} DIFFERENT`,
  ]);
  const heads = ['SERVER', 'CAMPAIGN', 'FILES', 'PACKAGES', 'CAME BACK'];
  const lines = [
    ...tableLines(heads, rows, { columns, paint: painter(colour) }),
    ...restored.flatMap(({ serverId, differences }) =>
      labelledLines(
        'differs',
        differences.map((difference) => `${serverId}: ${difference}`),
        columns,
      ),
    ),
    ...labelledLines('report', [key], columns),
  ];
  return `${lines.join('\n')}\n`;
}

function sizeText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const kib = bytes / 1024;
  return kib < 1024 ? `${kib.toFixed(1)} KiB` : `${(kib / 1024).toFixed(1)} MiB`;
}

const minute = (instant: string) => instant.slice(0, 16).replace('T', ' ');
