/** Owns what is remembered of a server's backup: where it is, whether it is good, and when somebody looks again. */
import * as z from 'zod';
import { archiveSchema } from './backup.ts';
import { dueShards, type Entity, shardOf } from './entities.ts';
import { instantSchema } from './instant.ts';
import type { RecordKey } from './ports.ts';
import { serverIdSchema } from './server.ts';

const storedBackupSchema = z.object({
  schema: z.literal(1),
  serverId: serverIdSchema,
  campaignId: z.string(),
  /** What the server said, and S3 confirmed, when it was made. */
  archive: archiveSchema,
  /** Key of the result object, which lists the files of the archive. */
  resultKey: z.string().max(500),
  at: instantSchema,
  keepDays: z.number().int().min(1),
  keepLast: z.number().int().min(1),
  /** What reading it showed when that was done last; null while nobody has. */
  check: z.object({ at: instantSchema, good: z.boolean(), detail: z.string().max(400) }).nullable(),
  /** Of the copy in the second Region; null while nobody has asked. */
  replica: z.enum(['pending', 'arrived', 'failed', 'none']).nullable(),
  removedAt: instantSchema.nullable(),
  /** When it is looked at next. */
  lookAt: instantSchema,
});
export type StoredBackup = z.infer<typeof storedBackupSchema>;

export const backupsPartition = (serverId: string) => `backups#${serverId}`;
export const backupKey = (serverId: string, campaignId: string): RecordKey => ({
  partition: backupsPartition(serverId),
  sort: campaignId,
});

const backupShard = (shard: string) => `backups-${shard}`;
/** Apart from those of the sweeper: what looks at backups reads archives, and may take its time. */
export const backupShards: readonly string[] = dueShards.map(backupShard);

export const storedBackups: Entity<StoredBackup> = {
  schema: storedBackupSchema,
  key: ({ serverId, campaignId }) => backupKey(serverId, campaignId),
  due: ({ serverId, removedAt, lookAt }) =>
    removedAt === null ? { shard: backupShard(shardOf(serverId)), at: lookAt } : undefined,
};
