import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { environmentNames } from '../../lambdas/environment.ts';
import { environmentOf } from '../../lambdas/functions.ts';
import { configurationFrom, exampleConfiguration, ofType, synthesise } from '../support/synthesise.ts';
import type { Moto } from './moto.ts';
import type { StackOnMoto } from './stack.ts';
import { stackOnMoto } from './stack-on-moto.ts';
import { adapt, treatments } from './template.ts';
import { placesText } from './templates/configurations.ts';

const [template] = synthesise(exampleConfiguration()).stacks;
if (template === undefined) throw new Error('the example has no stack');
const { resources } = template;
const everywhere = synthesise(configurationFrom(placesText)).stacks;
const types = [
  ...new Set(
    [template, ...everywhere].flatMap((stack) => Object.values(stack.resources)).map(({ Type }) => Type),
  ),
];

test('of every type of resource it is decided what becomes of it, and of no other', () => {
  expect(types.toSorted()).toEqual(Object.keys(treatments).toSorted());
  for (const [type, { how, why }] of Object.entries(treatments))
    expect(how === 'made' || why, type).toBeTruthy();
});

test('what refers to a resource that is not made is refused', () => {
  const broken = {
    Resources: {
      Alarm: { Type: 'AWS::CloudWatch::Alarm', Properties: {} },
      Queue: { Type: 'AWS::SQS::Queue', Properties: { QueueName: { Ref: 'Alarm' } } },
    },
  };
  expect(() => adapt(broken, '{}')).toThrow('something refers to Alarm, of type AWS::CloudWatch::Alarm');
});

describe('the stack of the example on moto', () => {
  let moto: Moto;
  let stack: StackOnMoto;
  beforeAll(async () => {
    ({ moto, stack } = await stackOnMoto());
  });
  afterAll(() => moto?.close());

  test('has every resource that is said to be made', () => {
    const expected = Object.entries(resources)
      .filter(([, { Type }]) => ['made', 'adapted'].includes(treatments[Type]?.how ?? ''))
      // moto makes inline policies, and lists them without an id.
      .filter(([, { Type }]) => Type !== 'AWS::IAM::Policy')
      .map(([id]) => id);
    expect(Object.keys(stack.physical)).toEqual(expect.arrayContaining(expected));
  });

  test('gives every function each variable that it reads', () => {
    for (const { name, environment } of stack.functions)
      expect(Object.keys(environment), name).toEqual(
        expect.arrayContaining(environmentOf(name).map((key) => environmentNames[key])),
      );
    const { environment } = stack.functions.find(({ name }) => name === 'sweep') ?? {};
    expect(environment).toMatchObject({
      STATE_TABLE: stack.outputs.StateTable,
      CAMPAIGN_BUCKET: stack.outputs.CampaignBucket,
      NOTICE_TOPIC_ARN: stack.outputs.NoticeTopic,
      STATE_MACHINE_ARN: stack.aliasArn,
    });
  });

  test('has a state machine that calls its functions', () => {
    const text = JSON.stringify(stack.definition);
    expect(text).not.toContain('${');
    for (const arn of text.match(/arn:aws:lambda:[^"]*/g) ?? [])
      expect(stack.functions.map((each) => each.arn)).toContain(arn);
  });

  test('has the table of the template, with its index, protected from deletion', async () => {
    const { Table } = (await stack.api.json('dynamodb', 'DynamoDB_20120810.DescribeTable', {
      TableName: stack.outputs.StateTable,
    })) as { Table: Record<string, unknown> };
    const [given] = ofType(resources, 'AWS::DynamoDB::Table');
    expect(Table).toMatchObject({
      KeySchema: given?.[1].Properties.KeySchema,
      GlobalSecondaryIndexes: given?.[1].Properties.GlobalSecondaryIndexes,
      DeletionProtectionEnabled: true,
    });
  });

  test('has a queue that events of the commands of campaigns reach, and they only', async () => {
    const events = [
      ['aws.ssm', 'Quarterdeck-Debian-Patch', 'Success'],
      ['aws.ssm', 'Quarterdeck-Debian-Patch', 'InProgress'],
      ['aws.ssm', 'Quarterdeck-Debian-Reboot', 'Success'],
      ['aws.ssm', 'AWS-RunShellScript', 'Success'],
      ['stranger', 'Quarterdeck-Debian-Patch', 'Success'],
    ];
    await stack.api.json('events', 'AWSEvents.PutEvents', {
      Entries: events.map(([Source, name, status], index) => ({
        Source,
        DetailType: 'EC2 Command Invocation Status-change Notification',
        Detail: JSON.stringify({ 'command-id': String(index), 'document-name': name, status }),
      })),
    });
    const messages = await received();
    expect(messages.map(({ Body }) => JSON.parse(Body).detail['command-id'])).toEqual(['0']);
  });

  test('has a queue that nobody takes from but the tests', async () => {
    const QueueUrl = queueUrl();
    for (const MessageBody of ['one', 'two', 'three', 'four', 'five', 'six'])
      await stack.api.json('sqs', 'AmazonSQS.SendMessage', { QueueUrl, MessageBody });
    // One that had been taken and given back would count more; the dead-letter queue gets it at the sixth time.
    expect((await received()).map(({ Attributes }) => Attributes.ApproximateReceiveCount)).toEqual(
      Array(6).fill('1'),
    );
  });

  const queueUrl = () =>
    Object.entries(stack.physical).find(([id]) => /EventsQueue[0-9A-F]{8}$/.test(id))?.[1];

  async function received() {
    const { Messages } = (await stack.api.json('sqs', 'AmazonSQS.ReceiveMessage', {
      QueueUrl: queueUrl(),
      MaxNumberOfMessages: 10,
      AttributeNames: ['ApproximateReceiveCount'],
    })) as { Messages: { Body: string; Attributes: { ApproximateReceiveCount: string } }[] };
    return Messages;
  }
});
