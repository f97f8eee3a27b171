/** Owns what a person sees of one server's schedule: the rule, what it says in words, and when it comes next. */
import { type Instant, millisOf, plusSeconds } from '../instant.ts';
import type { StoredServer } from '../inventory/stored-server.ts';
import type { CalendarPolicy } from './calendar-policy.ts';
import { type Cron, CronError, nextRuns, parseCron } from './cron.ts';
import { localIso, resolveLocal } from './local-time.ts';
import { policyOf } from './plan-quarter.ts';
import type { PlanningCalendar } from './planning-calendar.ts';
import type { Conflict, PlannedWindow, QuarterPlan } from './quarter-plan.ts';
import { rulesOf, ruleWords, type Schedule, type ScheduleRule } from './schedule.ts';
import { createZoneClocks } from './zone-clock.ts';

/** Where a rule is written down: set for the server by itself, in the server list, or nowhere but in the policy. */
export type RuleSource = 'schedule' | 'list' | 'policy';

export interface ServerSchedule {
  readonly server: string;
  readonly environment: string;
  /** IANA name; all local times are in it. */
  readonly zone: string;
  readonly active: boolean;
  readonly rule: ScheduleRule;
  /** The rule in words. */
  readonly words: string;
  /** Who set it; without it the policy decides, or the server list says so. */
  readonly set?: { readonly by: string; readonly at: Instant };
  readonly from: RuleSource;
  /** What people should know of the rule. */
  readonly remarks: readonly string[];
  /** The next five runs of a cron expression, whatever is in their way. */
  readonly runs: readonly { readonly localStart: string }[];
  /** Planned in the quarters that were asked for. */
  readonly windows: readonly PlannedWindow[];
  readonly conflicts: readonly Conflict[];
  /** When security updates that come out now are installed, in words; absent without a security lane. */
  readonly security?: string;
  /** Of quarters that are over. */
  readonly past: readonly { readonly date: string; readonly time?: string; readonly quarter: string }[];
}

/** @param plans in which its windows are looked for */
export function serverSchedule(
  server: StoredServer,
  stored: Schedule | undefined,
  calendar: PlanningCalendar,
  plans: readonly QuarterPlan[],
  now: Instant,
): ServerSchedule {
  const name = server.name.toLowerCase();
  const mine = ({ server: other }: { readonly server: string }) => other.toLowerCase() === name;
  const rule = rulesOf(server, stored ? [stored] : [])[0] ?? { kind: 'policy' };
  const policy = policyOf(calendar.policies, server.environment);
  const cron = rule.kind === 'cron' ? cronOf(rule.expression) : undefined;
  const windows = plans.flatMap((plan) => plan.windows.filter((window) => mine(window) && now < window.end));
  const security = policy && securityWords(policy, windows, now);
  return {
    server: server.name,
    environment: server.environment,
    zone: server.zone,
    active: server.active,
    rule,
    words: ruleWords(rule),
    ...(stored && { set: { by: stored.by, at: stored.at } }),
    from: stored ? 'schedule' : rule.kind === 'policy' ? 'policy' : 'list',
    remarks: cron?.eitherDay ? [eitherDayWords] : [],
    runs: cron ? cronRuns(cron, server.zone, now) : [],
    windows,
    conflicts: plans.flatMap(({ conflicts }) => conflicts.filter(mine)),
    ...(security !== undefined && { security }),
    past: server.history.map(({ date, time, quarter }) => ({ date, quarter, ...(time && { time }) })),
  };
}

const eitherDayWords =
  'day of month and weekday are both given: cron runs on the days of either, and not only where both agree';

/** None for an expression of a list that can not be read: that is a conflict, and told there. */
function cronOf(expression: string): Cron | undefined {
  try {
    return parseCron(expression);
  } catch (error) {
    if (error instanceof CronError) return undefined;
    throw error;
  }
}

/** Local times, each after what the clocks do to it. */
function cronRuns(cron: Cron, zone: string, now: Instant): { localStart: string }[] {
  const clock = createZoneClocks()(zone);
  return nextRuns(cron, clock, millisOf(now)).map(({ day, minutes }) => ({
    localStart: localIso(clock, resolveLocal(clock, day, minutes).at),
  }));
}

/** Where the campaign of a window is being prepared, it is too late for what comes out now. */
function securityWords(
  { securityWithinDays: within, leadTimeHours }: CalendarPolicy,
  windows: readonly PlannedWindow[],
  now: Instant,
): string | undefined {
  if (within === undefined) return undefined;
  const next = windows.find(({ start }) => now < plusSeconds(start, -leadTimeHours * 3600));
  const then = next
    ? `updates that come out now are installed from ${next.localStart}`
    : 'none is planned in these quarters for updates that come out now';
  return `a window at least every ${within} days; ${then}`;
}
