/** Owns what people are told of a backup that they could not rely on. */
import type { Notice } from './ports.ts';
import type { StoredBackup } from './stored-backup.ts';

export function backupNotice({ serverId, campaignId, archive, check, replica, at }: StoredBackup): Notice {
  const isGood = check?.good === true;
  return {
    id: `backup-bad-${serverId}-${campaignId}-${check?.at}`,
    kind: 'backup-bad',
    campaignId,
    subject: isGood
      ? `The backup of ${serverId} has no copy in the second Region`
      : `The backup of ${serverId} is not good`,
    text: [
      isGood
        ? `The backup that ${serverId} made at ${at} is good, and its copy in the second Region is ${replica}.`
        : `The backup that ${serverId} made at ${at} could not be restored from: ${check?.detail}.`,
      '',
      `Campaign: ${campaignId}`,
      `Object:   ${archive.key}`,
      '',
      isGood
        ? 'Look at the replication of the backup bucket. Until the copy is there, losing the Region loses this backup.'
        : 'The bucket keeps older versions of an object: look there for the one with the hash that the server named, ' +
          `${archive.sha256}. Earlier backups of the server are kept as long as this one is not good.`,
    ].join('\n'),
  };
}
