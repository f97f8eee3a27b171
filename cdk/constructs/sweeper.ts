/** Owns when the sweeper runs: events of Run Command are best effort, so everything that waits is looked at again. */
import { Duration, Validations } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import { Schedule, ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { PatchFunction } from './patch-function.ts';
import { acknowledgePatterns } from './right.ts';

const sweepInterval = Duration.minutes(5);

export class Sweeper extends Construct {
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, { sweep }: { readonly sweep: PatchFunction }) {
    super(scope, id);
    this.deadLetters = new Queue(this, 'DeadLetters', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    Validations.of(this.deadLetters).acknowledge({
      id: 'AwsSolutions-SQS3',
      reason: 'It is a dead-letter queue; an alarm watches it',
    });
    // The schedule's own limits end where Lambda takes a sweep; its queue would keep one for six hours, and try thrice.
    sweep.handler.configureAsyncInvoke({
      maxEventAge: sweepInterval,
      retryAttempts: 0,
      onFailure: new SqsDestination(this.deadLetters),
    });
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('scheduler.amazonaws.com') });
    // CDK lets a schedule call every version.
    const versions = `${sweep.handler.functionArn}:*`;
    acknowledgePatterns(role, [versions], 'Versions of the one function that the schedule calls');
    const target = new LambdaInvoke(sweep.handler, {
      role,
      deadLetterQueue: this.deadLetters,
      // The default is a day and 185 attempts; after five minutes the next sweep is due anyway.
      maxEventAge: sweepInterval,
      retryAttempts: 2,
    });
    new Schedule(this, 'Schedule', {
      description: 'Looks again at everything that waits',
      schedule: ScheduleExpression.rate(sweepInterval),
      target,
    });
  }
}
