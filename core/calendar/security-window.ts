/** Owns the security lane: a window outside of the cadence, for updates that must not wait for the quarter. */
import { type Instant, millisOf } from '../instant.ts';
import { defaultQuarters, type QuarterCalendar, quarterOfDay } from '../quarter.ts';
import { allowedMinutes, type CalendarPolicy } from './calendar-policy.ts';
import { dayMillis, dayText, minuteMillis, weekdayOf } from './civil-day.ts';
import { frozenSpans, holidaysIn } from './closed-spans.ts';
import { localOf } from './local-time.ts';
import { localWindow } from './local-window.ts';
import type { Problem } from './set-dates.ts';
import { type Slot, slotOf } from './slots.ts';
import type { Freeze, Holiday } from './team-calendar.ts';
import { createZoneClocks } from './zone-clock.ts';

export interface SecurityQuestion {
  readonly policy: CalendarPolicy;
  /** IANA name. */
  readonly zone: string;
  /** When the updates came out. */
  readonly released: Instant;
  readonly freezes: readonly Freeze[];
  readonly holidays: readonly Holiday[];
  readonly quarters?: QuarterCalendar;
  readonly now: Instant;
}

/**
 * The first allowed window that begins within the days that the policy gives. Freezes and hours hold here too: when
 * they leave none, that is said, since a person must then choose which of the two to break.
 *
 * @returns undefined when the policy has no security lane
 */
export function securityWindow(
  question: SecurityQuestion,
): { readonly slot: Slot } | { readonly problem: Problem } | undefined {
  const { policy, zone, released, freezes, holidays, quarters = defaultQuarters } = question;
  const within = policy.securityWithinDays;
  if (within === undefined) return undefined;
  const clockOf = createZoneClocks();
  const clock = clockOf(zone);
  const now = millisOf(question.now);
  const deadline = millisOf(released) + within * dayMillis;
  const days = { first: localOf(clock, now).day - 1, last: localOf(clock, Math.max(now, deadline)).day };
  const frozen = frozenSpans(freezes, policy.name, zone, clockOf, days);
  const closed = new Set<string>();
  const { from, until } = allowedMinutes(policy);
  for (let day = days.first; day <= days.last; day++) {
    if (!policy.days.includes(weekdayOf(day))) continue;
    const window = localWindow(clock, { day, minutes: from, length: policy.windowMinutes, until });
    if (window.start > deadline) break;
    const quarter = quarterOfDay(dayText(localOf(clock, window.start).day), quarters);
    const setting = { policy, quarter, clock, frozen, holidays: holidaysIn(holidays, zone, days), now };
    const slot = slotOf(setting, window);
    if (slot.closed === undefined) return { slot };
    if (slot.closed.by !== 'past') closed.add(`${slot.words} ${slot.closed.words}`);
  }
  const why = closed.size > 0 ? `: ${[...closed].slice(0, 3).join(', ')}` : '';
  const hours = Math.round((deadline - now) / (60 * minuteMillis));
  const left = hours > 0 ? `the ${hours} h that are left of them` : 'them: they are over';
  const message = `security updates of ${released} are due within ${within} days, and ${policy.name} allows no window in ${left}${why}; set a date`;
  return { problem: { code: 'no-room', message } };
}
