/** Owns where the policy puts servers: windows are filled in order, and who can not stay moves to the next. */
import type { CalendarPolicy } from './calendar-policy.ts';
import { compare, type Ledger } from './ledger.ts';
import type { ServerToPlan } from './server-to-plan.ts';
import type { Problem } from './set-dates.ts';
import type { Period, Slot } from './slots.ts';

/** Why one more server has no place in a window, or undefined when it has. */
export type WhyNot = (
  server: ServerToPlan,
  slot: Slot,
  atMost: number,
  bound: 'before-dependents' | 'free',
) => Problem | undefined;

/** Servers of a window when a policy names no number: what a team can look after in one night. */
const comfortable = 500;

/** How many servers a window is meant for. In whole steps, so that one server more does not change all windows. */
export function meantFor(policy: CalendarPolicy, servers: number, windows: number): number {
  return policy.serversPerWindow ?? comfortable * Math.ceil(servers / (comfortable * windows));
}

/**
 * Places each server once in a period. Its place in line comes from its name alone, and with that the window that it
 * is meant for, whatever is frozen or past. So a new freeze moves the servers of that window and no others, and one
 * server more moves at most one for each window.
 *
 * @returns those that fit nowhere, with the last reason
 */
export function placeInPeriod(
  servers: readonly ServerToPlan[],
  period: Period,
  { policy, zone, ledger, whyNot }: Placement,
): { readonly server: ServerToPlan; readonly problem: Problem | undefined }[] {
  const most = meantFor(policy, servers.length, period.preferred.length);
  const limit = policy.serversPerWindow ?? Number.POSITIVE_INFINITY;
  const rest = period.slots.filter((slot) => !period.preferred.includes(slot));
  const line = [...period.preferred, ...rest];
  const reasons = new Map(line.map((slot) => [slot, `${ruleOf(policy)}: ${slot.words}${slot.notes}`]));
  const moved: { server: ServerToPlan; meant: Slot; cause: string }[] = [];
  for (const [rank, server] of servers.entries()) {
    const meant = line[Math.min(Math.floor(rank / most), line.length - 1)] as Slot;
    const problem = meant.closed ?? whyNot(server, meant, limit, 'before-dependents');
    if (problem === undefined) ledger.add(server, meant, zone, reasons.get(meant) as string);
    else moved.push({ server, meant, cause: 'words' in problem ? problem.words : problem.message });
  }
  const open = period.slots.filter(({ closed }) => closed === undefined);
  return moved.flatMap(({ server, meant, cause }) => {
    const later = open.filter(({ startMillis }) => startMillis > meant.startMillis);
    const earlier = open.filter(({ startMillis }) => startMillis < meant.startMillis);
    let problem: Problem | undefined;
    // Servers that depend on this one and were set too early are theirs to mend: this one is patched all the same.
    for (const bound of ['before-dependents', 'free'] as const) {
      const slots =
        bound === 'free' && meant.closed === undefined
          ? [meant, ...later, ...earlier]
          : [...later, ...earlier];
      for (const slot of slots) {
        const found = whyNot(server, slot, limit, bound);
        if (found === undefined) {
          const from = slot === meant ? '' : `; moved from ${meant.words}: ${cause}`;
          ledger.add(server, slot, zone, `${reasons.get(slot)}${from}`);
          return [];
        }
        problem = found;
      }
    }
    return [{ server, problem }];
  });
}

export interface Placement {
  readonly policy: CalendarPolicy;
  readonly zone: string;
  readonly ledger: Ledger;
  readonly whyNot: WhyNot;
}

/**
 * Takes the latest open window on or before a day.
 *
 * @param slots the latest first
 * @param earliest day that still counts
 */
export function placeBefore(
  server: ServerToPlan,
  slots: readonly Slot[],
  {
    target,
    earliest,
    reason,
  }: { readonly target: number; readonly earliest: number; readonly reason: string },
  { policy, zone, ledger, whyNot }: Placement,
): Problem | undefined {
  let problem: Problem | undefined;
  let cause = '';
  for (const slot of slots) {
    if (slot.day > target || slot.day < earliest) continue;
    const found =
      slot.closed ?? whyNot(server, slot, policy.serversPerWindow ?? Number.POSITIVE_INFINITY, 'free');
    if (found === undefined) {
      const notes = cause === '' ? '' : `; earlier, as ${cause}`;
      ledger.add(server, slot, zone, `${reason}: ${slot.words}${slot.notes}${notes}`);
      return undefined;
    }
    const words = 'words' in found ? found.words : found.message;
    cause ||= `on ${slot.words} ${words}`;
    problem = 'code' in found ? found : { code: 'no-room', message: words };
  }
  const why = problem ? `: on the last that was tried ${problem.message}` : '';
  return { code: problem?.code ?? 'no-room', message: `${reason}: no allowed window is left by then${why}` };
}

/** The order in which servers stand in line: by a hash of the name, so that neighbours in a list part. */
export function inLine(servers: readonly ServerToPlan[]): ServerToPlan[] {
  return servers
    .map((server) => ({ server, key: hashOf(server.name.toLowerCase()) }))
    .sort((a, b) => a.key - b.key || compare(a.server.name, b.server.name))
    .map(({ server }) => server);
}

/** FNV-1a, 32 bits, with a last stir, since names that differ in their last digit alone would stay together. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}

function ruleOf({ name, cadence }: CalendarPolicy): string {
  return `${name} is patched ${cadence}`;
}
