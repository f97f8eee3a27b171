/** Owns how the days between two windows of a server are bridged: which of the allowed windows it can have, and why not. */
import type { DependencyOrder } from './dependencies.ts';
import type { Ledger } from './ledger.ts';
import type { Place } from './places.ts';
import type { ServerToPlan } from './server-to-plan.ts';
import type { Problem } from './set-dates.ts';
import { clashProblem, fullProblem } from './set-schedules.ts';
import { overlaps, type Slot } from './slots.ts';

export interface LaneSurroundings {
  readonly order: DependencyOrder;
  readonly ledger: Ledger;
}

/** From where the days count: a window, or where none is known the day before the quarter. */
export interface Since {
  readonly day: number;
  readonly endMillis: number;
  readonly known: boolean;
}

/** A place with what its policy says of the lane. */
export interface LanePlace {
  readonly place: Place;
  readonly within: number;
  readonly leadMillis: number;
  /** Number of the last day of the quarter. */
  readonly lastDay: number;
  /** Local day on which a window may begin at the earliest. */
  readonly today: number;
  readonly slots: readonly Slot[];
  /** Servers share windows and days, and with them their reasons. */
  readonly reasons: Map<Slot, Map<number, string>>;
}

export interface Gap {
  readonly since: Since;
  /** The window that is there already, where the gap ends. */
  readonly next: Slot | undefined;
  /** Number of the last day that is still in time. */
  readonly due: number;
  /** Where the server is meant to begin. */
  readonly meant?: Slot | undefined;
  /** Also after the windows of servers that depend on it. */
  readonly isFree?: boolean;
}

/** The last window in time that the server can have; what was in the way of later ones, in words. */
export function latest(lane: LanePlace, server: ServerToPlan, gap: Gap, around: LaneSurroundings): Found {
  const found = search(lane, server, gap, around);
  // Servers that depend on this one and were set too early are theirs to mend: this one is patched all the same.
  if (found.slot || around.order.links.after(server).length === 0) return found;
  return search(lane, server, { ...gap, isFree: true }, around);
}

interface Found {
  readonly slot?: Slot;
  readonly cause: string | undefined;
}

function search(lane: LanePlace, server: ServerToPlan, gap: Gap, around: LaneSurroundings): Found {
  const { slots, lastDay } = lane;
  const from = firstAfter(slots, gap.since.day);
  const end = firstAfter(slots, Math.min(gap.due, lastDay));
  const meantAt = gap.meant && !gap.since.known ? slots.indexOf(gap.meant) : -1;
  // From where it is meant to be to the last that is in time, and then back to the first.
  const ahead = meantAt < 0 ? 0 : Math.max(0, end - meantAt);
  const start = meantAt < 0 ? end : meantAt;
  let cause: string | undefined;
  for (let step = 0; step < ahead + start - from; step++) {
    const slot = slots[step < ahead ? start + step : start - 1 - (step - ahead)] as Slot;
    if (!isApart(lane, slot, gap)) continue;
    const why = slot.closed
      ? `on ${slot.words} ${slot.closed.words}`
      : whyNot(lane, server, slot, gap, around)?.message;
    if (why === undefined) return { slot, cause };
    cause ??= why;
  }
  return { cause };
}

/** The first window after the last day that was in time. */
export function earliest(
  lane: LanePlace,
  server: ServerToPlan,
  gap: Gap,
  around: LaneSurroundings,
): Slot | undefined {
  const { slots, lastDay } = lane;
  for (let index = firstAfter(slots, gap.due); index < slots.length; index++) {
    const slot = slots[index] as Slot;
    if (slot.day > lastDay || (gap.next && slot.startMillis >= gap.next.startMillis)) return undefined;
    if (slot.closed || !isApart(lane, slot, gap) || whyNot(lane, server, slot, gap, around)) continue;
    return slot;
  }
  return undefined;
}

/**
 * What is prepared while the window before is open reads what that one is about to change, and would be refused as
 * drifted: a campaign of the lane begins when the one before has ended, and ends before the next begins.
 */
function isApart({ leadMillis }: LanePlace, slot: Slot, { since, next }: Gap): boolean {
  return (
    since.endMillis + leadMillis <= slot.startMillis &&
    (next === undefined || slot.endMillis + leadMillis <= next.startMillis)
  );
}

/** Whether what is due in the next quarter can wait for it. */
export function isOpenBeyond(lane: LanePlace, since: Since, due: number): boolean {
  const { slots, lastDay } = lane;
  for (let index = firstAfter(slots, lastDay); index < slots.length; index++) {
    const slot = slots[index] as Slot;
    if (slot.day > due) return false;
    if (slot.closed === undefined && since.endMillis + lane.leadMillis <= slot.startMillis) return true;
  }
  return false;
}

function whyNot(
  { place: { policy } }: LanePlace,
  server: ServerToPlan,
  slot: Slot,
  { since, due, isFree }: Gap,
  { ledger, order }: LaneSurroundings,
): Problem | undefined {
  const { serversPerWindow: most } = policy;
  if (most !== undefined && ledger.countOf(slot) >= most) {
    return fullProblem(slot, most);
  }
  const clash = clashProblem(server, slot, ledger);
  if (clash) return clash;
  const { links } = order;
  for (const other of links.before(server)) {
    const theirs = [...ledger.windowsOf(other), ...ledger.securityOf(other)];
    // Of what it depends on, the first window of the same days comes before its own.
    const ahead = theirs
      .filter(({ day, startMillis }) => startMillis > since.endMillis && day <= due)
      .reduce<Slot | undefined>((a, b) => (a && a.startMillis < b.startMillis ? a : b), undefined);
    const hit =
      theirs.find((window) => overlaps(window, slot)) ??
      (ahead && ahead.endMillis > slot.startMillis ? ahead : undefined);
    if (hit)
      return broken(
        slot,
        `before the end of the window of ${other.name}, on which it depends (${hit.words})`,
      );
  }
  for (const other of links.after(server)) {
    const theirs = [...ledger.windowsOf(other), ...ledger.securityOf(other)];
    const isBehind = ({ startMillis, day }: Slot) =>
      !isFree && startMillis > since.endMillis && day <= due && slot.endMillis > startMillis;
    const hit = theirs.find((window) => overlaps(window, slot) || isBehind(window));
    if (hit)
      return broken(slot, `not before the window of ${other.name}, which depends on it (${hit.words})`);
  }
  return undefined;
}

function broken({ words }: Slot, what: string): Problem {
  return { code: 'dependency-broken', message: `${words} is ${what}` };
}

/** Index of the first window after a day. */
function firstAfter(slots: readonly Slot[], day: number): number {
  let [low, high] = [0, slots.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((slots[middle] as Slot).day <= day) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function sinceSlot({ day, endMillis }: Slot): Since {
  return { day, endMillis, known: true };
}
