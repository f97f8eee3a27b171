/** Owns how often reboots that are jobs of their own are looked at: their windows are short. */
import { Duration } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Schedule, ScheduleExpression, ScheduleTargetInput } from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets';
import { Construct } from 'constructs';
import type { PatchFunction } from './patch-function.ts';
import { acknowledgePatterns } from './right.ts';

const interval = Duration.minutes(1);

/** A call that is lost is made up for by the next one, a minute later: there is no queue for it. */
export class Reboots extends Construct {
  constructor(scope: Construct, id: string, { run }: { readonly run: PatchFunction }) {
    super(scope, id);
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('scheduler.amazonaws.com') });
    // CDK lets a schedule call every version.
    const versions = `${run.handler.functionArn}:*`;
    acknowledgePatterns(role, [versions], 'Versions of the one function that is called');
    run.handler.configureAsyncInvoke({ maxEventAge: interval, retryAttempts: 0 });
    new Schedule(this, 'Schedule', {
      description: 'Sends reboots that are due, and settles those that were sent',
      schedule: ScheduleExpression.rate(interval),
      target: new LambdaInvoke(run.handler, {
        role,
        input: ScheduleTargetInput.fromObject({}),
        maxEventAge: interval,
        retryAttempts: 0,
      }),
    });
  }
}
