/** Gives a server its one active schedule, or changes it when that was asked for. */
import * as z from 'zod';
import { CronError, parseCron } from '../calendar/cron.ts';
import type { PlannedWindow } from '../calendar/quarter-plan.ts';
import { ruleWords, type Schedule, scheduleSchema } from '../calendar/schedule.ts';
import { create, load, scheduleKey, schedules, update } from '../entities.ts';
import { type Instant, instantSchema, plusSeconds } from '../instant.ts';
import type { Ports } from '../ports.ts';

export const setScheduleInput = z.object({
  ...scheduleSchema.pick({ server: true, rule: true, by: true }).shape,
  /** Whether a schedule that is there may be replaced. */
  change: z.boolean().default(false),
  /** Whether it may be, although campaigns have been prepared by the old one. */
  force: z.boolean().default(false),
  leadTimeHours: z.number().int().min(0),
  /** Windows that the server has by the plan that holds now. */
  planned: z.array(
    z.object({
      start: instantSchema,
      end: instantSchema,
      campaign: z.string(),
      localStart: z.string(),
      zone: z.string(),
    }),
  ),
});
type Planned = Pick<PlannedWindow, 'start' | 'end' | 'campaign' | 'localStart' | 'zone'>;

/** The schedule stays as it is; the message says why, and what to do about it. */
export class ScheduleRefused extends Error {
  readonly code: 'second-schedule' | 'invalid-schedule' | 'lead-time';

  constructor(code: ScheduleRefused['code'], message: string) {
    super(message);
    this.name = 'ScheduleRefused';
    this.code = code;
  }
}

/**
 * @returns the windows that the change affects: those of campaigns that are open or inside their lead time
 * @throws ScheduleRefused
 */
export async function setSchedule(
  ports: Pick<Ports, 'records'>,
  input: z.input<typeof setScheduleInput>,
  now: Instant,
): Promise<readonly Planned[]> {
  const { server, rule, by, change, force, leadTimeHours, planned } = setScheduleInput.parse(input);
  if (rule.kind === 'cron') refuseWrongCron(rule.expression);
  const schedule: Schedule = { schema: 1, server, rule, by, at: now };
  const key = scheduleKey(server);
  const affected = affectedBy(planned, leadTimeHours, now);
  if (change) {
    if (affected.length > 0 && !force) {
      const which = affected.map((window) => `${window.campaign} (${window.localStart} in ${window.zone})`);
      const message = `${server} is in campaigns whose preparation has begun: ${which.join(', ')}; wait for their end, or use --force to take it out of them`;
      throw new ScheduleRefused('lead-time', message);
    }
    await update(ports.records, schedules, key, () => schedule);
    return affected;
  }
  if (await create(ports.records, schedules, schedule)) return affected;
  const first = await load(ports.records, schedules, key);
  // The same word said twice, by a retry, say, is no second schedule.
  if (JSON.stringify(first.rule) === JSON.stringify(rule)) return [];
  const message = `${server} has a schedule already, ${ruleWords(first.rule)}, set by ${first.by} at ${first.at}: change that one`;
  throw new ScheduleRefused('second-schedule', message);
}

function affectedBy(planned: readonly Planned[], leadTimeHours: number, now: Instant): Planned[] {
  return planned.filter(({ start, end }) => plusSeconds(start, -leadTimeHours * 3600) <= now && now < end);
}

function refuseWrongCron(expression: string): void {
  try {
    parseCron(expression);
  } catch (error) {
    if (error instanceof CronError) throw new ScheduleRefused('invalid-schedule', error.message);
    throw error;
  }
}
