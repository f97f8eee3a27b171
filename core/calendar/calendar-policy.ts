/** Owns the calendar part of a policy: when the servers of an environment may be patched, and how often. */
import * as z from 'zod';
import { minutesOf, weekdays } from './civil-day.ts';

const timeSchema = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'is not a time of day: write it like "02:00", in quotes');
const weekdaySchema = z.enum(weekdays);

/** As a person writes it: what is left out comes from the defaults of the environment. */
export const calendarPolicyInputSchema = z.object({
  cadence: z
    .enum(['quarterly', 'monthly', 'weekly', 'ad-hoc'])
    .optional()
    .describe('how often a server has a window; ad-hoc gives none but those that people set'),
  days: z.array(weekdaySchema).min(1).max(7).optional().describe('days on which a window may start'),
  hours: z
    .object({
      from: timeSchema,
      to: z
        .string()
        .regex(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/, 'is not a time of day: write it like "04:00", in quotes')
        .describe('at or before from, it is of the next day'),
    })
    .optional()
    .describe('on the clock of the server'),
  windowMinutes: z
    .number()
    .int()
    .min(15)
    .max(1440)
    .optional()
    .describe('length of a window; as long as the hours, if nothing is said'),
  shortestMinutes: z
    .number()
    .int()
    .min(1)
    .max(1440)
    .optional()
    .describe('a window that clocks or hours leave shorter than this is refused'),
  nth: z
    .object({
      week: z.union([z.number().int().min(1).max(4), z.literal('last')], {
        error: 'is not a week of the month: write 1 to 4, or last',
      }),
      weekday: weekdaySchema,
      offsetDays: z.number().int().min(-14).max(14).default(0),
    })
    .optional()
    .describe('the second Tuesday of a month and four days, say'),
  leadTimeHours: z
    .number()
    .int()
    .min(0)
    .max(24 * 28)
    .optional()
    .describe('time between the start of a campaign and its window'),
  daysBefore: z
    .object({ environment: z.string(), days: z.number().int().min(0).max(60) })
    .optional()
    .describe('so many days before the servers of the other environment; 0 is by itself'),
  securityWithinDays: z
    .number()
    .int()
    .min(1)
    .max(90)
    .optional()
    .describe(
      'no server goes longer without a window: where the cadence does, there are windows for security updates',
    ),
  onHoliday: z.enum(['shift', 'keep']).optional().describe('shift takes the next allowed day'),
  serversPerWindow: z.number().int().min(1).max(100_000).optional(),
  explicitDates: z
    .enum(['honour', 'approval', 'refuse'])
    .optional()
    .describe('what a date gets that a person set outside of the allowed days and hours'),
});
export type CalendarPolicyInput = z.infer<typeof calendarPolicyInputSchema>;

type Optional = 'nth' | 'daysBefore' | 'securityWithinDays' | 'serversPerWindow';
type Given = { readonly [K in keyof CalendarPolicyInput]-?: NonNullable<CalendarPolicyInput[K]> };

/** Complete; all lengths are minutes. */
export type CalendarPolicy = Omit<Given, Optional> & { readonly [K in Optional]: Given[K] | undefined } & {
  /** Of the environment. */
  readonly name: string;
};

const careful: Omit<CalendarPolicy, 'name' | 'windowMinutes'> = {
  cadence: 'quarterly',
  days: ['saturday', 'sunday'],
  hours: { from: '00:00', to: '04:00' },
  shortestMinutes: 60,
  nth: undefined,
  leadTimeHours: 24,
  daysBefore: undefined,
  securityWithinDays: undefined,
  onHoliday: 'shift',
  serversPerWindow: undefined,
  explicitDates: 'approval',
};

/** What holds by the name of an environment; other names are treated like production. */
const byName: Readonly<Record<string, Partial<CalendarPolicy>>> = {
  uat: { days: [...weekdays], daysBefore: { environment: 'production', days: 7 }, explicitDates: 'honour' },
  development: {
    cadence: 'weekly',
    days: ['tuesday', 'wednesday', 'thursday'],
    explicitDates: 'honour',
  },
};

export const defaultEnvironments = ['production', 'uat', 'development'] as const;

/**
 * The policies of all environments, with the defaults of each; `problems` name the environment and the key.
 *
 * @param given by environment; undefined where nothing is said of its calendar
 */
export function calendarPolicies(given: Readonly<Record<string, CalendarPolicyInput | undefined>>): {
  readonly policies: ReadonlyMap<string, CalendarPolicy>;
  readonly problems: readonly { readonly path: readonly string[]; readonly message: string }[];
} {
  const policies = new Map(
    Object.entries(given).map(([name, input]) => [name, withDefaults(name, input ?? {}, given)]),
  );
  const problems = [...policies.values()].flatMap((policy) =>
    problemsOf(policy, policies).map(([key, message]) => ({ path: [policy.name, key], message })),
  );
  return { policies, problems };
}

/** Minutes since midnight; the end is beyond 1440 when it is of the next day. */
export function allowedMinutes({ hours }: CalendarPolicy): { from: number; until: number } {
  const [from, to] = [minutesOf(hours.from), minutesOf(hours.to)];
  return { from, until: to > from ? to : to + 1440 };
}

function withDefaults(
  name: string,
  input: CalendarPolicyInput,
  all: Readonly<Record<string, CalendarPolicyInput | undefined>>,
): CalendarPolicy {
  const own = byName[name] ?? {};
  const { daysBefore, ...rest } = input;
  const said = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  const merged: CalendarPolicy = { ...careful, ...own, windowMinutes: 0, ...said, name };
  const { from, until } = allowedMinutes(merged);
  // A default that another environment is needed for holds only where there is one.
  const inherited = merged.daysBefore && merged.daysBefore.environment in all ? merged.daysBefore : undefined;
  const before = daysBefore === undefined ? inherited : daysBefore.days > 0 ? daysBefore : undefined;
  // Who comes before others has their cadence, unless it says another, which is refused by name.
  const cadence = input.cadence ?? (before ? cadenceOf(before.environment, all) : undefined);
  const windowMinutes = merged.windowMinutes || until - from;
  return {
    ...merged,
    windowMinutes,
    // The default is no reason to refuse short windows that somebody asked for.
    shortestMinutes: input.shortestMinutes ?? Math.min(merged.shortestMinutes, windowMinutes),
    daysBefore: before,
    ...(cadence && { cadence }),
  };
}

function cadenceOf(
  name: string,
  all: Readonly<Record<string, CalendarPolicyInput | undefined>>,
): CalendarPolicy['cadence'] {
  return all[name]?.cadence ?? byName[name]?.cadence ?? careful.cadence;
}

function problemsOf(
  policy: CalendarPolicy,
  all: ReadonlyMap<string, CalendarPolicy>,
): [key: string, message: string][] {
  const problems: [string, string][] = [];
  const { from, until } = allowedMinutes(policy);
  const { days, nth, daysBefore, windowMinutes, shortestMinutes, hours } = policy;
  const { leadTimeHours, securityWithinDays } = policy;
  if (windowMinutes > until - from) {
    const message = `is longer than the hours ${hours.from} to ${hours.to}, which leave ${until - from}: write that or less`;
    problems.push(['windowMinutes', message]);
  } else if (shortestMinutes > windowMinutes) {
    const message = `is longer than windows, which are ${windowMinutes} minutes: write that or less`;
    problems.push(['shortestMinutes', message]);
  }
  const least = Math.ceil((leadTimeHours * 60 + windowMinutes) / 1440);
  if (securityWithinDays !== undefined && securityWithinDays < least) {
    const message = `is shorter than a window with the ${leadTimeHours} h in which it is prepared: write ${least} or more, or shorten leadTimeHours`;
    problems.push(['securityWithinDays', message]);
  }
  if (nth) {
    const index = weekdays.indexOf(nth.weekday) + nth.offsetDays;
    const lands = weekdays[((index % 7) + 7) % 7] as (typeof weekdays)[number];
    if (!days.includes(lands)) {
      problems.push(['nth', `lands on ${lands}: days are ${days.join(', ')}, add it or change the offset`]);
    }
    if (policy.cadence === 'weekly') problems.push(['nth', 'is of a month: leave it out, or patch monthly']);
  }
  if (daysBefore) {
    const { environment } = daysBefore;
    const other = all.get(environment);
    const names = [...all.keys()].filter((name) => name !== policy.name).join(', ');
    if (!other || other === policy) {
      problems.push(['daysBefore', `names ${environment}: name another environment, of ${names}`]);
    } else if (other.daysBefore) {
      problems.push([
        'daysBefore',
        `names ${environment}, which itself follows another: name the last of them`,
      ]);
    } else if (other.cadence !== policy.cadence) {
      const message = `names ${environment}, which is patched ${other.cadence} and not ${policy.cadence}: write the same cadence`;
      problems.push(['daysBefore', message]);
    }
  }
  return problems;
}
