/** Owns which backups of a server have had their time; a server always keeps the newest ones that are good. */
import type { BackupPolicy } from './backup.ts';
import { type Instant, plusSeconds } from './instant.ts';

export interface DatedBackup {
  readonly campaignId: string;
  readonly at: Instant;
  /** Whether its content was read and was what the server had said; null while nobody has looked. */
  readonly good: boolean | null;
}

export interface Retention {
  readonly keep: boolean;
  /** In words, for the report of a clean-up. */
  readonly why: string;
}

/**
 * Age alone removes nothing: of the backups that are good the newest `keepLast` stay, and while none is known to be
 * good, all stay. So whatever goes, a server that had a good backup has one after it.
 *
 * @param all the backups of one server that are there, in any order
 */
export function retention(
  all: readonly DatedBackup[],
  policyOf: (campaignId: string) => Pick<BackupPolicy, 'keepDays' | 'keepLast'>,
  now: Instant,
): ReadonlyMap<string, Retention> {
  const newestFirst = all.toSorted((a, b) => (a.at > b.at ? -1 : a.at < b.at ? 1 : 0));
  const good = newestFirst.filter((backup) => backup.good === true);
  return new Map(
    newestFirst.map((backup): [string, Retention] => {
      const { keepDays, keepLast } = policyOf(backup.campaignId);
      const rank = good.indexOf(backup);
      if (now < plusSeconds(backup.at, keepDays * 86_400)) {
        return [backup.campaignId, { keep: true, why: `younger than ${keepDays} days` }];
      }
      if (good.length === 0) {
        return [backup.campaignId, { keep: true, why: 'no backup of this server is known to be good' }];
      }
      if (rank >= 0 && rank < keepLast) {
        return [backup.campaignId, { keep: true, why: `one of the ${keepLast} newest that are good` }];
      }
      return [
        backup.campaignId,
        { keep: false, why: `older than ${keepDays} days, and newer ones are good` },
      ];
    }),
  );
}
