/** Owns the tags of snapshots: whose they are, and how long they stay. Rights to delete go by them. */
import { type Instant, instantSchema } from './instant.ts';
import type { SnapshotOrder } from './ports.ts';

export const snapshotTags = {
  campaign: 'quarterdeck:campaign',
  /** `<campaign>/<server>` */
  job: 'quarterdeck:job',
  expires: 'quarterdeck:expires',
  keepLast: 'quarterdeck:keep-last',
} as const;

type Tags = Readonly<Record<string, string>>;

export function jobTag(campaignId: string, serverId: string): string {
  return `${campaignId}/${serverId}`;
}

export function tagsOf({ campaignId, serverId, expiresAt, keepLast }: SnapshotOrder): Tags {
  return {
    [snapshotTags.campaign]: campaignId,
    [snapshotTags.job]: jobTag(campaignId, serverId),
    [snapshotTags.expires]: expiresAt,
    [snapshotTags.keepLast]: String(keepLast),
  };
}

/** Tags can be changed by others: what can not be read is told, and its snapshot never deleted. */
export function orderOf(tags: Tags): SnapshotOrder | { readonly why: string } {
  const campaignId = tags[snapshotTags.campaign] ?? '';
  const [named, serverId, ...rest] = (tags[snapshotTags.job] ?? '').split('/');
  if (campaignId === '' || named !== campaignId || !serverId || rest.length > 0)
    return { why: `its tags name no job of a campaign: ${tags[snapshotTags.job]} of ${campaignId}` };
  const expiresAt: Instant = tags[snapshotTags.expires] ?? '';
  if (!instantSchema.safeParse(expiresAt).success)
    return { why: `its tag ${snapshotTags.expires} is no instant: ${expiresAt}` };
  const keepLast = tags[snapshotTags.keepLast] ?? '';
  if (!/^[1-9]\d{0,2}$/.test(keepLast))
    return { why: `its tag ${snapshotTags.keepLast} is no number from 1 on: ${keepLast}` };
  return { campaignId, serverId, expiresAt, keepLast: Number(keepLast) };
}
