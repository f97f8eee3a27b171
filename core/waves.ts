/** Owns who is patched when: waves of a campaign, batches of a wave. */
import type { Policy } from './policy.ts';
import { type Family, type Place, placeKey } from './server.ts';

/** SendCommand takes at most 50 instance ids. */
export const batchLimit = 50;

export interface Member {
  readonly id: string;
  readonly place: Place;
  readonly family: Family;
  readonly metal?: true | undefined;
}

export interface BatchPlan {
  readonly place: Place;
  readonly family: Family;
  readonly metal?: true | undefined;
  readonly serverIds: readonly string[];
}

/**
 * Splits servers into waves: the canaries, then the rest by the policy's percentages. Canaries are taken from
 * different families, accounts and Regions in turn, since a canary says little about another family. The order of
 * the input does not matter: ids decide, so that planning twice gives the same waves.
 */
export function planWaves<M extends Member>(members: readonly M[], policy: Policy['waves']): M[][] {
  const queue = takeTurns(groupBy(sortById(members), kindOf));
  const canaries = queue.slice(0, policy.canary);
  const rest = queue.slice(policy.canary);
  const waves = [canaries];
  let done = 0;
  for (const percentage of policy.percentages) {
    // Rounded up, so that the first share of a small fleet is not an empty wave.
    const until = Math.ceil((rest.length * percentage) / 100);
    waves.push(rest.slice(done, until));
    done = until;
  }
  return waves.filter((wave) => wave.length > 0);
}

/** Splits one wave into batches of one family, account, Region and kind of machine, at most 50 servers each. */
export function planBatches(members: readonly Member[]): BatchPlan[] {
  return [...groupBy(sortById(members), kindOf).values()].flatMap((group) => {
    const [{ place, family, metal }] = group as [Member];
    const batches: BatchPlan[] = [];
    for (let i = 0; i < group.length; i += batchLimit) {
      batches.push({
        place,
        family,
        ...(metal && { metal }),
        serverIds: group.slice(i, i + batchLimit).map(({ id }) => id),
      });
    }
    return batches;
  });
}

const kindOf = ({ family, place, metal }: Member) => `${family}/${placeKey(place)}${metal ? '/metal' : ''}`;

function sortById<M extends Member>(members: readonly M[]): M[] {
  return members.toSorted((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}

function groupBy<M>(members: readonly M[], key: (member: M) => string): Map<string, M[]> {
  const groups = new Map<string, M[]>();
  for (const member of members) {
    const group = groups.get(key(member));
    if (group) group.push(member);
    else groups.set(key(member), [member]);
  }
  return new Map([...groups].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** One from each group, then the second of each, until all are out. */
function takeTurns<M>(groups: Map<string, M[]>): M[] {
  const all = [...groups.values()];
  const longest = Math.max(0, ...all.map((group) => group.length));
  const queue: M[] = [];
  for (let i = 0; i < longest; i++) {
    for (const group of all) {
      const member = group[i];
      if (member !== undefined) queue.push(member);
    }
  }
  return queue;
}
