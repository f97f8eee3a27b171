/** Owns the schedule: the one rule that yields a server's windows, wherever it was written down. */
import * as z from 'zod';
import { instantSchema } from '../instant.ts';
import { isDay } from './civil-day.ts';
import type { ServerToPlan } from './server-to-plan.ts';

/** What a person set for a quarter. */
export const dateSchema = z.object({
  date: z.string().refine(isDay, 'is not a day: write it like 2027-01-09').exactOptional(),
  time: z
    .string()
    .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'is not a time: write it like 02:00')
    .exactOptional(),
  approval: z.string().max(100).exactOptional(),
});

export const ruleSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('dates'),
    dates: z.object({
      Q1: dateSchema.exactOptional(),
      Q2: dateSchema.exactOptional(),
      Q3: dateSchema.exactOptional(),
      Q4: dateSchema.exactOptional(),
    }),
  }),
  /** Five fields, on the clock of the server's zone. */
  z.object({ kind: z.literal('cron'), expression: z.string().max(200) }),
  z.object({ kind: z.literal('policy') }),
]);
export type ScheduleRule = z.infer<typeof ruleSchema>;

export const scheduleSchema = z.object({
  schema: z.literal(1),
  /** Name of the server or container. */
  server: z.string().min(1).max(255),
  rule: ruleSchema,
  by: z.string().min(1).max(255),
  at: instantSchema,
  /** Who took it away; it is kept for its history, and holds no more. */
  removed: z.object({ by: z.string().min(1).max(255), at: instantSchema }).exactOptional(),
});
export type Schedule = z.infer<typeof scheduleSchema>;

/** What the planner needs of it. */
export type RuleOfServer = Pick<Schedule, 'server' | 'rule'>;

/** `cron 0 2 * * sat`, for people. */
export function ruleWords(rule: ScheduleRule): string {
  switch (rule.kind) {
    case 'cron':
      return `cron ${rule.expression}`;
    case 'policy':
      return "the policy's default";
    case 'dates': {
      const dates = Object.entries(rule.dates).flatMap(([column, given]) =>
        given?.date === undefined ? [] : [`${column} ${given.date}`],
      );
      return dates.length > 0 ? `dates ${dates.join(', ')}` : 'dates, of which none is set';
    }
  }
}

/** All rules that a server has; more than one is one too many. A list may have dates of it, cron, or neither. */
export function rulesOf(server: ServerToPlan, stored: readonly RuleOfServer[]): ScheduleRule[] {
  const rules: ScheduleRule[] = stored.map(({ rule }) => rule);
  const { explicit = {}, cron } = server;
  if (Object.values(explicit).some((given) => given?.date !== undefined)) {
    rules.push({ kind: 'dates', dates: explicit as Extract<ScheduleRule, { kind: 'dates' }>['dates'] });
  }
  if (cron !== undefined && cron.trim() !== '') rules.push({ kind: 'cron', expression: cron });
  return rules;
}
