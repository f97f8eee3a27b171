/** Owns what becomes of a date and time that a person set: a window, or what is wrong with it. */
import { allowedMinutes, type CalendarPolicy } from './calendar-policy.ts';
import { minuteMillis, timeText, weekdayOf } from './civil-day.ts';
import { freezeOver } from './closed-spans.ts';
import { lengthWords, localWindow } from './local-window.ts';
import type { ConflictCode } from './quarter-plan.ts';
import { type Setting, type Slot, slotOf } from './slots.ts';

export interface Problem {
  readonly code: ConflictCode;
  readonly message: string;
}

export interface SetDate {
  readonly slot: Slot;
  /** Why the policy would not have chosen it; absent when it would. */
  readonly outside?: string;
  /** Whatever the policy does with dates outside of it. */
  readonly problems: readonly Problem[];
  /** What people should know although nothing is wrong. */
  readonly remarks: string;
}

/** @param minutes since the midnight of the local day */
export function judgeDate(setting: Setting, day: number, minutes: number): SetDate {
  const { policy, clock, frozen, holidays, now, begun } = setting;
  const span = allowedSpan(policy, day, minutes);
  const length = policy.windowMinutes;
  const window = localWindow(clock, {
    day,
    minutes,
    length,
    ...(span.until !== undefined && { until: span.until }),
  });
  const slot = slotOf(setting, window);
  const problems: Problem[] = [];
  const lead = policy.leadTimeHours;
  const freeze = freezeOver(frozen, window);
  const lasts = Math.max(0, Math.floor((window.end - window.start) / minuteMillis));
  if (window.start <= now) {
    problems.push({ code: 'past-date', message: `${slot.words} is past: set a later date` });
  } else if (begun?.has(slot.campaign)) {
    const message = `${slot.words} has a campaign that was started already: set another date or time`;
    problems.push({ code: 'past-date', message });
  }
  if (freeze) {
    const message = `${slot.words} overlaps the freeze ${JSON.stringify(freeze.reason)}: set a date outside of it`;
    problems.push({ code: 'in-freeze', message });
  }
  if (lasts < policy.shortestMinutes) {
    const message = `the window of ${slot.words} leaves ${lengthWords(lasts)} of at least ${lengthWords(policy.shortestMinutes)}${slot.notes}: set an earlier time`;
    problems.push({ code: 'window-too-short', message });
  }
  const remarks = [];
  if (window.start > now && window.start < now + lead * 60 * minuteMillis) {
    remarks.push(`; within the lead time of ${lead} h, so preparation begins at once`);
  }
  const holiday = holidays.get(slot.day);
  if (holiday !== undefined) remarks.push(`; a holiday (${holiday}), kept as the date was set`);
  return {
    slot,
    problems,
    remarks: remarks.join(''),
    ...(span.outside !== undefined && { outside: span.outside }),
  };
}

interface AllowedSpan {
  /** Minutes since the midnight of the day at which the hours that the time is in end; absent when it is in none. */
  readonly until?: number;
  /** Why the policy would not have chosen it. A day that it has not keeps the end of the hours all the same. */
  readonly outside?: string;
}

function allowedSpan(policy: CalendarPolicy, day: number, minutes: number): AllowedSpan {
  const { from, until } = allowedMinutes(policy);
  const { days, hours, name } = policy;
  const outside = `outside the allowed hours of ${name}`;
  // After midnight, hours that began on the evening before are still those of that day.
  for (const back of [0, 1]) {
    const inSpan = minutes + back * 1440;
    if (inSpan < from || inSpan >= until) continue;
    const span = { until: until - back * 1440 };
    if (days.includes(weekdayOf(day - back))) return span;
    const began = weekdayOf(day - back);
    const which = back === 0 ? began : `the hours began on ${began}, which`;
    return { ...span, outside: `${outside}: ${which} is none of its days, ${days.join(', ')}` };
  }
  return { outside: `${outside}: ${timeText(minutes)} is not within ${hours.from} to ${hours.to}` };
}
