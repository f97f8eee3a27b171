/** Owns what quarters hand on to each other: the days of the security lane do not begin anew with each. */
import type { Instant } from '../instant.ts';
import { previousQuarter, type Quarter, type QuarterCalendar, quarterOfDay } from '../quarter.ts';
import { type PlanInput, planQuarter } from './plan-quarter.ts';
import type { PlannedWindow, QuarterPlan } from './quarter-plan.ts';
import type { LastWindows } from './security-lane.ts';

export function hasSecurityLane({ policies }: { readonly policies: PlanInput['policies'] }): boolean {
  return [...policies.values()].some((policy) => policy.securityWithinDays !== undefined);
}

/**
 * Quarters to be planned, one after the other, to know the last: with a security lane also the one before it, unless
 * that is over.
 */
export function quartersTo(
  quarter: Quarter,
  { quarters, policies }: { readonly quarters: QuarterCalendar; readonly policies: PlanInput['policies'] },
  now: Instant,
): [Quarter, ...Quarter[]] {
  const isAhead = quarterOfDay(now.slice(0, 10), quarters).firstDay < quarter.firstDay;
  return isAhead && hasSecurityLane({ policies }) ? [previousQuarter(quarter, quarters), quarter] : [quarter];
}

/** The plan of a quarter that goes on from the one before, where nothing has been started yet. */
export function planInTurn(input: PlanInput & { readonly quarters: QuarterCalendar }): QuarterPlan {
  const [first, ...rest] = quartersTo(input.quarter, input, input.now);
  let plan = planQuarter({ ...input, quarter: first });
  for (const quarter of rest) plan = planQuarter({ ...input, quarter, before: lastWindows(plan) });
  return plan;
}

/** @param before what is known of earlier quarters */
export function lastWindows(
  { windows }: { readonly windows: readonly PlannedWindow[] },
  before?: LastWindows,
): LastWindows {
  const last = new Map(before);
  for (const { server, localStart, end } of windows) {
    const name = server.toLowerCase();
    const known = last.get(name);
    if (known === undefined || known.end < end) last.set(name, { localStart, end });
  }
  return last;
}
