/** Owns when backups are looked after: those that are due every hour, snapshots every night, a restore of some every week. */
import { Duration, TimeZone } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Schedule, ScheduleExpression, ScheduleTargetInput } from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets';
import { Construct } from 'constructs';
import type { PatchFunction } from './patch-function.ts';
import { acknowledgePatterns } from './right.ts';

export interface BackupCareProps {
  readonly tend: PatchFunction;
  readonly test: PatchFunction;
  readonly expire: PatchFunction;
}

/**
 * A call that is lost is made up for by the next, and functions that fail have an alarm each, so there is no queue for
 * what could not be delivered.
 */
export class BackupCare extends Construct {
  constructor(scope: Construct, id: string, { tend, test, expire }: BackupCareProps) {
    super(scope, id);
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('scheduler.amazonaws.com') });
    const call = (fn: PatchFunction) => {
      // CDK lets a schedule call every version.
      acknowledgePatterns(role, [`${fn.handler.functionArn}:*`], 'Versions of a function that is called');
      fn.handler.configureAsyncInvoke({ maxEventAge: Duration.hours(1), retryAttempts: 1 });
      return new LambdaInvoke(fn.handler, {
        role,
        input: ScheduleTargetInput.fromObject({}),
        maxEventAge: Duration.hours(1),
        retryAttempts: 3,
      });
    };
    new Schedule(this, 'Tend', {
      description: 'Reads backups that are due for it, and removes those that have had their time',
      schedule: ScheduleExpression.rate(Duration.hours(1)),
      target: call(tend),
    });
    new Schedule(this, 'Expire', {
      description: 'Deletes the snapshots that have had their time',
      schedule: ScheduleExpression.cron({ minute: '30', hour: '3', timeZone: TimeZone.ETC_UTC }),
      target: call(expire),
    });
    new Schedule(this, 'Test', {
      description: 'Restores some backups into a scratch place',
      // When people are at work who read what it found.
      schedule: ScheduleExpression.cron({
        minute: '0',
        hour: '9',
        weekDay: 'TUE',
        timeZone: TimeZone.ETC_UTC,
      }),
      target: call(test),
    });
  }
}
