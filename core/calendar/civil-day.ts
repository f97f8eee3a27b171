/** Owns days of the calendar as numbers, days since 1970-01-01 in no zone, so that planning can add and compare. */

export const weekdays = [
  'sunday',
  'monday',
  'tuesday',
  'wednesday',
  'thursday',
  'friday',
  'saturday',
] as const;
export type Weekday = (typeof weekdays)[number];

export const dayMillis = 86_400_000;
export const minuteMillis = 60_000;

/** @param text `2027-01-09` */
export function dayNumber(text: string): number {
  return Math.floor(Date.parse(`${text}T00:00:00Z`) / dayMillis);
}

/** @returns `2027-01-09` */
export function dayText(day: number): string {
  return new Date(day * dayMillis).toISOString().slice(0, 10);
}

/** Whether the text is a day, and one that exists: 30 February does not. */
export function isDay(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false;
  const day = dayNumber(text);
  return !Number.isNaN(day) && dayText(day) === text;
}

export function weekdayOf(day: number): Weekday {
  // 1970-01-01 was a Thursday.
  return weekdays[(((day + 4) % 7) + 7) % 7] as Weekday;
}

/** `Saturday 2027-01-09` */
export function dayWords(day: number): string {
  const name = weekdayOf(day);
  return `${name.charAt(0).toUpperCase()}${name.slice(1)} ${dayText(day)}`;
}

export function dateOf(day: number): { year: number; month: number; dayOfMonth: number } {
  const date = new Date(day * dayMillis);
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, dayOfMonth: date.getUTCDate() };
}

/** First day of a month; months beyond 1 to 12 run into the neighbouring years. */
export function firstOfMonth(year: number, month: number): number {
  return Date.UTC(year, month - 1, 1) / dayMillis;
}

/** @param text `02:30`, or `24:00` for the end of a day */
export function minutesOf(text: string): number {
  const [hours, minutes] = text.split(':').map(Number) as [number, number];
  return hours * 60 + minutes;
}

/** @param minutes since midnight; beyond a day it is the time of the next */
export function timeText(minutes: number): string {
  const inDay = ((minutes % 1440) + 1440) % 1440;
  return `${String(Math.floor(inDay / 60)).padStart(2, '0')}:${String(inDay % 60).padStart(2, '0')}`;
}
