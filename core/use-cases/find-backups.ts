/** Finds backups of a campaign or of one server, and reads them again where that is asked for. */
import * as z from 'zod';
import { Refused } from '../calls.ts';
import {
  batches,
  campaignKey,
  campaigns,
  listAll,
  load,
  MissingItemError,
  parseRecord,
} from '../entities.ts';
import type { Instant } from '../instant.ts';
import { inParallel } from '../parallel.ts';
import type { Backups, Ports } from '../ports.ts';
import { backupKey, backupsPartition, type StoredBackup, storedBackups } from '../stored-backup.ts';
import { checkBackup } from './check-backup.ts';

export const findBackupsInput = z
  .strictObject({
    campaignId: z.string().min(1).max(64).optional(),
    serverId: z.string().min(1).max(64).optional(),
  })
  .refine(
    ({ campaignId, serverId }) => (campaignId === undefined) !== (serverId === undefined),
    'name a campaign or a server, and one of them',
  );

export interface FoundBackups {
  /** By server, and of one server by campaign. */
  readonly backups: readonly StoredBackup[];
  /** Servers of the campaign that have no backup of it: they were not patched, or without one. */
  readonly without: readonly string[];
}

/** @throws Refused `no-campaign` */
export async function findBackups(
  ports: Pick<Ports, 'records'>,
  input: z.input<typeof findBackupsInput>,
): Promise<FoundBackups> {
  const { campaignId, serverId } = findBackupsInput.parse(input);
  if (serverId !== undefined)
    return {
      backups: await listAll(ports.records, storedBackups, backupsPartition(serverId), ''),
      without: [],
    };
  return ofCampaign(ports, campaignId ?? '');
}

async function ofCampaign({ records }: Pick<Ports, 'records'>, campaignId: string): Promise<FoundBackups> {
  try {
    await load(records, campaigns, campaignKey(campaignId));
  } catch (error) {
    if (!(error instanceof MissingItemError)) throw error;
    throw new Refused('no-campaign', `there is no campaign ${campaignId}: its id is in the notices about it`);
  }
  const prepared = await listAll(records, batches, `campaign#${campaignId}`, 'batch#p');
  const ids = prepared.flatMap(({ serverIds }) => serverIds).toSorted();
  const stored = await records.getMany(ids.map((id) => backupKey(id, campaignId)));
  return {
    backups: stored.flatMap((record) => (record ? [parseRecord(storedBackups, record)] : [])),
    without: ids.filter((_, index) => stored[index] === undefined),
  };
}

/** At a time: each is read whole. */
const atOnce = 4;

/** Reads every one that is found to its end, however lately that was done. */
export async function verifyBackups(
  ports: Pick<Ports, 'records'> & { readonly backups: Backups },
  input: z.input<typeof findBackupsInput>,
  now: Instant,
): Promise<FoundBackups> {
  const { backups, without } = await findBackups(ports, input);
  const there = backups.filter(({ removedAt }) => removedAt === null);
  return { backups: await inParallel(there, atOnce, (backup) => checkBackup(ports, backup, now)), without };
}
