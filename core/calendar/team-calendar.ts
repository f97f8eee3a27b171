/** Owns the calendar of a team as it is configured: quarters, freezes, holidays and HA groups. */
import * as z from 'zod';
import { defaultQuarters, type QuarterCalendar } from '../quarter.ts';
import { isDay } from './civil-day.ts';

const monthNames = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
] as const;

const monthSchema = z.union([z.number().int().min(1).max(12), z.enum(monthNames)], {
  error: 'is not a month: write 1 to 12, or january to december',
});
const reason = z.string().min(1).max(200).describe('is told wherever the freeze moves something');
const environments = z.array(z.string()).min(1).optional().describe('all, if nothing is said');
const zone = z.string().optional().describe('IANA name; each server by its own clock, if nothing is said');

/** How a day or moment is written, by how often the freeze comes. */
const forms = {
  once: {
    fits: (value: string | number) =>
      typeof value === 'string' &&
      isDay(value.slice(0, 10)) &&
      /^(T([01]\d|2[0-3]):[0-5]\d)?$/.test(value.slice(10)),
    message: 'is neither a day nor a local time: write it like 2026-12-18 or 2026-12-18T18:00',
  },
  year: {
    fits: (value: string | number) => typeof value === 'string' && isDay(`2028-${value}`),
    message: 'is not a day of the year: write it like 12-24',
  },
  month: {
    fits: (value: string | number) =>
      typeof value === 'number' && Number.isInteger(value) && Math.abs(value) >= 1 && Math.abs(value) <= 31,
    message: 'is not a day of a month: write 1 to 31, or -1 for the last',
  },
} as const;

/** To compare by: a day that has no time is frozen from its midnight, and to the next. */
function momentText(written: string | number, timeOfDay: string): string {
  const text = String(written);
  return text.includes('T') ? text : `${text}T${timeOfDay}`;
}

const edge = z.union([z.string(), z.number()], { error: forms.once.message });
const freezeSchema = z
  .object({
    every: z.enum(['year', 'month']).optional().describe('once, if nothing is said'),
    from: edge.describe('2026-12-18 or 2026-12-18T18:00; 12-18 of every year; 28 of every month'),
    to: edge.describe('written like from; a day is frozen to its end'),
    zone,
    reason,
    environments,
  })
  .superRefine((freeze, context) => {
    const { fits, message } = forms[freeze.every ?? 'once'];
    const edges = Object.entries({ from: freeze.from, to: freeze.to });
    const wrong = edges.filter(([, value]) => !fits(value));
    for (const [key, input] of wrong) context.addIssue({ code: 'custom', path: [key], message, input });
    if (freeze.every !== undefined || wrong.length > 0) return;
    const [begins, until] = [momentText(freeze.from, '00:00'), momentText(freeze.to, '24:00')];
    if (until <= begins) {
      const ends = `is not after ${freeze.from}: write a later day`;
      context.addIssue({ code: 'custom', path: ['to'], message: ends, input: freeze.to });
    }
  });
export type Freeze = z.infer<typeof freezeSchema>;

const holidaySchema = z.object({
  date: z
    .string()
    .refine(
      (text) => isDay(text) || isDay(`2028-${text}`),
      'is not a day: write it like 2027-04-02, or 12-25 for each year',
    ),
  name: z.string().min(1).max(100),
  zones: z.array(z.string()).min(1).optional().describe('where it is one; everywhere, if nothing is said'),
});
export type Holiday = z.infer<typeof holidaySchema>;

export const teamCalendarSchema = z.object({
  firstMonth: monthSchema.optional().describe('of the first quarter, when all have three months'),
  quarters: z
    .array(
      z.object({
        name: z
          .string()
          .regex(/^[\p{L}\p{N}][\p{L}\p{N} _-]{0,19}$/u, 'is not a name: letters, digits, spaces and dashes'),
        months: z.array(monthSchema).min(1).max(12),
      }),
    )
    .length(4, 'must be four, as server lists have columns for')
    .optional()
    .describe('in order, when they differ in length or name'),
  quarterYear: z
    .enum(['cycle-end', 'cycle-start'])
    .default('cycle-end')
    .describe('whether 2027-Q1 is of the cycle that ends or that starts in 2027'),
  freezes: z.array(freezeSchema).max(500).default([]).describe('no window overlaps them'),
  holidays: z.array(holidaySchema).max(2000).default([]),
  haGroups: z
    .record(z.string(), z.array(z.string()).min(2))
    .default({})
    .describe('names of servers of which never two are patched at once'),
});
export type TeamCalendar = z.infer<typeof teamCalendarSchema>;

/** The quarters, or what is wrong with them: gaps and overlaps, with the months named. */
export function quartersOf(
  calendar: Pick<TeamCalendar, 'firstMonth' | 'quarters' | 'quarterYear'>,
): { readonly calendar: QuarterCalendar } | { readonly problem: string } {
  const { firstMonth, quarters, quarterYear: year } = calendar;
  const first = firstMonth === undefined ? undefined : monthNumber(firstMonth);
  if (quarters === undefined) {
    if (first === undefined) return { calendar: { ...defaultQuarters, year } };
    const months = Array.from({ length: 12 }, (_, index) => ((first - 1 + index) % 12) + 1);
    const names = defaultQuarters.quarters.map(({ name }) => name);
    return {
      calendar: {
        year,
        quarters: names.map((name, index) => ({ name, months: months.slice(index * 3, index * 3 + 3) })),
      },
    };
  }
  const named = quarters.map(({ name, months }) => ({ name, months: months.map(monthNumber) }));
  const problem = whyNoCycle(named, first);
  return problem === undefined ? { calendar: { year, quarters: named } } : { problem };
}

function whyNoCycle(quarters: QuarterCalendar['quarters'], first: number | undefined): string | undefined {
  const all = quarters.flatMap(({ months }) => months);
  const missing = monthNames.filter((_, index) => !all.includes(index + 1));
  const doubled = monthNames.filter((_, index) => all.filter((month) => month === index + 1).length > 1);
  const gap = `leave a gap: ${missing.join(', ')} must be in a quarter`;
  if (doubled.length > 0) {
    const owners = doubled.map((name) => {
      const month = monthNames.indexOf(name) + 1;
      const within = quarters.filter(({ months }) => months.includes(month)).map((quarter) => quarter.name);
      return `${name} (${within.join(' and ')})`;
    });
    const overlap = `they overlap: ${owners.join(', ')} must be in one quarter only`;
    return missing.length > 0 ? `${overlap}, and ${gap}` : overlap;
  }
  if (missing.length > 0) return `they ${gap}`;
  const names = quarters.map(({ name }) => name.toLowerCase());
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) return `they have the name ${twice} twice: give each its own`;
  const jump = all.findIndex((month, index) => index > 0 && month !== ((all[index - 1] as number) % 12) + 1);
  if (jump > 0) {
    const [before, after] = [all[jump - 1], all[jump]].map((month) => monthNames[(month as number) - 1]);
    return `they are out of order: ${after} follows ${before}, write the months one after the other`;
  }
  if (first !== undefined && first !== all[0]) {
    const [said, begins] = [first, all[0] as number].map((month) => monthNames[month - 1]);
    return `they begin in ${begins}, and firstMonth says ${said}: leave firstMonth out`;
  }
  return undefined;
}

function monthNumber(month: z.infer<typeof monthSchema>): number {
  return typeof month === 'number' ? month : monthNames.indexOf(month) + 1;
}
