/** Remembers the backup that a server made before its patch, so that it is looked at, kept, and found again. */
import type { Archive } from '../backup.ts';
import type { Campaign } from '../campaign.ts';
import { create } from '../entities.ts';
import type { Instant } from '../instant.ts';
import type { Ports } from '../ports.ts';
import { backupPrefix, serverPrefix } from '../result-object.ts';
import type { Server } from '../server.ts';
import { storedBackups } from '../stored-backup.ts';

/** Whether an archive lies where this server alone may put one, for this campaign. */
export function isOwnBackup(
  { id, hybridRoleId }: Pick<Campaign, 'id' | 'hybridRoleId'>,
  server: Server,
  { key }: Archive,
): boolean {
  return key.startsWith(`${backupPrefix(server, hybridRoleId)}/${id}/`);
}

/** A second time it changes nothing. */
export async function recordBackup(
  ports: Pick<Ports, 'records'>,
  campaign: Pick<Campaign, 'id' | 'policy' | 'hybridRoleId'>,
  server: Server,
  archive: Archive,
  now: Instant,
): Promise<void> {
  const { keepDays, keepLast } = campaign.policy.backup;
  await create(ports.records, storedBackups, {
    schema: 1 as const,
    serverId: server.id,
    campaignId: campaign.id,
    archive,
    resultKey: `${serverPrefix(server, campaign.hybridRoleId)}/${campaign.id}/patch.gz`,
    at: now,
    keepDays,
    keepLast,
    check: null,
    replica: null,
    removedAt: null,
    // At once: a backup that is not good should be known while its campaign is under way.
    lookAt: now,
  });
}
