/** Owns which windows can no longer be moved without anybody noticing: campaigns have been prepared for them. */
import type { PlanningCalendar } from '../calendar/planning-calendar.ts';
import type { PlannedWindow, QuarterPlan } from '../calendar/quarter-plan.ts';
import { type Instant, plusSeconds } from '../instant.ts';
import { nextQuarter, quarterOfDay } from '../quarter.ts';
import { planStoredQuarter, type StoredFleet } from './plan-stored-quarter.ts';

/** A window whose lead time has begun, or that is open. */
export type OpenWindow = Pick<PlannedWindow, 'server' | 'start' | 'end' | 'zone' | 'localStart' | 'campaign'>;

/** The plans that matter at a moment: of the quarter that it is in, and of the next. */
export function planNow(
  fleet: StoredFleet,
  calendar: PlanningCalendar,
  now: Instant,
): readonly [QuarterPlan, QuarterPlan] {
  const current = quarterOfDay(now.slice(0, 10), calendar.quarters);
  const next = nextQuarter(current, calendar.quarters);
  return [
    planStoredQuarter(fleet, calendar, { quarter: current, now }),
    planStoredQuarter(fleet, calendar, { quarter: next, now }),
  ];
}

/** @param servers names, in any case */
export function openWindows(
  plans: readonly QuarterPlan[],
  { policies }: PlanningCalendar,
  servers: readonly string[],
  now: Instant,
): OpenWindow[] {
  const asked = new Set(servers.map((name) => name.toLowerCase()));
  return plans.flatMap(({ windows, campaigns }) => {
    const leads = new Map(
      campaigns.map(({ id, policy }) => [id, policies.get(policy)?.leadTimeHours ?? 0] as const),
    );
    return windows
      .filter(({ server }) => asked.has(server.toLowerCase()))
      .filter(
        ({ start, end, campaign }) =>
          plusSeconds(start, -(leads.get(campaign) ?? 0) * 3600) <= now && now < end,
      )
      .map(({ server, start, end, zone, localStart, campaign }) => ({
        server,
        start,
        end,
        zone,
        localStart,
        campaign,
      }));
  });
}
