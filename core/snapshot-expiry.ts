/** Owns which snapshots have had their time; a server always keeps the newest sets that are good. */
import { type Instant, plusSeconds } from './instant.ts';
import type { TakenSnapshot } from './ports.ts';

export interface SnapshotFate {
  readonly snapshot: TakenSnapshot;
  readonly keep: boolean;
  /** In words, for the report. */
  readonly why: string;
}

/**
 * What one campaign took of one server is a set, and good when all of it is completed. Age alone removes no good set:
 * of each server the newest `keepLast` stay, and while none is good, whatever is not known to have failed.
 *
 * @param all of one place, in any order
 */
export function fates(all: readonly TakenSnapshot[], now: Instant): SnapshotFate[] {
  return groupsOf(all, ({ serverId }) => serverId).flatMap((ofServer) => {
    const sets = groupsOf(ofServer, ({ campaignId }) => campaignId);
    const good = sets
      .filter((set) => set.every(({ state }) => state === 'completed'))
      .toSorted((a, b) => (startOf(a) < startOf(b) ? 1 : -1));
    return sets.flatMap((set) => set.map((snapshot) => ({ snapshot, ...fateOf(snapshot, set, good, now) })));
  });
}

function fateOf(
  { expiresAt, keepLast }: TakenSnapshot,
  set: readonly TakenSnapshot[],
  good: readonly (readonly TakenSnapshot[])[],
  now: Instant,
): Omit<SnapshotFate, 'snapshot'> {
  if (now < expiresAt) return { keep: true, why: `kept until ${expiresAt}` };
  // Not one by one: without those that failed, the rest of a set would look good.
  if (set.every(({ state }) => state === 'error'))
    return { keep: false, why: 'it failed, and holds nothing' };
  const rank = good.indexOf(set);
  if (rank >= 0 && rank < keepLast) return { keep: true, why: `one of the ${keepLast} newest that are good` };
  if (good.length === 0) return { keep: true, why: 'no set of this server is completed' };
  return { keep: false, why: `expired at ${expiresAt}, and newer ones are good` };
}

function groupsOf(all: readonly TakenSnapshot[], keyOf: (snapshot: TakenSnapshot) => string) {
  const groups = new Map<string, TakenSnapshot[]>();
  for (const snapshot of all) {
    const group = groups.get(keyOf(snapshot));
    if (group) group.push(snapshot);
    else groups.set(keyOf(snapshot), [snapshot]);
  }
  return [...groups.values()];
}

/** Of the last of them. */
function startOf(set: readonly TakenSnapshot[]): Instant {
  return (
    set
      .map(({ startedAt }) => startedAt)
      .toSorted()
      .at(-1) ?? ''
  );
}

/** For how long a snapshot that failed is told of: the nightly look comes twice in that time. */
const newsSeconds = 2 * 86_400;

/** A server was patched, and what was to bring its disks back is not there. */
export function failedLately(all: readonly TakenSnapshot[], now: Instant): TakenSnapshot[] {
  return all.filter(({ state, startedAt }) => state === 'error' && now < plusSeconds(startedAt, newsSeconds));
}
