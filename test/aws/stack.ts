/**
 * Owns the resources of a synthesised stack on moto: its CloudFormation makes what it can of the template, and what it
 * lacks is made here of the same template, or left out for a reason that is said.
 */
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateScheduleGroupCommand, SchedulerClient } from '@aws-sdk/client-scheduler';
import { SetTopicAttributesCommand, SNSClient } from '@aws-sdk/client-sns';
import { type FunctionName, functions } from '../../lambdas/functions.ts';
import { ofType, type Resources } from '../support/synthesise.ts';
import { type AwsApi, createAwsApi } from './aws-api.ts';
import { type DeployedStack, deploy } from './cloud-formation.ts';
import { adapt, outputOf } from './template.ts';

export interface StackFunction {
  readonly name: FunctionName;
  readonly arn: string;
  readonly environment: Readonly<Record<string, string>>;
}

export interface StackOnMoto extends DeployedStack {
  readonly account: string;
  readonly region: string;
  readonly resources: Resources;
  readonly functions: readonly StackFunction[];
  /** As Step Functions gives it back: with the ARNs of the functions in place of its tokens. */
  readonly definition: unknown;
  /** Of the alias that campaigns start on. */
  readonly aliasArn: string;
  readonly api: AwsApi;
}

export interface StackOptions {
  /** Of moto, or of what stands before it. */
  readonly endpoint: string;
  readonly template: {
    readonly resources: Resources;
    readonly text: string;
    readonly account: string;
    readonly region: string;
  };
  /** Text of the state machine, which the template names as an asset. */
  readonly definition: string;
}

type Made = Pick<StackOnMoto, 'api' | 'resources' | 'outputs' | 'physical'>;

export async function makeStack({ endpoint, template, definition }: StackOptions): Promise<StackOnMoto> {
  const { account, region, resources } = template;
  const api = createAwsApi(endpoint, region, 'deployment');
  const client = { endpoint, region, credentials: { accessKeyId: 'deployment', secretAccessKey: 'test' } };
  const s3 = new S3Client(client);
  await putCode(s3, resources, region);
  const deployed = await deploy(api, 'Quarterdeck', adapt(JSON.parse(template.text), definition));
  const made: Made = { api, resources, ...deployed };
  await writeSettings(s3, made);
  await makeScheduleGroups(new SchedulerClient(client), made);
  await setPolicies(new SNSClient(client), made);
  const machine = await makeAlias(made);
  return { account, region, ...made, ...machine, functions: await readFunctions(made) };
}

/** What is in it does not matter: the functions that run are bundled from the sources. */
async function putCode(s3: S3Client, resources: Resources, region: string): Promise<void> {
  const code = ofType(resources, 'AWS::Lambda::Function').map(
    ([, { Properties }]) => Properties.Code as { S3Bucket: string; S3Key: string },
  );
  for (const Bucket of new Set(code.map(({ S3Bucket }) => S3Bucket)))
    await s3.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration: locationOf(region) }));
  for (const { S3Bucket: Bucket, S3Key: Key } of code)
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: emptyArchive }));
}

const locationOf = (region: string) => ({ LocationConstraint: region as 'eu-central-1' });

/** A ZIP archive of nothing is its end record alone. */
const emptyArchive = Buffer.from(`PK\u0005\u0006${'\0'.repeat(18)}`, 'latin1');

/** The call that the custom resource would make: it puts the settings where the functions read them. */
async function writeSettings(s3: S3Client, { resources, outputs }: Made): Promise<void> {
  for (const [id] of ofType(resources, 'Custom::AWS')) {
    const { service, action, parameters } = JSON.parse(outputs[outputOf(id)] ?? '');
    if (`${service} ${action}` !== 'S3 putObject')
      throw new Error(`custom resource ${id} calls ${service} ${action}: only S3 putObject is made here`);
    await s3.send(new PutObjectCommand(parameters));
  }
}

async function makeScheduleGroups(scheduler: SchedulerClient, { resources }: Made): Promise<void> {
  for (const [, { Properties }] of ofType(resources, 'AWS::Scheduler::ScheduleGroup'))
    await scheduler.send(new CreateScheduleGroupCommand({ Name: String(Properties.Name) }));
}

async function setPolicies(sns: SNSClient, made: Made): Promise<void> {
  const { api, resources, outputs, physical } = made;
  const policies = (type: string, property: string) =>
    ofType(resources, type).flatMap(([id, { Properties }]) =>
      [Properties[property]].flat().map((target) => ({
        policy: outputs[outputOf(id)] ?? '',
        target: physical[(target as { Ref: string }).Ref] ?? '',
      })),
    );
  for (const { policy: AttributeValue, target: TopicArn } of policies('AWS::SNS::TopicPolicy', 'Topics'))
    await sns.send(new SetTopicAttributesCommand({ TopicArn, AttributeName: 'Policy', AttributeValue }));
  for (const { policy: Policy, target: QueueUrl } of policies('AWS::SQS::QueuePolicy', 'Queues'))
    await api.json('sqs', 'AmazonSQS.SetQueueAttributes', { QueueUrl, Attributes: { Policy } });
  for (const [id] of ofType(resources, 'AWS::Events::EventBusPolicy')) {
    const Statement = [JSON.parse(outputs[outputOf(id)] ?? '')];
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement });
    await api.json('events', 'AWSEvents.PutPermission', { Policy });
  }
}

async function makeAlias({ api, resources, physical }: Made) {
  const [machine] = ofType(resources, 'AWS::StepFunctions::StateMachine');
  const [alias] = ofType(resources, 'AWS::StepFunctions::StateMachineAlias');
  const stateMachineArn = physical[machine?.[0] ?? ''] ?? '';
  const states = (operation: string, input: object) =>
    api.json('states', `AWSStepFunctions.${operation}`, input);
  const { stateMachineVersionArn } = await states('UpdateStateMachine', { stateMachineArn, publish: true });
  const { definition } = await states('DescribeStateMachine', { stateMachineArn });
  const { stateMachineAliasArn } = await states('CreateStateMachineAlias', {
    name: alias?.[1].Properties.Name,
    routingConfiguration: [{ stateMachineVersionArn, weight: 100 }],
  });
  return { definition: JSON.parse(String(definition)), aliasArn: String(stateMachineAliasArn) };
}

async function readFunctions({ api, physical }: Made): Promise<StackFunction[]> {
  return Promise.all(
    (Object.keys(functions) as FunctionName[]).map(async (name) => {
      const stem = name.replaceAll(/(^|-)([a-z])/g, (_, _dash, letter: string) => letter.toUpperCase());
      const id = Object.keys(physical).find((each) => new RegExp(`${stem}Function[0-9A-F]{8}$`).test(each));
      if (id === undefined) throw new Error(`the template has no function ${name}`);
      const configuration = await api.get('lambda', `/2015-03-31/functions/${physical[id]}/configuration`);
      const { FunctionArn: arn, Environment } = configuration as {
        FunctionArn: string;
        Environment: { Variables: Record<string, string> };
      };
      return { name, arn, environment: Environment.Variables };
    }),
  );
}
