/** Owns how notices reach people: one message on the topic each. */
import { PublishCommand, type PublishCommandInput, SNSClient } from '@aws-sdk/client-sns';
import type { Notices } from '../../core/ports.ts';
import type { ClientLocation } from './place-clients.ts';

/** The call of SNS that this adapter makes. */
export interface SnsCalls {
  publish(input: PublishCommandInput): Promise<unknown>;
}

export function createSnsCalls(location: ClientLocation): SnsCalls {
  const client = new SNSClient({ ...location, retryMode: 'adaptive', maxAttempts: 6 });
  return { publish: (input) => client.send(new PublishCommand(input)) };
}

export function createSnsNotices(topicArn: string, calls: SnsCalls): Notices {
  const text = (StringValue: string) => ({ DataType: 'String', StringValue });
  return {
    async send({ id, kind, campaignId, subject, text: message }) {
      await calls.publish({
        TopicArn: topicArn,
        Subject: plainSubject(subject),
        Message: message,
        MessageAttributes: {
          noticeId: text(id),
          kind: text(kind),
          ...(campaignId !== null && { campaignId: text(campaignId) }),
        },
      });
    },
  };
}

/** SNS refuses the whole message for a subject of 100 characters, with a line break, or with anything but ASCII. */
function plainSubject(subject: string): string {
  return subject.replaceAll(/[^\x20-\x7e]+/g, '?').slice(0, 99);
}
