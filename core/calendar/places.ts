/** Owns the places of a plan, one for each policy and zone: what is dear to work out is worked out there once. */
import { type Instant, millisOf } from '../instant.ts';
import type { Quarter } from '../quarter.ts';
import type { CalendarPolicy } from './calendar-policy.ts';
import { dayMillis, dayNumber, minuteMillis } from './civil-day.ts';
import { frozenSpans, holidaysIn } from './closed-spans.ts';
import { type Cron, parseCron, runsAfter } from './cron.ts';
import { localOf } from './local-time.ts';
import type { ScheduleRule } from './schedule.ts';
import type { ServerToPlan } from './server-to-plan.ts';
import { judgeDate, type SetDate } from './set-dates.ts';
import { laneSlots, type Period, periodsOf, type Setting, type Slot } from './slots.ts';
import type { Freeze, Holiday } from './team-calendar.ts';
import { createZoneClocks, type ZoneClock } from './zone-clock.ts';

interface Surroundings {
  readonly quarter: Quarter;
  readonly policies: ReadonlyMap<string, CalendarPolicy>;
  readonly freezes?: readonly Freeze[];
  readonly holidays?: readonly Holiday[];
  /** Windows whose campaign has been started: nobody joins it any more. */
  readonly kept?: readonly { readonly campaign: string }[];
  readonly now: Instant;
}

/** A server with the rule that yields its windows, and what holds where it stands. */
export interface Planning {
  readonly server: ServerToPlan;
  readonly rule: ScheduleRule;
  readonly place: Place;
}

/** A policy in a zone. */
export interface Place extends Setting {
  periods(): readonly Period[];
  /** Of the security lane, as laneSlots has them; none without one. */
  security(): readonly Slot[];
  /** Servers share dates, so each is judged once. */
  judge(day: number, minutes: number): SetDate;
  /**
   * Runs of a cron expression within the quarter that are still to come.
   *
   * @throws CronError
   */
  runsOf(expression: string): { readonly cron: Cron; readonly dates: readonly SetDate[] };
}

/** Environments of the fleet that come some days before others, with the local day on which their windows began. */
export type Followers = ReadonlyMap<string, number | 'not-yet'>;

export function createPlaces(
  input: Surroundings,
  followers: Followers,
): (policy: CalendarPolicy, zone: string) => Place {
  const { quarter, freezes = [], holidays = [], policies } = input;
  const begun = new Set(input.kept?.map(({ campaign }) => campaign));
  const clockOf = createZoneClocks();
  const places = new Map<string, Place>();
  const reserved = new Map<string, number>();
  for (const { daysBefore } of policies.values()) {
    if (!daysBefore) continue;
    const { environment, days } = daysBefore;
    reserved.set(environment, Math.max(days, reserved.get(environment) ?? 0));
  }
  // Windows and what follows from them reach a little over the borders of the quarter.
  const within = Math.max(0, ...[...policies.values()].map((policy) => policy.securityWithinDays ?? 0));
  const days = { first: dayNumber(quarter.firstDay) - 8, last: dayNumber(quarter.lastDay) + 8 + within };
  return (policy, zone) => {
    const key = `${policy.name} ${zone}`;
    let place = places.get(key);
    if (place === undefined) {
      const clock = clockOf(zone);
      const held = heldFor(policy, policies, followers, clock, millisOf(input.now));
      const setting: Setting = {
        ...(held && { held }),
        policy,
        quarter,
        clock,
        frozen: frozenSpans(freezes, policy.name, zone, clockOf, days),
        holidays: holidaysIn(holidays, zone, days),
        begun,
        now: millisOf(input.now),
      };
      let periods: Period[] | undefined;
      let security: Slot[] | undefined;
      const judged = new Map<number, SetDate>();
      const judge = (day: number, minutes: number) =>
        remembered(judged, day * 1440 + minutes, () => judgeDate(setting, day, minutes));
      const runs = new Map<string, { cron: Cron; dates: SetDate[] }>();
      place = {
        ...setting,
        judge,
        runsOf: (expression) =>
          remembered(runs, expression, () => {
            const cron = parseCron(expression);
            return { cron, dates: cron.times.length === 1 ? runsWithin(setting, cron, judge) : [] };
          }),
        periods() {
          periods ??= periodsOf(setting, reserved.get(policy.name) ?? 0);
          return periods;
        },
        security() {
          const { securityWithinDays: most } = policy;
          security ??= most === undefined ? [] : laneSlots(setting, most);
          return security;
        },
      };
      places.set(key, place);
    }
    return place;
  };
}

/** A plan that is made late in the quarter must still leave room for those who come before. */
function heldFor(
  { name }: CalendarPolicy,
  policies: ReadonlyMap<string, CalendarPolicy>,
  followers: Followers,
  clock: ZoneClock,
  now: number,
): Setting['held'] {
  const spans = [...policies.values()].flatMap((policy) => {
    const { daysBefore, leadTimeHours } = policy;
    const begun = followers.get(policy.name);
    if (daysBefore?.environment !== name || begun === undefined) return [];
    // The day after the lead time, as their hours on the day itself may have passed by then.
    const next = localOf(clock, now + leadTimeHours * 60 * minuteMillis).day + 1;
    const firstDay = (begun === 'not-yet' ? next : begun) + daysBefore.days;
    return [{ firstDay, words: `${policy.name} comes ${daysBefore.days} days before` }];
  });
  return spans.toSorted((a, b) => b.firstDay - a.firstDay)[0];
}

function runsWithin(
  { quarter, clock, now }: Setting,
  cron: Cron,
  judge: (day: number, minutes: number) => SetDate,
): SetDate[] {
  const [first, last] = [dayNumber(quarter.firstDay), dayNumber(quarter.lastDay)];
  const dates: SetDate[] = [];
  // Midnight of the first day is up to 14 hours earlier in UTC.
  for (const { at, day, minutes } of runsAfter(cron, clock, Math.max(now, (first - 1) * dayMillis))) {
    const local = localOf(clock, at).day;
    if (local > last) break;
    if (local >= first) dates.push(judge(day, minutes));
  }
  return dates;
}

function remembered<K, V>(known: Map<K, V>, key: K, make: () => V): V {
  let value = known.get(key);
  if (value === undefined) {
    value = make();
    known.set(key, value);
  }
  return value;
}
