/** Owns the topic on which people hear of campaigns and alarms. */
import { Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import type { DataKey } from './data-key.ts';
import type { PatchFunction } from './patch-function.ts';

export interface NoticeTopicProps {
  readonly key: DataKey;
  readonly emails: readonly string[];
}

export class NoticeTopic extends Construct {
  readonly topic: Topic;
  private readonly key: DataKey;

  constructor(scope: Construct, id: string, { key, emails }: NoticeTopicProps) {
    super(scope, id);
    this.key = key;
    this.topic = new Topic(this, 'Topic', {
      displayName: 'Quarterdeck',
      masterKey: key.key,
      enforceSSL: true,
    });
    // A topic with a policy of its own has lost the default one, by which alarms of the account could publish.
    this.topic.addToResourcePolicy(
      new PolicyStatement({
        sid: 'AlarmsPublish',
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [this.topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    );
    for (const email of emails) this.topic.addSubscription(new EmailSubscription(email));
  }

  grantNotices(fn: PatchFunction): void {
    fn.allow({ actions: ['sns:Publish'], resources: [this.topic.topicArn] });
    this.key.grantUse(fn);
    fn.setVariable('noticeTopic', this.topic.topicArn);
  }
}
