/** Shows what is stored and what is planned of it; changes nothing. */
import * as z from 'zod';
import type { CalendarPolicy } from '../calendar/calendar-policy.ts';
import type { PlanningCalendar } from '../calendar/planning-calendar.ts';
import type { QuarterPlan } from '../calendar/quarter-plan.ts';
import { rulesOf, ruleWords } from '../calendar/schedule.ts';
import { type RuleSource, type ServerSchedule, serverSchedule } from '../calendar/server-schedule.ts';
import type { Freeze } from '../calendar/team-calendar.ts';
import { audienceSchema } from '../calendar-feed.ts';
import { Refused } from '../calls.ts';
import type { Instant } from '../instant.ts';
import { withSchedules } from '../inventory/listed-schedules.ts';
import { pastQuarters, withPastDates } from '../inventory/past-dates.ts';
import type { StoredServer } from '../inventory/stored-server.ts';
import { inventoryCsv } from '../inventory/write-inventory.ts';
import type { Ports } from '../ports.ts';
import { QuarterError, quarterAsked } from '../quarter.ts';
import { findServer } from './find-server.ts';
import { type LastOutcome, type LastRun, lastOutcome, lastRuns } from './last-runs.ts';
import { planNow, planWithKept } from './open-windows.ts';
import { loadFleet, type StoredFleet } from './plan-stored-quarter.ts';
import { readFeed } from './publish-feeds.ts';

/** Each without regard to case; all of them must fit. */
const filterSchema = z.object({
  environment: z.string().optional(),
  /** Primary or secondary. */
  owner: z.string().optional(),
  group: z.string().optional(),
  /** A part of it. */
  name: z.string().optional(),
});
type Filter = z.output<typeof filterSchema>;

export const showCalendarInput = z.discriminatedUnion('view', [
  filterSchema.extend({ view: z.literal('servers') }),
  z.object({ view: z.literal('csv') }),
  filterSchema.extend({ view: z.literal('schedules') }),
  z.object({ view: z.literal('schedule'), server: z.string() }),
  /** `2027-Q1`, current, next or previous. */
  z.object({ view: z.literal('plan'), quarter: z.string() }),
  z.object({ view: z.literal('feed'), audience: audienceSchema }),
]);

export interface ScheduleRow {
  readonly server: string;
  readonly environment: string;
  readonly zone: string;
  readonly words: string;
  readonly from: RuleSource;
  /** Local start of the next window. */
  readonly next: string | null;
  readonly last: LastRun | null;
  /** Codes of what is wrong. */
  readonly conflicts: readonly string[];
}

export interface ShownServers {
  readonly servers: readonly StoredServer[];
  /** In the inventory. */
  readonly total: number;
  readonly saved?: { readonly by: string; readonly at: Instant };
}

export interface ShownPlan {
  readonly plan: QuarterPlan;
  /** What the display says of the rules. */
  readonly policies: readonly CalendarPolicy[];
  readonly freezes: readonly Freeze[];
  /** Servers that were planned. */
  readonly servers: number;
}

export interface ShownSchedule extends ServerSchedule {
  readonly last: LastOutcome | null;
}

type Stores = Pick<Ports, 'records' | 'objects'>;

/**
 * @returns as the view says: ShownServers, ScheduleRow[], ShownSchedule, ShownPlan; text for `csv` and `feed`
 * @throws Refused
 */
export async function showCalendar(
  ports: Stores,
  calendar: PlanningCalendar,
  input: z.input<typeof showCalendarInput>,
  now: Instant,
): Promise<ShownServers | ScheduleRow[] | ShownSchedule | ShownPlan | string> {
  const asked = showCalendarInput.parse(input);
  if (asked.view === 'feed') return readFeed(ports, asked.audience);
  const fleet = await loadFleet(ports);
  switch (asked.view) {
    case 'servers': {
      const { servers, saved } = fleet.inventory;
      return { servers: matching(servers, asked), total: servers.length, ...(saved && { saved }) };
    }
    case 'csv':
      return inventoryCsv(
        withSchedules(fleet.inventory.servers, fleet.schedules, pastQuarters(now, calendar.quarters)),
      );
    case 'schedules':
      return scheduleRows(ports, fleet, calendar, asked, now);
    case 'schedule':
      return oneSchedule(ports, fleet, calendar, asked.server, now);
    case 'plan':
      return shownPlan(ports, fleet, calendar, asked.quarter, now);
  }
}

async function shownPlan(
  ports: Stores,
  fleet: StoredFleet,
  calendar: PlanningCalendar,
  text: string,
  now: Instant,
): Promise<ShownPlan> {
  try {
    const quarter = quarterAsked(text, now, calendar.quarters);
    const plan = await planWithKept(ports, fleet, calendar, { quarter, now });
    const { policies, freezes } = calendar;
    return { plan, policies: [...policies.values()], freezes, servers: fleet.inventory.servers.length };
  } catch (error) {
    if (error instanceof QuarterError) throw new Refused('no-quarter', error.message);
    throw error;
  }
}

async function oneSchedule(
  ports: Stores,
  fleet: StoredFleet,
  calendar: PlanningCalendar,
  name: string,
  now: Instant,
): Promise<ShownSchedule> {
  const known = findServer(fleet.inventory.servers, name);
  const server = withPastDates(known, pastQuarters(now, calendar.quarters));
  const stored = fleet.schedules.find((one) => one.server.toLowerCase() === server.name.toLowerCase());
  const plans = await planNow(ports, fleet, calendar, now);
  const last = (await lastRuns(ports, calendar.quarters, now)).get(server.name.toLowerCase());
  return {
    ...serverSchedule(server, stored, calendar, plans, now),
    last: last ? await lastOutcome(ports, server, last) : null,
  };
}

async function scheduleRows(
  ports: Stores,
  fleet: StoredFleet,
  calendar: PlanningCalendar,
  filter: Filter,
  now: Instant,
): Promise<ScheduleRow[]> {
  const plans = await planNow(ports, fleet, calendar, now);
  const last = await lastRuns(ports, calendar.quarters, now);
  const next = new Map<string, string>();
  for (const { server, localStart, start } of plans.flatMap(({ windows }) => windows)) {
    const key = server.toLowerCase();
    if (start > now && !next.has(key)) next.set(key, localStart);
  }
  const conflicts = new Map<string, Set<string>>();
  for (const { server, code } of plans.flatMap((plan) => plan.conflicts)) {
    const key = server.toLowerCase();
    conflicts.set(key, (conflicts.get(key) ?? new Set()).add(code));
  }
  const stored = new Map(fleet.schedules.map((schedule) => [schedule.server.toLowerCase(), schedule]));
  const pastQuarterOf = pastQuarters(now, calendar.quarters);
  return matching(fleet.inventory.servers, filter).map((server) => {
    const key = server.name.toLowerCase();
    const own = stored.get(key);
    const rule = own?.rule ?? rulesOf(withPastDates(server, pastQuarterOf), [])[0] ?? { kind: 'policy' };
    return {
      server: server.name,
      environment: server.environment,
      zone: server.zone,
      words: ruleWords(rule),
      from: own ? 'schedule' : rule.kind === 'policy' ? 'policy' : 'list',
      next: next.get(key) ?? null,
      last: last.get(key) ?? null,
      conflicts: [...(conflicts.get(key) ?? [])],
    };
  });
}

function matching(servers: readonly StoredServer[], filter: Filter): StoredServer[] {
  const same = (value: string | undefined, asked: string | undefined) =>
    asked === undefined || value?.toLowerCase() === asked.toLowerCase();
  return servers.filter(
    ({ environment, owners, hostGroup, name }) =>
      same(environment, filter.environment) &&
      same(hostGroup, filter.group) &&
      (same(owners.primary, filter.owner) || same(owners.secondary, filter.owner)) &&
      (filter.name === undefined || name.toLowerCase().includes(filter.name.toLowerCase())),
  );
}
