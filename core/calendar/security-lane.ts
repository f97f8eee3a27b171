/** Owns the security lane: windows between those of the cadence, so that no server goes without one for too many days. */
import { type Instant, millisOf } from '../instant.ts';
import { dayNumber, dayText, minuteMillis } from './civil-day.ts';
import type { DependencyOrder } from './dependencies.ts';
import {
  earliest,
  isOpenBeyond,
  type LanePlace,
  type LaneSurroundings,
  latest,
  type Since,
  sinceSlot,
} from './lane-gap.ts';
import { localOf } from './local-time.ts';
import type { Place, Planning } from './places.ts';
import { inLine, meantFor } from './policy-placement.ts';
import type { ServerToPlan } from './server-to-plan.ts';
import type { Slot } from './slots.ts';

/** The last window of servers, by their name in lower case. */
export type LastWindows = ReadonlyMap<string, { readonly localStart: string; readonly end: Instant }>;

interface Surroundings extends LaneSurroundings {
  /** Before the quarter, as far as anybody knows. */
  readonly before: LastWindows | undefined;
}

/** A window that was to be found and was not, or only later. */
interface Breach {
  readonly since: Since;
  readonly why: string | undefined;
  readonly next: Slot | undefined;
}

/**
 * After all other windows, which count: each server gets as few more as leave no more days between two of them than
 * its policy says, each as late as that allows. What has no room is a conflict, and the next that is open is taken.
 */
export function placeSecurityLane(plannings: readonly Planning[], around: Surroundings): void {
  const places = new Map<Place, LanePlace>();
  const placeOf = new Map<ServerToPlan, LanePlace>();
  for (const { server, place } of plannings) {
    const within = place.policy.securityWithinDays;
    if (within === undefined) continue;
    const known = places.get(place) ?? lanePlace(place, within);
    places.set(place, known);
    placeOf.set(server, known);
  }
  if (places.size === 0) return;
  const followed = followersOf(around.order);
  for (const level of around.order.levels) {
    const byPlace = new Map<LanePlace, ServerToPlan[]>();
    for (const server of level) {
      const lane = placeOf.get(server);
      if (lane === undefined) continue;
      const servers = byPlace.get(lane);
      if (servers) servers.push(server);
      else byPlace.set(lane, [server]);
    }
    for (const [lane, servers] of byPlace) placeInTurn(lane, inLine(servers), followed, around);
  }
}

function lanePlace(place: Place, within: number): LanePlace {
  const leadMillis = place.policy.leadTimeHours * 60 * minuteMillis;
  return {
    place,
    within,
    leadMillis,
    lastDay: dayNumber(place.quarter.lastDay),
    today: localOf(place.clock, place.now + leadMillis).day,
    slots: place.security(),
    reasons: new Map(),
  };
}

function placeInTurn(
  lane: LanePlace,
  line: readonly ServerToPlan[],
  followed: ReadonlyMap<ServerToPlan, number>,
  around: Surroundings,
): void {
  const { place, within, slots } = lane;
  const { ledger, before } = around;
  const start = dayNumber(place.quarter.firstDay) - 1;
  const servers = line.map((server) => {
    const last = before?.get(server.name.toLowerCase());
    const since: Since = last
      ? { day: dayNumber(last.localStart.slice(0, 10)), endMillis: millisOf(last.end), known: true }
      : { day: start, endMillis: Number.NEGATIVE_INFINITY, known: false };
    const fixed = [...ledger.windowsOf(server), ...ledger.securityOf(server)].sort(
      (a, b) => a.startMillis - b.startMillis,
    );
    return { server, since, fixed };
  });
  // Who has no window yet would all be in the last window of the first days: they are spread as the cadence does it.
  const first = slots.filter(({ day }) => day <= start + within && day <= lane.lastDay);
  const isNew = ({ since, fixed: [next] }: (typeof servers)[number]) =>
    !since.known && (next === undefined || next.day > since.day + within);
  const most = meantFor(place.policy, servers.filter(isNew).length, Math.max(1, first.length));
  let rank = 0;
  for (const one of servers) {
    const back = isNew(one) ? Math.floor(rank++ / most) + (followed.get(one.server) ?? 0) : 0;
    const meant = isNew(one) ? first[Math.max(0, first.length - 1 - back)] : undefined;
    placeServer(lane, one.server, one.since, one.fixed, meant, around);
  }
}

/** How many windows a server leaves to those that come after it, one by one. */
function followersOf({ levels, links }: DependencyOrder): ReadonlyMap<ServerToPlan, number> {
  const counts = new Map<ServerToPlan, number>();
  for (const server of levels.slice(0, -1).toReversed().flat()) {
    const after = links.after(server);
    if (after.length > 0) counts.set(server, 1 + Math.max(...after.map((other) => counts.get(other) ?? 0)));
  }
  return counts;
}

function placeServer(
  lane: LanePlace,
  server: ServerToPlan,
  start: Since,
  fixed: readonly Slot[],
  meant: Slot | undefined,
  around: Surroundings,
): void {
  const { place, within, lastDay, today } = lane;
  const { ledger } = around;
  const breaches: Breach[] = [];
  let since = start;
  for (const next of [...fixed, undefined]) {
    // What is past needs no window any more.
    const isOver = next !== undefined && next.startMillis <= place.now;
    while (!isOver) {
      const due = since.day + within;
      if (next ? next.day <= due : due > lastDay && isOpenBeyond(lane, since, due)) break;
      const found = latest(lane, server, { since, next, due, meant }, around);
      if (found.slot) {
        ledger.add(server, found.slot, place.clock.zone, reasonOf(lane, since, found.slot, found.cause));
        since = sinceSlot(found.slot);
        continue;
      }
      // Whether the next quarter has room before it is due, its own plan will say.
      if (next === undefined && due > lastDay) break;
      const late = earliest(lane, server, { since, next, due, isFree: true }, around);
      const then = late ?? next;
      // Nobody knows of a window and nothing can be done about the days that are past: the next ones count.
      const isFirst = !since.known && due < today && then !== undefined && then.day <= today + within;
      if (!isFirst) breaches.push({ since, why: found.cause, next: then });
      if (late === undefined) break;
      const words = isFirst
        ? `security lane: no window is known of the ${within} days before`
        : `security lane: more than ${within} days since ${dayText(since.day)}`;
      ledger.add(server, late, place.clock.zone, `${words}: ${late.words}${late.notes}`);
      since = sinceSlot(late);
    }
    if (next) since = sinceSlot(next);
  }
  if (breaches[0]) ledger.refuse(server, 'no-room', breachWords(lane, breaches[0], breaches.length));
}

function reasonOf(
  { within, reasons }: LanePlace,
  since: Since,
  slot: Slot,
  cause: string | undefined,
): string {
  const ofSlot = reasons.get(slot) ?? new Map<number, string>();
  if (ofSlot.size === 0) reasons.set(slot, ofSlot);
  let reason = ofSlot.get(since.day);
  if (reason === undefined) {
    reason = `security lane: at most ${within} days since ${dayText(since.day)}: ${slot.words}${slot.notes}`;
    ofSlot.set(since.day, reason);
  }
  return cause === undefined ? reason : `${reason}; not later, as ${cause}`;
}

function breachWords({ within, place }: LanePlace, { since, why, next }: Breach, count: number): string {
  const cause =
    why ?? `the lead time of ${place.policy.leadTimeHours} h leaves none between its other windows`;
  const then = next ? `the next is on ${next.words}` : 'nor later in the quarter';
  const more = count > 1 ? ` (and ${count - 1} more times)` : '';
  return `security lane: no allowed window is left within ${within} days of ${dayText(since.day)}, ${then}${more}: ${cause}`;
}
