/** Owns what is planned at a moment, and which of it can no longer be moved without anybody noticing. */
import type { PlanningCalendar } from '../calendar/planning-calendar.ts';
import type { PlannedWindow, QuarterPlan } from '../calendar/quarter-plan.ts';
import { quartersTo } from '../calendar/quarters-in-turn.ts';
import { type Instant, plusSeconds } from '../instant.ts';
import type { Ports } from '../ports.ts';
import { nextQuarter, type Quarter, quarterOfDay } from '../quarter.ts';
import { planStoredQuarters, type StoredFleet } from './plan-stored-quarter.ts';

/** A window whose lead time has begun, or that is open. */
export type OpenWindow = Pick<PlannedWindow, 'server' | 'start' | 'end' | 'zone' | 'localStart' | 'campaign'>;

/** The plan of a quarter, with the windows of campaigns that have been started as they are. */
export async function planWithKept(
  ports: Pick<Ports, 'records' | 'objects'>,
  fleet: StoredFleet,
  calendar: PlanningCalendar,
  { quarter, now }: { readonly quarter: Quarter; readonly now: Instant },
): Promise<QuarterPlan> {
  const quarters = quartersTo(quarter, calendar, now);
  return (await planStoredQuarters(ports, fleet, calendar, quarters, now)).at(-1) as QuarterPlan;
}

/** The plans that matter at a moment: of the quarter that it is in by UTC, and of the next. */
export async function planNow(
  ports: Pick<Ports, 'records' | 'objects'>,
  fleet: StoredFleet,
  calendar: PlanningCalendar,
  now: Instant,
): Promise<QuarterPlan[]> {
  const current = quarterOfDay(now.slice(0, 10), calendar.quarters);
  const next = nextQuarter(current, calendar.quarters);
  return planStoredQuarters(ports, fleet, calendar, [current, next], now);
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
    const leads = new Map(campaigns.map(({ id, policy }) => [id, policies.get(policy)?.leadTimeHours ?? 0]));
    const isOpen = ({ start, end, campaign }: PlannedWindow) =>
      plusSeconds(start, -(leads.get(campaign) ?? 0) * 3600) <= now && now < end;
    return windows
      .filter((window) => asked.has(window.server.toLowerCase()) && isOpen(window))
      .map(({ reason: _, ...window }) => window);
  });
}

/** `web-1 in production-… (2027-01-09 02:00 in Europe/Berlin)`, the first of them */
export function openWords(windows: readonly OpenWindow[]): string {
  const most = 5;
  const named = windows
    .slice(0, most)
    .map(
      ({ server, campaign, localStart, zone }) =>
        `${server} in ${campaign} (${localStart.slice(0, 16).replace('T', ' ')} in ${zone})`,
    );
  return `${named.join(', ')}${windows.length > most ? ` and ${windows.length - most} more` : ''}`;
}
