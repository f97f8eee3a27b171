/** Owns one-time schedules on EventBridge Scheduler: those of one group, which all call the same function. */
import { randomUUID } from 'node:crypto';
import {
  ConflictException,
  CreateScheduleCommand,
  type CreateScheduleCommandInput,
  DeleteScheduleCommand,
  type DeleteScheduleCommandInput,
  GetScheduleCommand,
  type GetScheduleCommandInput,
  type GetScheduleCommandOutput,
  ListSchedulesCommand,
  type ListSchedulesCommandInput,
  type ListSchedulesCommandOutput,
  ResourceNotFoundException,
  SchedulerClient,
  UpdateScheduleCommand,
  type UpdateScheduleCommandInput,
} from '@aws-sdk/client-scheduler';
import type { Instant } from '../../core/instant.ts';
import { inParallel } from '../../core/parallel.ts';
import type { OneTimeSchedule, OneTimeSchedules } from '../../core/ports.ts';
import type { ClientLocation } from './place-clients.ts';

/** The calls of EventBridge Scheduler that this adapter makes. */
export interface ScheduleCalls {
  listSchedules(
    input: ListSchedulesCommandInput,
  ): Promise<Pick<ListSchedulesCommandOutput, 'Schedules' | 'NextToken'>>;
  getSchedule(
    input: GetScheduleCommandInput,
  ): Promise<
    Pick<
      GetScheduleCommandOutput,
      'ScheduleExpression' | 'ScheduleExpressionTimezone' | 'State' | 'FlexibleTimeWindow' | 'Target'
    >
  >;
  createSchedule(input: CreateScheduleCommandInput): Promise<unknown>;
  updateSchedule(input: UpdateScheduleCommandInput): Promise<unknown>;
  deleteSchedule(input: DeleteScheduleCommandInput): Promise<unknown>;
}

export function createScheduleCalls(location: ClientLocation): ScheduleCalls {
  const client = new SchedulerClient({ ...location, retryMode: 'adaptive', maxAttempts: 6 });
  return {
    listSchedules: (input) => client.send(new ListSchedulesCommand(input)),
    getSchedule: (input) => client.send(new GetScheduleCommand(input)),
    createSchedule: (input) => client.send(new CreateScheduleCommand(input)),
    updateSchedule: (input) => client.send(new UpdateScheduleCommand(input)),
    deleteSchedule: (input) => client.send(new DeleteScheduleCommand(input)),
  };
}

export interface SchedulesOptions {
  readonly group: string;
  /** ARN of the function that is called. */
  readonly target: string;
  /** ARN of the role with which Scheduler calls it. */
  readonly role: string;
  /** ARN of the queue for what could not be delivered. */
  readonly deadLetters: string;
  readonly calls: ScheduleCalls;
}

/**
 * The defaults are a day and 185 attempts: a campaign would start long after anybody expects it. What is given up here
 * lies in the queue, and the next planning or check finds that the campaign has not started.
 */
const patience = { MaximumEventAgeInSeconds: 3600, MaximumRetryAttempts: 10 };

/** GetSchedule calls under way at once: a listing says neither when a schedule fires nor what it tells. */
const readingAtOnce = 8;

export function createSchedules(options: SchedulesOptions): OneTimeSchedules {
  const { group: GroupName, calls } = options;
  const create = async (schedule: OneTimeSchedule): Promise<void> => {
    // A token made of the schedule would let Scheduler take the second of two alike, the first deleted, for a repeat.
    await calls.createSchedule({ ...inFull(options, schedule), ClientToken: randomUUID() });
  };
  const update = async (schedule: OneTimeSchedule): Promise<void> => {
    await calls.updateSchedule({ ...inFull(options, schedule), ClientToken: randomUUID() });
  };
  return {
    async list() {
      const names: string[] = [];
      let NextToken: string | undefined;
      do {
        const page = await calls.listSchedules({
          GroupName,
          MaxResults: 100,
          ...(NextToken && { NextToken }),
        });
        names.push(...(page.Schedules ?? []).flatMap(({ Name }) => Name ?? []));
        NextToken = page.NextToken;
      } while (NextToken);
      const read = await inParallel(names, readingAtOnce, async (name) => {
        try {
          return [scheduleOf(options, name, await calls.getSchedule({ GroupName, Name: name }))];
        } catch (error) {
          // It fired between the two calls.
          if (error instanceof ResourceNotFoundException) return [];
          throw error;
        }
      });
      return read.flat();
    },
    async create(schedule) {
      try {
        await create(schedule);
      } catch (error) {
        if (!(error instanceof ConflictException)) throw error;
        await update(schedule);
      }
    },
    async update(schedule) {
      try {
        await update(schedule);
      } catch (error) {
        if (!(error instanceof ResourceNotFoundException)) throw error;
        await create(schedule);
      }
    },
    async delete(Name) {
      try {
        await calls.deleteSchedule({ GroupName, Name, ClientToken: randomUUID() });
      } catch (error) {
        if (!(error instanceof ResourceNotFoundException)) throw error;
      }
    },
  };
}

/** UpdateSchedule forgets whatever it is not told. */
function inFull(
  { group, target, role, deadLetters }: SchedulesOptions,
  { name, at, input }: OneTimeSchedule,
): CreateScheduleCommandInput {
  return {
    Name: name,
    GroupName: group,
    ScheduleExpression: `at(${at.slice(0, 19)})`,
    // Never the zone of a server: Scheduler leaves out local times that do not exist.
    ScheduleExpressionTimezone: 'UTC',
    FlexibleTimeWindow: { Mode: 'OFF' },
    State: 'ENABLED',
    ActionAfterCompletion: 'DELETE',
    Target: {
      Arn: target,
      RoleArn: role,
      Input: JSON.stringify(input),
      DeadLetterConfig: { Arn: deadLetters },
      RetryPolicy: patience,
    },
  };
}

/** One that somebody has changed by hand, or an earlier release made, tells nothing, so that it is put right. */
function scheduleOf(
  { target, role }: SchedulesOptions,
  name: string,
  found: Awaited<ReturnType<ScheduleCalls['getSchedule']>>,
): OneTimeSchedule {
  const { ScheduleExpression = '', ScheduleExpressionTimezone, State, FlexibleTimeWindow, Target } = found;
  const at = momentOf(ScheduleExpression);
  const isOurs =
    at !== undefined &&
    ScheduleExpressionTimezone === 'UTC' &&
    State === 'ENABLED' &&
    FlexibleTimeWindow?.Mode === 'OFF' &&
    Target?.Arn === target &&
    Target.RoleArn === role;
  return { name, at: at ?? never, input: isOurs ? inputOf(Target.Input) : undefined };
}

/** Sorts behind every moment that is planned for. */
const never: Instant = '9999-12-31T00:00:00.000Z';

function momentOf(expression: string): Instant | undefined {
  const [, text] = /^at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)$/.exec(expression) ?? [];
  return text === undefined ? undefined : `${text}.000Z`;
}

function inputOf(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}
