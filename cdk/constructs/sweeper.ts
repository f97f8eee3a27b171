/** Owns when the sweeper runs: events of Run Command are best effort, so everything that waits is looked at again. */
import { Duration } from 'aws-cdk-lib';
import { Schedule, ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { PatchFunction } from './patch-function.ts';

export const sweepInterval = Duration.minutes(5);

export class Sweeper extends Construct {
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, { sweep }: { readonly sweep: PatchFunction }) {
    super(scope, id);
    this.deadLetters = new Queue(this, 'DeadLetters', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    const target = new LambdaInvoke(sweep.handler, {
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
