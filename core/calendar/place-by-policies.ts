/** Owns placing all servers whose policy decides, in the order in which environments and servers depend on each other. */
import type { CalendarPolicy } from './calendar-policy.ts';
import { dayNumber, dayWords } from './civil-day.ts';
import { type DependencyOrder, whyTooEarly, whyTooLate } from './dependencies.ts';
import type { Ledger } from './ledger.ts';
import type { Place, Planning } from './places.ts';
import { inLine, type Placement, placeBefore, placeInPeriod, type WhyNot } from './policy-placement.ts';
import type { ServerToPlan } from './server-to-plan.ts';
import { clashProblem, fullProblem } from './set-schedules.ts';
import { overlaps, type Period, periodKey, type Slot } from './slots.ts';

interface Surroundings {
  readonly order: DependencyOrder;
  readonly ledger: Ledger;
  readonly placeOf: (policy: CalendarPolicy, zone: string) => Place;
  readonly policies: ReadonlyMap<string, CalendarPolicy>;
  /** All servers that are planned, by whatever rule. */
  readonly planned: readonly Planning[];
}

export function placeByPolicies(plannings: readonly Planning[], around: Surroundings): void {
  const { order, ledger } = around;
  const depths = new Map(
    order.levels.flatMap((level, depth) => level.map((server) => [server, depth] as const)),
  );
  const whyNot: WhyNot = (server, slot, atMost, bound) => {
    if (atMost < Number.POSITIVE_INFINITY && ledger.countOf(slot) >= atMost) {
      return fullProblem(slot, atMost);
    }
    const index = ledger.windowsOf(server).length;
    const own = ledger.securityOf(server).find((other) => overlaps(other, slot));
    if (own) return { code: 'no-room', message: `it has a window of the security lane then (${own.words})` };
    return (
      clashProblem(server, slot, ledger) ??
      whyTooEarly(server, slot, index, order.links, ledger) ??
      (bound === 'free' ? undefined : whyTooLate(server, slot, index, order.links, ledger))
    );
  };
  const first = plannings.filter(({ place }) => place.policy.daysBefore === undefined);
  for (let depth = 0; depth < order.levels.length; depth++) {
    const level = first.filter(({ server }) => depths.get(server) === depth);
    for (const [place, servers] of byPlace(level)) placeInTurn(place, servers, ledger, whyNot);
  }
  const followers = plannings.filter(({ place }) => place.policy.daysBefore !== undefined);
  if (followers.length === 0) return;
  const anchors = anchorsOf(around);
  for (let depth = 0; depth < order.levels.length; depth++) {
    const level = followers.filter(({ server }) => depths.get(server) === depth);
    for (const [place, servers] of byPlace(level)) {
      placeBeforeOthers(place, servers, anchors, around, whyNot);
    }
  }
}

function placeInTurn(place: Place, servers: readonly ServerToPlan[], ledger: Ledger, whyNot: WhyNot): void {
  const { policy, quarter } = place;
  if (policy.cadence === 'ad-hoc') return;
  const placement: Placement = { policy, zone: place.clock.zone, ledger, whyNot };
  const line = inLine(servers);
  const barren: { readonly words: string; readonly why: string }[] = [];
  // What was kept of an earlier plan is all that these servers can have yet.
  const begun = new Map(
    line.flatMap((server) => {
      const kept = ledger.windowsOf(server);
      return kept.length > 0
        ? [[server, kept.map(({ day }) => periodKey(policy.cadence, day))] as const]
        : [];
    }),
  );
  for (const period of place.periods()) {
    const open = period.slots.some(({ closed }) => closed === undefined);
    const closed = open ? undefined : whyAllClosed(period);
    const waiting = line.filter((server) => !begun.get(server)?.includes(period.key));
    if (closed !== undefined) {
      barren.push({ words: period.words, why: closed });
      // Freezes and holidays are meant to take windows away, the clocks are not.
      const byClocks = period.slots.some((slot) => slot.closed?.by === 'clocks');
      const message = `${policy.name} is patched ${policy.cadence}, and no allowed window is left in ${period.words}: ${closed}`;
      for (const server of byClocks ? waiting : []) ledger.refuse(server, 'window-too-short', message);
      continue;
    }
    for (const { server, problem } of placeInPeriod(waiting, period, placement)) {
      const message = `${policy.name} is patched ${policy.cadence}, and in ${period.words} no allowed window is left: ${problem?.message ?? 'all are closed'}`;
      ledger.refuse(server, problem?.code ?? 'no-room', message);
    }
  }
  for (const server of line) {
    if (ledger.windowsOf(server).length > 0 || ledger.isRefused(server)) continue;
    const why = barren.length > 0 ? inARow(barren) : 'the policy allows no day in it';
    ledger.refuse(server, 'no-room', `no allowed window is left in ${quarter.id}: ${why}`);
  }
}

/** A week within a freeze is meant to have no window; that is told only when a server gets none in the whole quarter. */
function whyAllClosed({ slots }: Period): string {
  const reasons = [...new Set(slots.map(whyClosed))];
  return reasons.slice(0, 3).join(', ');
}

/** Weeks that follow each other and are closed for one reason are told as one. */
function inARow(barren: readonly { readonly words: string; readonly why: string }[]): string {
  const runs: { first: string; last: string; why: string }[] = [];
  for (const { words, why } of barren) {
    const run = runs.at(-1);
    if (run?.why === why) run.last = words;
    else runs.push({ first: words, last: words, why });
  }
  return runs
    .map(({ first, last, why }) => `${first}${first === last ? '' : ` to ${last}`}: ${why}`)
    .join('; ');
}

function whyClosed({ closed, words, notes }: Slot): string {
  if (closed?.by === 'clocks') return `on ${words} ${closed.words}${notes}`;
  return closed?.words ?? '';
}

/** First window of each host group, environment and period. */
type Anchors = ReadonlyMap<string, ReadonlyMap<number, Slot>>;

function anchorKey(environment: string, hostGroup: string): string {
  return `${environment} ${hostGroup.toLowerCase()}`;
}

function anchorsOf({ planned, ledger, policies }: Surroundings): Anchors {
  const followed = new Set([...policies.values()].map(({ daysBefore }) => daysBefore?.environment));
  const anchors = new Map<string, Map<number, Slot>>();
  for (const { server, place } of planned) {
    const { name, cadence } = place.policy;
    if (server.hostGroup === undefined || !followed.has(name)) continue;
    const key = anchorKey(name, server.hostGroup);
    for (const slot of ledger.windowsOf(server)) {
      const own = anchors.get(key) ?? new Map<number, Slot>();
      anchors.set(key, own);
      const period = periodKey(cadence, slot.day);
      const known = own.get(period);
      if (known === undefined || slot.startMillis < known.startMillis) own.set(period, slot);
    }
  }
  return anchors;
}

/** Servers that come some days before those of another environment: of their host group, or else of the zone. */
function placeBeforeOthers(
  place: Place,
  servers: readonly ServerToPlan[],
  anchors: Anchors,
  { ledger, policies, placeOf }: Surroundings,
  whyNot: WhyNot,
): void {
  const { policy, quarter, clock } = place;
  const { environment, days } = policy.daysBefore as NonNullable<CalendarPolicy['daysBefore']>;
  const placement: Placement = { policy, zone: clock.zone, ledger, whyNot };
  const slots = place
    .periods()
    .flatMap((period) => period.slots)
    .toReversed();
  const followed = placeOf(policies.get(environment) as CalendarPolicy, clock.zone).periods();
  const firstOpen = followed.flatMap(({ preferred, slots: all }) => {
    const slot = [...preferred, ...all].find(({ closed }) => closed === undefined);
    return slot ? [slot] : [];
  });
  for (const server of inLine(servers)) {
    const { hostGroup } = server;
    const group = hostGroup === undefined ? undefined : anchors.get(anchorKey(environment, hostGroup));
    const whose = group ? `${environment} of host group ${hostGroup}` : `the first window of ${environment}`;
    const ahead = group ? [...group.values()].sort((a, b) => a.startMillis - b.startMillis) : firstOpen;
    let earliest = dayNumber(quarter.firstDay);
    for (const anchor of ahead) {
      const target = anchor.day - days;
      const reason = `${days} days before ${whose} (${dayWords(anchor.day)})`;
      const taken = ledger.windowsOf(server).some(({ day }) => day >= earliest && day <= target);
      const problem = taken ? undefined : placeBefore(server, slots, { target, earliest, reason }, placement);
      if (problem) ledger.refuse(server, problem.code, problem.message);
      earliest = Math.max(earliest, target + 1);
    }
  }
}

function byPlace(plannings: readonly Planning[]): Map<Place, ServerToPlan[]> {
  const groups = new Map<Place, ServerToPlan[]>();
  for (const { place, server } of plannings) {
    const servers = groups.get(place);
    if (servers) servers.push(server);
    else groups.set(place, [server]);
  }
  return groups;
}
