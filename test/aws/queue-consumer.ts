/** Owns the event source mapping of the template: what is in its queue goes to its function, as Lambda would take it. */
import type { LocalClock } from '../../apps/local/clock.ts';
import { ofType } from '../support/synthesise.ts';
import type { RunningFunctions } from './functions.ts';
import type { StackOnMoto } from './stack.ts';

export interface QueueConsumer {
  /** Something may have come: the function gets it when the batching window is over. */
  wake(): void;
  /** Bodies of the messages that the dead-letter queue has: takes up to ten of them. */
  dead(): Promise<string[]>;
}

export interface QueueConsumerOptions {
  readonly stack: StackOnMoto;
  readonly functions: RunningFunctions;
  readonly clock: LocalClock;
}

interface Message {
  readonly MessageId: string;
  readonly ReceiptHandle: string;
  readonly Body: string;
}

/** SQS gives no more at once; Lambda puts several receives into a batch. */
const receivedAtOnce = 10;

export function consumeQueue({ stack, functions, clock }: QueueConsumerOptions): QueueConsumer {
  const { api, resources, physical } = stack;
  const [mapping] = ofType(resources, 'AWS::Lambda::EventSourceMapping');
  const properties = mapping?.[1].Properties as {
    BatchSize: number;
    MaximumBatchingWindowInSeconds: number;
    EventSourceArn: { 'Fn::GetAtt': [string, string] };
    FunctionName: { Ref: string };
    FunctionResponseTypes: readonly string[];
  };
  if (!properties.FunctionResponseTypes.includes('ReportBatchItemFailures'))
    throw new Error('the mapping takes no partial answers, which is what this consumer plays');
  const [queueId] = properties.EventSourceArn['Fn::GetAtt'];
  const QueueUrl = physical[queueId] ?? '';
  const queue = resources[queueId]?.Properties as {
    VisibilityTimeout: number;
    RedrivePolicy: { deadLetterTargetArn: { 'Fn::GetAtt': [string, string] } };
  };
  const deadUrl = physical[queue.RedrivePolicy.deadLetterTargetArn['Fn::GetAtt'][0]];
  const functionName = physical[properties.FunctionName.Ref] ?? '';
  const functionArn = stack.functions.find(({ arn }) => arn.endsWith(`:${functionName}`))?.arn ?? '';
  const sqs = (operation: string, input: object) => api.json('sqs', `AmazonSQS.${operation}`, input);

  const receive = async (): Promise<Message[]> => {
    const batch: Message[] = [];
    while (batch.length < properties.BatchSize) {
      const MaxNumberOfMessages = Math.min(receivedAtOnce, properties.BatchSize - batch.length);
      const { Messages = [] } = (await sqs('ReceiveMessage', { QueueUrl, MaxNumberOfMessages })) as {
        Messages?: Message[];
      };
      if (Messages.length === 0) break;
      batch.push(...Messages);
    }
    return batch;
  };

  /** What failed is seen again after the queue's time, which is the campaign's and not moto's. */
  const comeAgain = ({ ReceiptHandle }: Message) =>
    later(queue.VisibilityTimeout, async () => {
      await sqs('ChangeMessageVisibility', { QueueUrl, ReceiptHandle, VisibilityTimeout: 0 });
      await poll();
    });

  const poll = async (): Promise<void> => {
    for (let batch = await receive(); batch.length > 0; batch = await receive()) {
      const event = { Records: batch.map(({ MessageId, Body }) => ({ messageId: MessageId, body: Body })) };
      const answer = functions.invoke(functionArn, event, clock.now()).catch(() => undefined);
      const failed = failures(await answer, batch);
      for (const message of batch) {
        if (failed.has(message.MessageId)) comeAgain(message);
        else await sqs('DeleteMessage', { QueueUrl, ReceiptHandle: message.ReceiptHandle });
      }
    }
  };

  const later = (seconds: number, act: () => Promise<void>) =>
    void clock.at(clock.now() + seconds * 1000, () => void clock.busy(act));

  let isAwake = false;
  return {
    wake() {
      if (isAwake) return;
      isAwake = true;
      later(properties.MaximumBatchingWindowInSeconds, async () => {
        isAwake = false;
        await poll();
      });
    },
    async dead() {
      const input = { QueueUrl: deadUrl, MaxNumberOfMessages: receivedAtOnce };
      const { Messages = [] } = (await sqs('ReceiveMessage', input)) as { Messages?: Message[] };
      return Messages.map(({ Body }) => Body);
    },
  };
}

/** A function that failed has failed all of its batch. */
function failures(answer: unknown, batch: readonly Message[]): ReadonlySet<string> {
  if (answer === undefined) return new Set(batch.map(({ MessageId }) => MessageId));
  const { batchItemFailures } = answer as { batchItemFailures: { itemIdentifier: string }[] };
  return new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
}
