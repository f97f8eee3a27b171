/** Owns the way of Run Command's events: rule, queue, the function that settles them, and where those end that it can not. */
import { Duration } from 'aws-cdk-lib';
import { Match, Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { sentDocuments } from '../../core/document.ts';
import { phaseSchema } from '../../core/phase.ts';
import { functions } from '../../lambdas/functions.ts';
import type { PatchFunction } from './patch-function.ts';

/**
 * Everybody's commands come over the bus; campaigns wait for theirs, and only for those that have ended. Of what else we
 * send, reboots above all, nobody would take the event: it would come again, and end among the dead letters.
 */
export const commandEventPattern = {
  source: ['aws.ssm'],
  detailType: ['EC2 Command Invocation Status-change Notification'],
  detail: {
    'document-name': sentDocuments(phaseSchema.options),
    status: Match.anythingBut('Pending', 'InProgress', 'Delayed', 'Cancelling'),
  },
};

const encrypted = { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true } as const;

export class CommandEvents extends Construct {
  readonly queue: Queue;
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, { settleEvents }: { readonly settleEvents: PatchFunction }) {
    super(scope, id);
    this.deadLetters = new Queue(this, 'DeadLetters', { ...encrypted, retentionPeriod: Duration.days(14) });
    this.queue = new Queue(this, 'Queue', {
      ...encrypted,
      // What AWS asks for, so that no event comes again while it is still worked on.
      visibilityTimeout: Duration.seconds(6 * functions['settle-events'].timeoutSeconds),
      // An event that comes before its command is recorded comes again.
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: 5 },
    });
    new Rule(this, 'Rule', {
      description: 'Commands of Quarterdeck that have ended on a server',
      eventPattern: commandEventPattern,
      targets: [
        new SqsQueue(this.queue, {
          deadLetterQueue: this.deadLetters,
          // Later than this, the sweeper has looked several times.
          maxEventAge: Duration.hours(1),
        }),
      ],
    });
    settleEvents.handler.addEventSource(
      new SqsEventSource(this.queue, {
        // One look serves all events of a command, so a few seconds of waiting save most looks.
        batchSize: 50,
        maxBatchingWindow: Duration.seconds(5),
        reportBatchItemFailures: true,
      }),
    );
  }
}
