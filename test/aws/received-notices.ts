/** Owns a queue that is subscribed to the topic: what people would get, as SNS delivers it. */
import { SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import type { AwsApi } from './aws-api.ts';

interface ReceivedNotice {
  readonly subject: string;
  readonly text: string;
  /** Message attributes, by name. */
  readonly attributes: Readonly<Record<string, string>>;
}

export interface Subscription {
  /** All that has come since the last time, in its order. */
  received(): Promise<ReceivedNotice[]>;
}

/** @param endpoint of moto */
export async function subscribe(
  api: AwsApi,
  endpoint: string,
  region: string,
  TopicArn: string,
): Promise<Subscription> {
  const { QueueUrl } = await api.json('sqs', 'AmazonSQS.CreateQueue', { QueueName: 'people' });
  const { Attributes } = (await api.json('sqs', 'AmazonSQS.GetQueueAttributes', {
    QueueUrl,
    AttributeNames: ['QueueArn'],
  })) as { Attributes: { QueueArn: string } };
  const sns = new SNSClient({
    endpoint,
    region,
    credentials: { accessKeyId: 'people', secretAccessKey: 'test' },
  });
  await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint: Attributes.QueueArn }));
  sns.destroy();
  return {
    async received() {
      const found: ReceivedNotice[] = [];
      for (;;) {
        const { Messages = [] } = (await api.json('sqs', 'AmazonSQS.ReceiveMessage', {
          QueueUrl,
          MaxNumberOfMessages: 10,
        })) as { Messages?: { Body: string; ReceiptHandle: string }[] };
        if (Messages.length === 0) return found;
        for (const { Body, ReceiptHandle } of Messages) {
          found.push(noticeOf(JSON.parse(Body)));
          await api.json('sqs', 'AmazonSQS.DeleteMessage', { QueueUrl, ReceiptHandle });
        }
      }
    },
  };
}

interface Delivery {
  readonly Subject: string;
  readonly Message: string;
  readonly MessageAttributes: Readonly<Record<string, { readonly Value: string }>>;
}

function noticeOf({ Subject: subject, Message: text, MessageAttributes }: Delivery): ReceivedNotice {
  const attributes = Object.entries(MessageAttributes).map(([name, { Value }]) => [name, Value]);
  return { subject, text, attributes: Object.fromEntries(attributes) };
}
