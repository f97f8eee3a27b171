/** Owns how functions come by one-time schedules, and by all that starts campaigns. */
import type { OneTimeSchedules } from '../core/ports.ts';
import type { LaunchPorts } from '../core/use-cases/launch-campaign.ts';
import { createScheduleCalls, createSchedules } from './aws/scheduler-schedules.ts';
import { executions, notices, objects, records, type WorldWith } from './compose.ts';

type ScheduleKeys = 'scheduleGroup' | 'scheduleTarget' | 'scheduleRole' | 'scheduleDeadLetters';

export function schedules({ home, environment }: WorldWith<ScheduleKeys>): OneTimeSchedules {
  return createSchedules({
    group: environment.scheduleGroup,
    target: environment.scheduleTarget,
    role: environment.scheduleRole,
    deadLetters: environment.scheduleDeadLetters,
    calls: createScheduleCalls({ region: home.region }),
  });
}

export function launching(
  world: WorldWith<'stateTable' | 'campaignBucket' | 'campaignBucketRegion' | 'stateMachine' | 'noticeTopic'>,
): LaunchPorts {
  return {
    records: records(world),
    objects: objects(world),
    executions: executions(world),
    notices: notices(world),
  };
}
