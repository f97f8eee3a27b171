/** Owns the plan of a quarter: which server is patched when, and why; the same input gives the same plan. */
import { type Instant, millisOf } from '../instant.ts';
import { defaultQuarters, type Quarter, type QuarterCalendar } from '../quarter.ts';
import type { CalendarPolicy } from './calendar-policy.ts';
import { dayNumber } from './civil-day.ts';
import { type DependencyOrder, dependencyOrder, whyTooEarly } from './dependencies.ts';
import { haGroupsOf } from './ha-groups.ts';
import { compare, createLedger, type Ledger } from './ledger.ts';
import { localOf } from './local-time.ts';
import { placeByPolicies } from './place-by-policies.ts';
import { createPlaces, type Followers, type Planning } from './places.ts';
import type { KeptWindow, QuarterPlan } from './quarter-plan.ts';
import { type RuleOfServer, rulesOf, ruleWords } from './schedule.ts';
import { type LastWindows, placeSecurityLane } from './security-lane.ts';
import type { ServerToPlan } from './server-to-plan.ts';
import type { Problem } from './set-dates.ts';
import { placeCron, placeDate, type SetSurroundings } from './set-schedules.ts';
import { campaignId, type Slot } from './slots.ts';
import type { Freeze, Holiday } from './team-calendar.ts';

export interface PlanInput {
  readonly quarter: Quarter;
  /** That the quarter is of. */
  readonly quarters?: QuarterCalendar;
  readonly servers: readonly ServerToPlan[];
  /** By environment. */
  readonly policies: ReadonlyMap<string, CalendarPolicy>;
  readonly schedules?: readonly RuleOfServer[];
  readonly freezes?: readonly Freeze[];
  readonly holidays?: readonly Holiday[];
  /** Names of servers by HA group, besides those that servers name themselves. */
  readonly haGroups?: Readonly<Record<string, readonly string[]>>;
  /** Windows of an earlier plan that stay as they are: those whose campaign has been started. */
  readonly kept?: readonly KeptWindow[];
  /** When servers are patched last before the quarter: from there the days of the security lane count. */
  readonly before?: LastWindows | undefined;
  readonly now: Instant;
}

export function planQuarter(input: PlanInput): QuarterPlan {
  const { quarter, quarters = defaultQuarters, policies } = input;
  const groups = haGroupsOf(input.servers, input.haGroups ?? {});
  const ledger = createLedger(groups.of);
  const placeOf = createPlaces(input, followersOf(input));
  const byName = refuseDoubles(input.servers, ledger);
  for (const { name, message } of groups.unknown)
    ledger.conflicts.push({ server: name, code: 'unknown-server', message });

  const stored = groupByServer(input.schedules ?? []);
  const planned: Planning[] = [];
  for (const server of byName.values()) {
    if (!server.active) continue;
    const policy = policyOf(policies, server.environment);
    if (policy === undefined) {
      const names = [...policies.keys()].join(', ');
      const message = `no policy holds for environment ${JSON.stringify(server.environment)}: add one, or use one of ${names}`;
      ledger.refuse(server, 'no-policy', message);
      continue;
    }
    const place = placeOf(policy, server.zone);
    if (localOf(place.clock, place.now).day > dayNumber(quarter.lastDay)) continue;
    const [rule, second] = rulesOf(server, stored.get(server.name.toLowerCase()) ?? []);
    if (rule && second) {
      const message = `has a schedule already, ${ruleWords(rule)}: remove it, or the second, ${ruleWords(second)}`;
      ledger.refuse(server, 'second-schedule', message);
      continue;
    }
    planned.push({ server, place, rule: rule ?? { kind: 'policy' } });
  }
  planned.sort((a, b) => compare(a.server.name, b.server.name));

  const order = dependencyOrder(
    planned.map(({ server }) => server),
    byName,
  );
  for (const { server, message } of order.broken) ledger.refuse(server, 'dependency-broken', message);
  const open = planned.filter(({ server }) => !ledger.isRefused(server));
  keep(input.kept ?? [], open, quarter.id, ledger);
  const byPolicy = open.filter((planning) => !placeSet(planning, { quarters, links: order.links, ledger }));
  placeByPolicies(byPolicy, { order, ledger, placeOf, policies, planned: open });
  checkDependencies(order, ledger);
  // Who says no to their quarter is not patched by another way.
  const denied = new Set(
    ledger.conflicts.filter(({ code }) => code === 'not-approved').map(({ server }) => server),
  );
  const willing = open.filter(({ server }) => !denied.has(server.name));
  placeSecurityLane(willing, { order, ledger, before: input.before });

  const { windows, campaigns } = ledger.all(open.map(({ server }) => server));
  const conflicts = ledger.conflicts.toSorted(
    (a, b) => compare(a.server, b.server) || compare(a.code, b.code) || compare(a.message, b.message),
  );
  return { quarter, windows, campaigns, conflicts };
}

/** The policy of an environment, in any case and by the usual short forms. */
export function policyOf(
  policies: ReadonlyMap<string, CalendarPolicy>,
  environment: string,
): CalendarPolicy | undefined {
  const name = environment.trim().toLowerCase();
  const short: Readonly<Record<string, string>> = {
    prod: 'production',
    prd: 'production',
    dev: 'development',
  };
  return policies.get(name) ?? policies.get(short[name] ?? name);
}

/** First those that people set: what a policy places goes round them. @returns false when the policy decides */
function placeSet(planning: Planning, around: SetSurroundings): boolean {
  switch (planning.rule.kind) {
    case 'cron':
      placeCron(planning, planning.rule.expression, around);
      return true;
    case 'dates':
      return placeDate(planning, planning.rule.dates, around);
    case 'policy':
      // A row may have been turned down before anybody wrote a date.
      return placeDate(planning, planning.server.explicit ?? {}, around);
  }
}

function followersOf({ servers, policies, kept = [] }: PlanInput): Followers {
  const begun = new Map<string, number>();
  for (const { server, localStart, lane } of kept) {
    if (lane) continue;
    const [name, day] = [server.toLowerCase(), dayNumber(localStart.slice(0, 10))];
    begun.set(name, Math.min(day, begun.get(name) ?? day));
  }
  const followers = new Map<string, number | 'not-yet'>();
  for (const server of servers) {
    const policy = server.active ? policyOf(policies, server.environment) : undefined;
    if (policy?.daysBefore === undefined) continue;
    const day = begun.size > 0 ? begun.get(server.name.toLowerCase()) : undefined;
    const known = followers.get(policy.name) ?? 'not-yet';
    if (day === undefined) followers.set(policy.name, known);
    else followers.set(policy.name, known === 'not-yet' ? day : Math.min(day, known));
  }
  return followers;
}

function refuseDoubles(servers: readonly ServerToPlan[], ledger: Ledger): Map<string, ServerToPlan> {
  const byName = new Map<string, ServerToPlan>();
  const doubled = new Set<string>();
  for (const server of servers) {
    const name = server.name.toLowerCase();
    if (!byName.has(name)) byName.set(name, server);
    else if (!doubled.has(name)) {
      doubled.add(name);
      ledger.refuse(
        server,
        'duplicate-server',
        'is listed more than once: which line holds is not known, keep one',
      );
    }
  }
  for (const name of doubled) byName.set(name, { ...(byName.get(name) as ServerToPlan), active: false });
  return byName;
}

function groupByServer(schedules: readonly RuleOfServer[]): Map<string, RuleOfServer[]> {
  const groups = new Map<string, RuleOfServer[]>();
  for (const schedule of schedules) {
    const name = schedule.server.toLowerCase();
    groups.set(name, [...(groups.get(name) ?? []), schedule]);
  }
  return groups;
}

function keep(
  kept: readonly KeptWindow[],
  planned: readonly Planning[],
  quarter: string,
  ledger: Ledger,
): void {
  if (kept.length === 0) return;
  const byName = new Map(planned.map((planning) => [planning.server.name.toLowerCase(), planning]));
  for (const window of kept) {
    const planning = byName.get(window.server.toLowerCase());
    if (planning === undefined) continue;
    const { start, end, localStart, campaign, zone, reason, lane } = window;
    const policy = planning.place.policy.name;
    const slot: Slot = {
      startMillis: millisOf(start),
      endMillis: millisOf(end),
      start,
      end,
      localStart,
      day: dayNumber(localStart.slice(0, 10)),
      campaign,
      seats: campaignId([policy, quarter, start, end, zone]),
      policy,
      ...(lane && { lane }),
      words: `${localStart.slice(0, 16).replace('T', ' ')} in ${zone}`,
      notes: '',
    };
    ledger.add(planning.server, slot, zone, reason);
  }
}

/** What people set was placed before what it depends on; and who depends on a server without windows has none. */
function checkDependencies({ levels, links }: DependencyOrder, ledger: Ledger): void {
  for (const server of levels.slice(1).flat()) {
    const windows = ledger.windowsOf(server);
    if (windows.length === 0) continue;
    const failed = links
      .before(server)
      .find((other) => ledger.isRefused(other) && ledger.windowsOf(other).length === 0);
    const problem: Problem | undefined = failed
      ? {
          code: 'dependency-broken',
          message: `depends on ${failed.name}, which has no window: mend that first`,
        }
      : windows

          .map((slot, index) => whyTooEarly(server, slot, index, links, ledger))
          .find((found) => found !== undefined);
    if (problem === undefined) continue;
    ledger.drop(server);
    ledger.refuse(server, problem.code, problem.message);
  }
}
