/** Gives a server its one active schedule, changes it when that was asked for, or takes it away. */
import * as z from 'zod';
import { dayText } from '../calendar/civil-day.ts';
import { CronError, parseCron } from '../calendar/cron.ts';
import { localOf } from '../calendar/local-time.ts';
import type { PlanningCalendar } from '../calendar/planning-calendar.ts';
import {
  dateSchema,
  ruleSchema,
  rulesOf,
  ruleWords,
  type Schedule,
  type ScheduleRule,
} from '../calendar/schedule.ts';
import { type ServerSchedule, serverSchedule } from '../calendar/server-schedule.ts';
import type { QuarterColumn } from '../calendar/server-to-plan.ts';
import { createZoneClocks } from '../calendar/zone-clock.ts';
import { Refused } from '../calls.ts';
import { parseRecord, recordOf, scheduleKey, schedules } from '../entities.ts';
import { type Instant, millisOf } from '../instant.ts';
import { pastQuarters, withPastDates } from '../inventory/past-dates.ts';
import type { StoredServer } from '../inventory/stored-server.ts';
import type { Ports } from '../ports.ts';
import { quarterOfDay } from '../quarter.ts';
import { findServer } from './find-server.ts';
import { type OpenWindow, openWindows, openWords, planNow } from './open-windows.ts';
import { loadFleet, type StoredFleet } from './plan-stored-quarter.ts';
import { loadInventory, saveInventory } from './stored-inventory.ts';

export const setScheduleInput = z.object({
  server: z.string().min(1).max(255),
  /** A date is that of its own quarter. Null takes the schedule away: the server list or the policy decides again. */
  rule: z
    .discriminatedUnion('kind', [
      ...ruleSchema.options,
      dateSchema.extend({ kind: z.literal('date'), date: dateSchema.shape.date.unwrap() }),
    ])
    .nullable(),
  by: z.string().min(1).max(255),
  /** Whether a schedule that is there may be replaced. */
  change: z.boolean().default(false),
  /** Whether it may be, although campaigns have been prepared by the old one. */
  force: z.boolean().default(false),
});

export interface SetReport {
  /** What holds now. */
  readonly schedule: ServerSchedule;
  /** The rule that held before, in words. */
  readonly before: string;
  /** Windows of campaigns whose lead time had begun. */
  readonly affected: readonly OpenWindow[];
}

/**
 * The schedule is written before dates are taken out of the server list: who dies between the two leaves the server
 * with two schedules, which is a conflict that people see, and plans nothing.
 *
 * @throws Refused
 */
export async function setSchedule(
  ports: Pick<Ports, 'records' | 'objects'>,
  calendar: PlanningCalendar,
  input: z.input<typeof setScheduleInput>,
  now: Instant,
): Promise<SetReport> {
  const asked = setScheduleInput.parse(input);
  if (asked.rule?.kind === 'cron') refuseWrongCron(asked.rule.expression);
  const fleet = await loadFleet(ports);
  const server = withPastDates(
    findServer(fleet.inventory.servers, asked.server),
    pastQuarters(now, calendar.quarters),
  );
  const stored = storedFor(fleet, server.name);
  const listed = rulesOf(server, [])[0];
  const first = stored?.rule ?? listed;
  const before = first ? ruleWords(first) : "the policy's default";
  const plans = await planNow(ports, fleet, calendar, now);
  const affected = openWindows(plans, calendar, [server.name], now);
  if (asked.rule === null && stored === undefined) {
    const from = listed ? `, but ${before} from the server list: empty its cells and import it` : '';
    throw new Refused('no-schedule', `${server.name} has no schedule of its own${from}`);
  }
  const own = asked.rule && ruleOf(asked.rule, calendar);
  if (own?.kind === 'dates') refusePast(own, server, calendar, now);
  const rule = own && joinedDates(own, first);
  const unchanged =
    stored && rule && listed === undefined && JSON.stringify(stored.rule) === JSON.stringify(rule);
  if (!unchanged) {
    if (rule && first && !asked.change && !isAddition(own, stored?.rule)) {
      const by = stored ? `set by ${stored.by} at ${stored.at}` : 'from the server list';
      const message = `${server.name} has a schedule already, ${before}, ${by}: change that one (--change)`;
      throw new Refused('second-schedule', message);
    }
    if (affected.length > 0 && !asked.force) {
      const message = `campaigns have been prepared by the old schedule: ${openWords(affected)}; wait for their end, or --force it: what has been started goes on, and what has not leaves the server out`;
      throw new Refused('lead-time', message);
    }
    await write(ports, server.name, rule, asked.by, now);
    if (rule && listed) await takeOutOfList(ports, server.name, asked.by, now);
  }
  const after = await loadFleet(ports);
  const schedule = serverSchedule(
    findServer(after.inventory.servers, server.name),
    storedFor(after, server.name),
    calendar,
    await planNow(ports, after, calendar, now),
    now,
  );
  return { schedule, before, affected: unchanged ? [] : affected };
}

function ruleOf(
  rule: NonNullable<z.output<typeof setScheduleInput>['rule']>,
  { quarters }: PlanningCalendar,
): ScheduleRule {
  if (rule.kind !== 'date') return rule;
  const { kind: _, ...given } = rule;
  const { number } = quarterOfDay(given.date, quarters);
  return { kind: 'dates', dates: { [`Q${number}` as QuarterColumn]: given } };
}

/** A plan takes such a date for history, and lets the policy decide. */
function refusePast(
  { dates }: Extract<ScheduleRule, { kind: 'dates' }>,
  { zone, name }: StoredServer,
  { quarters }: PlanningCalendar,
  now: Instant,
): void {
  const clock = createZoneClocks()(zone);
  const today = dayText(localOf(clock, millisOf(now)).day);
  const past = Object.values(dates).find((given) => given?.date !== undefined && given.date < today);
  if (past === undefined) return;
  const message = `${past.date} is past where ${name} is, ${zone}: set a later date, of ${quarterOfDay(today, quarters).id} or a quarter after it`;
  throw new Refused('past-date', message);
}

/** Dates of other quarters stay, whichever of them is set. */
function joinedDates(rule: ScheduleRule, before: ScheduleRule | undefined): ScheduleRule {
  if (rule.kind !== 'dates' || before?.kind !== 'dates') return rule;
  return { kind: 'dates', dates: { ...before.dates, ...rule.dates } };
}

/** A date for a quarter that has none yet is no second schedule. */
function isAddition(rule: ScheduleRule | null, before: ScheduleRule | undefined): boolean {
  if (rule?.kind !== 'dates' || before?.kind !== 'dates') return false;
  return Object.keys(rule.dates).every(
    (column) => before.dates[column as keyof typeof before.dates]?.date === undefined,
  );
}

async function write(
  { records }: Pick<Ports, 'records'>,
  server: string,
  rule: ScheduleRule | null,
  by: string,
  now: Instant,
): Promise<void> {
  const record = await records.get(scheduleKey(server));
  const before = record && parseRecord(schedules, record);
  const next: Schedule | undefined =
    rule === null
      ? before && { ...before, removed: { by, at: now } }
      : { schema: 1, server, rule, by, at: now };
  if (next === undefined) return;
  const draft = recordOf(schedules, next);
  const written = await (record ? records.replace(draft, record.revision) : records.create(draft));
  if (!written)
    throw new Refused(
      'schedule-changed',
      `somebody else has set the schedule of ${server} just now: look again`,
    );
}

async function takeOutOfList(
  ports: Pick<Ports, 'records' | 'objects'>,
  name: string,
  by: string,
  now: Instant,
): Promise<void> {
  const { servers, revision } = await loadInventory(ports);
  const without = servers.map((server): StoredServer => {
    if (server.name !== name) return server;
    const { cron: _, ...rest } = server;
    return { ...rest, explicit: {} };
  });
  await saveInventory(ports, without, { by, now, expected: revision });
}

function storedFor({ schedules: all }: StoredFleet, name: string): Schedule | undefined {
  return all.find(({ server }) => server.toLowerCase() === name.toLowerCase());
}

function refuseWrongCron(expression: string): void {
  try {
    const { text, times } = parseCron(expression);
    if (times.length === 1) return;
    const message = `cron ${text} runs ${times.length} times a day: name one minute and one hour`;
    throw new Refused('invalid-schedule', message);
  } catch (error) {
    if (error instanceof CronError) throw new Refused('invalid-schedule', error.message);
    throw error;
  }
}
