/** Owns the windows that a policy offers in a quarter and a zone, and why some of them are closed. */
import { createHash } from 'node:crypto';
import { type Instant, instantOf } from '../instant.ts';
import type { Quarter } from '../quarter.ts';
import { allowedMinutes, type CalendarPolicy } from './calendar-policy.ts';
import { dateOf, dayNumber, dayWords, firstOfMonth, minuteMillis, timeText, weekdayOf } from './civil-day.ts';
import { type FrozenSpan, freezeOver } from './closed-spans.ts';
import { localIso, localOf } from './local-time.ts';
import { type LocalWindow, lengthWords, localWindow } from './local-window.ts';
import type { Lane } from './quarter-plan.ts';
import type { ZoneClock } from './zone-clock.ts';

/** A window with its texts, made once and shared by all servers that get it. */
export interface Slot {
  /** Epoch milliseconds. */
  readonly startMillis: number;
  readonly endMillis: number;
  readonly start: Instant;
  readonly end: Instant;
  readonly localStart: string;
  /** Number of the local day of its start. */
  readonly day: number;
  readonly campaign: string;
  /** Shared by all campaigns of the policy in this window. */
  readonly seats: string;
  readonly policy: string;
  readonly lane?: Lane;
  /** `Saturday 2026-11-14 00:00 in Europe/Berlin` */
  readonly words: string;
  /** What the clocks did to it: `; …`, or empty. */
  readonly notes: string;
  readonly closed?: { readonly by: 'past' | 'freeze' | 'holiday' | 'clocks'; readonly words: string };
}

export function overlaps(a: Slot, b: Slot): boolean {
  return a.startMillis < b.endMillis && b.startMillis < a.endMillis;
}

/** A stretch of the quarter in which a server has one window. */
export interface Period {
  readonly key: number;
  /** `the week of 2026-12-21` */
  readonly words: string;
  /** By start. */
  readonly slots: readonly Slot[];
  /** Those to be filled first. */
  readonly preferred: readonly Slot[];
}

/** All that holds for the servers of one policy and zone. */
export interface Setting {
  readonly policy: CalendarPolicy;
  readonly quarter: Quarter;
  readonly clock: ZoneClock;
  readonly frozen: readonly FrozenSpan[];
  /** Name by number of the day. */
  readonly holidays: ReadonlyMap<number, string>;
  /** Campaigns that have been started. */
  readonly begun?: ReadonlySet<string>;
  /** Epoch milliseconds. */
  readonly now: number;
  readonly lane?: Lane;
  /** Others come before these: the first local day that leaves them room, and who they are. */
  readonly held?: { readonly firstDay: number; readonly words: string };
}

/** In which period of a cadence a local day lies. */
export function periodKey(cadence: CalendarPolicy['cadence'], day: number): number {
  if (cadence === 'monthly') {
    const { year, month } = dateOf(day);
    return year * 12 + month;
  }
  // Weeks begin on Monday, as in ISO 8601; day 0 was a Thursday.
  return cadence === 'weekly' ? Math.floor((day + 3) / 7) : 0;
}

/**
 * The periods of the quarter in order.
 *
 * @param reserved days at the start of the quarter that are left to servers that come before these
 */
export function periodsOf(setting: Setting, reserved: number): Period[] {
  const { policy, quarter } = setting;
  const [first, last] = [dayNumber(quarter.firstDay), dayNumber(quarter.lastDay)];
  const byKey = new Map<number, Slot[]>();
  for (let day = first - 7; day <= last + 7; day++) {
    for (const slot of slotsOfDay(setting, day)) {
      const key = periodKey(policy.cadence, slot.day);
      const slots = byKey.get(key);
      if (slots) slots.push(slot);
      else byKey.set(key, [slot]);
    }
  }
  const inQuarter = ({ day }: Slot) => day >= first && day <= last;
  const nthDays = nthDaysOf(policy, first, last);
  return (
    [...byKey]
      // A week across the border belongs to the quarter of its first allowed day, or it would have two windows.
      .filter(([, all]) => policy.cadence !== 'weekly' || inQuarter(all[0] as Slot))
      .map(([key, all]) => {
        const slots = all.filter((slot) => inQuarter(slot) && slot.day >= first + reserved);
        const nth = slots.filter(({ day }) => nthDays.has(day));
        return {
          key,
          words: periodWords(policy.cadence, key, quarter),
          slots,
          preferred: nth.length > 0 ? nth : slots,
        };
      })
      .filter(({ slots }) => slots.length > 0)
      .toSorted((a, b) => a.key - b.key)
  );
}

/** The texts of a window, and why it is closed to those whom the policy places. */
export function slotOf(setting: Setting, window: LocalWindow): Slot {
  const { policy, clock, quarter, lane } = setting;
  const { start, end, notes } = window;
  const local = localOf(clock, start);
  const [startText, endText] = [instantOf(start), instantOf(end)];
  const parts = [policy.name, quarter.id, startText, endText, clock.zone] as const;
  const seats = campaignId(parts);
  const campaign = lane ? campaignId(parts, lane) : seats;
  const closed = setting.begun?.has(campaign)
    ? ({ by: 'past', words: 'its campaign has been started' } as const)
    : whyClosed(setting, window, local.day);
  return {
    startMillis: start,
    endMillis: end,
    start: startText,
    end: endText,
    localStart: localIso(clock, start),
    day: local.day,
    campaign,
    seats,
    policy: policy.name,
    ...(lane && { lane }),
    words: `${dayWords(local.day)} ${timeText(local.minutes)} in ${clock.zone}`,
    notes: notes.map((note) => `; ${note}`).join(''),
    ...(closed && { closed }),
  };
}

/**
 * What the security lane may take, by start: all allowed windows of the quarter, and after it those of so many days that
 * tell whether something can wait for the next quarter. Whoever comes some days before others does so in the cadence
 * alone: within days there is no room for a rehearsal.
 */
export function laneSlots({ held: _, ...setting }: Setting, within: number): Slot[] {
  const [first, last] = [dayNumber(setting.quarter.firstDay), dayNumber(setting.quarter.lastDay)];
  const days = Array.from({ length: last + within - first + 2 }, (_day, index) => first - 1 + index);
  return days
    .flatMap((day) => slotsOfDay({ ...setting, lane: 'security' }, day))
    .filter(({ day }) => day >= first && day <= last + within);
}

function slotsOfDay(setting: Setting, day: number): Slot[] {
  const { policy, clock } = setting;
  if (!policy.days.includes(weekdayOf(day))) return [];
  const { from, until } = allowedMinutes(policy);
  const slots: Slot[] = [];
  for (let minutes = from; minutes + policy.windowMinutes <= until; minutes += policy.windowMinutes) {
    slots.push(slotOf(setting, localWindow(clock, { day, minutes, length: policy.windowMinutes, until })));
  }
  return slots;
}

function whyClosed(
  { policy, frozen, holidays, now, held }: Setting,
  window: LocalWindow,
  day: number,
): Slot['closed'] {
  const { start, end } = window;
  if (start <= now) return { by: 'past', words: 'it has begun' };
  if (start < now + policy.leadTimeHours * 60 * minuteMillis) {
    return { by: 'past', words: `it begins within the lead time of ${policy.leadTimeHours} h` };
  }
  if (held && day < held.firstDay) return { by: 'past', words: held.words };
  const freeze = freezeOver(frozen, window);
  if (freeze) return { by: 'freeze', words: `freeze ${JSON.stringify(freeze.reason)}` };
  const holiday = policy.onHoliday === 'shift' ? holidays.get(day) : undefined;
  if (holiday !== undefined) return { by: 'holiday', words: `holiday ${holiday}` };
  const minutes = Math.max(0, Math.floor((end - start) / minuteMillis));
  if (minutes >= policy.shortestMinutes) return undefined;
  return { by: 'clocks', words: `the clocks leave ${lengthWords(minutes)} of it` };
}

/** Days that are the nth weekday of their month, with the offset. */
function nthDaysOf({ nth }: CalendarPolicy, first: number, last: number): ReadonlySet<number> {
  const days = new Set<number>();
  if (nth === undefined) return days;
  const { year, month } = dateOf(first);
  const months = Math.ceil((last - first) / 28) + 2;
  for (let index = -1; index < months; index++) {
    const [start, next] = [firstOfMonth(year, month + index), firstOfMonth(year, month + index + 1)];
    const hits: number[] = [];
    for (let day = start; day < next; day++) if (weekdayOf(day) === nth.weekday) hits.push(day);
    const hit = nth.week === 'last' ? hits.at(-1) : hits[nth.week - 1];
    if (hit !== undefined) days.add(hit + nth.offsetDays);
  }
  return days;
}

function periodWords(cadence: CalendarPolicy['cadence'], key: number, quarter: Quarter): string {
  if (cadence === 'weekly') return `the week of ${dayWords(key * 7 - 3).slice(-10)}`;
  if (cadence === 'monthly') {
    const [year, month] = [Math.floor((key - 1) / 12), ((key - 1) % 12) + 1];
    return `${year}-${String(month).padStart(2, '0')}`;
  }
  return quarter.id;
}

/**
 * Short and plain, as the ids of campaigns are part of other names; the hash keeps apart what the rest does not say.
 *
 * @param parts instants as texts
 */
export function campaignId(
  parts: readonly [policy: string, quarter: string, start: string, end: string, zone: string],
  lane?: Lane,
): string {
  const hash = createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 10);
  const time = parts[2].slice(0, 16).replaceAll(/[-:]/g, '').toLowerCase();
  return `${parts[0].slice(0, 24)}-${lane ? `${lane}-` : ''}${time}z-${hash}`;
}
