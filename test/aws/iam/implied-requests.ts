/**
 * Owns what AWS itself asks for on behalf of the resources of a template: what no handler calls, and no campaign records.
 * Every type of resource has an entry, also those that nobody asks rights for, so that a new one is thought of.
 */
import { type AccessModel, referenced } from './access-model.ts';
import { machineRequests } from './machine-requests.ts';
import { requestsOf } from './recorded-requests.ts';
import { type AccessRequest, accountOf } from './request.ts';
import { arnOf, type Deployed, physicalIdOf, resolved } from './template-values.ts';

type Wanted = Omit<AccessRequest, 'from' | 'account'> & { readonly account?: string };
type Rule = (stack: Deployed, id: string, properties: Readonly<Record<string, unknown>>) => Wanted[];

const none: Rule = () => [];

/** @param keyOf ARN of the key that a bucket, table or topic is encrypted with, by its ARN */
export function impliedRequests(
  { deployed }: AccessModel,
  keyOf: (arn: string) => string | undefined,
): AccessRequest[] {
  return deployed.flatMap((stack) =>
    Object.entries(stack.resources).flatMap(([id, { Type, Properties }]) => {
      const rule = rules(keyOf)[Type];
      if (rule === undefined)
        throw new Error(`${Type} (${id}): say in implied-requests.ts what AWS asks for on its behalf`);
      return rule(stack, id, Properties).map((wanted) => ({
        account: accountOf(wanted.resource) || stack.account,
        from: `${Type} ${id}`,
        ...wanted,
      }));
    }),
  );
}

const rules = (keyOf: (arn: string) => string | undefined): Readonly<Record<string, Rule>> => ({
  'AWS::Lambda::Function': ofFunction,
  // What Lambda's guide lists as the rights for a queue: receive, delete and look.
  'AWS::Lambda::EventSourceMapping': (stack, _, { FunctionName, EventSourceArn }) =>
    ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'].map((action) => ({
      principal: roleOfFunction(stack, referenced(FunctionName)),
      action,
      resource: String(resolved(stack, EventSourceArn)),
    })),
  'AWS::Lambda::EventInvokeConfig': (stack, _, { FunctionName, DestinationConfig }) => {
    // One that only says how often is tried again has no destinations.
    const destinations = resolved(stack, DestinationConfig ?? {}) as Record<string, { Destination: string }>;
    return Object.values(destinations).map(({ Destination }) => ({
      principal: roleOfFunction(stack, referenced(FunctionName)),
      action: 'sqs:SendMessage',
      resource: Destination,
    }));
  },
  'AWS::CloudWatch::Alarm': (stack, _, { AlarmActions }) =>
    (resolved(stack, AlarmActions) as string[]).flatMap((topic) => {
      const key = keyOf(topic);
      const asked = [['sns:Publish', topic] as const];
      const onKey = key === undefined ? [] : (['kms:Decrypt', 'kms:GenerateDataKey'] as const);
      return [...asked, ...onKey.map((action) => [action, String(key)] as const)].map(
        ([action, resource]) => ({
          principal: 'cloudwatch.amazonaws.com',
          action,
          resource,
          context: { 'aws:SourceAccount': stack.account },
        }),
      );
    }),
  'AWS::Events::Rule': ofRule,
  'AWS::Scheduler::Schedule': (stack, _, { Target }) => {
    const { Arn, RoleArn, DeadLetterConfig } = resolved(stack, Target) as TargetShape;
    return [
      becoming('scheduler.amazonaws.com', String(RoleArn)),
      { principal: String(RoleArn), action: 'lambda:InvokeFunction', resource: Arn },
      ...(DeadLetterConfig
        ? [{ principal: String(RoleArn), action: 'sqs:SendMessage', resource: DeadLetterConfig.Arn }]
        : []),
    ];
  },
  // Of its schedules, which are made when campaigns are planned: what the function that makes them tells each.
  'AWS::Scheduler::ScheduleGroup': (stack, id) => {
    const group = physicalIdOf(stack, id);
    const asked = Object.values(stack.resources).flatMap(({ Type, Properties }) => {
      if (Type !== 'AWS::Lambda::Function') return [];
      const { Environment } = resolved(stack, { Environment: Properties.Environment ?? {} }) as {
        Environment: { Variables?: Record<string, string> };
      };
      const { SCHEDULE_GROUP, SCHEDULE_TARGET_ARN, SCHEDULE_ROLE_ARN, SCHEDULE_DEAD_LETTERS_ARN } =
        Environment.Variables ?? {};
      if (SCHEDULE_GROUP !== group) return [];
      const principal = String(SCHEDULE_ROLE_ARN);
      return [
        {
          ...becoming('scheduler.amazonaws.com', principal),
          context: { 'aws:SourceAccount': stack.account, 'aws:SourceArn': arnOf(stack, id) },
        },
        { principal, action: 'lambda:InvokeFunction', resource: String(SCHEDULE_TARGET_ARN) },
        { principal, action: 'sqs:SendMessage', resource: String(SCHEDULE_DEAD_LETTERS_ARN) },
      ];
    });
    if (asked.length === 0) throw new Error(`no function makes schedules in ${id}`);
    return asked;
  },
  'AWS::S3::Bucket': (stack, id, { LoggingConfiguration }) => {
    const { DestinationBucketName } = (LoggingConfiguration ?? {}) as { DestinationBucketName?: unknown };
    if (DestinationBucketName === undefined) return [];
    const target = arnOf(stack, referenced(DestinationBucketName));
    return [
      {
        principal: 'logging.s3.amazonaws.com',
        action: 's3:PutObject',
        resource: `${target}/2026-11-20-12-00-00-ABCDEF0123456789`,
        context: { 'aws:SourceArn': arnOf(stack, id), 'aws:SourceAccount': stack.account },
      },
    ];
  },
  'AWS::StepFunctions::StateMachine': (stack, id, properties) => {
    const role = String(resolved(stack, properties.RoleArn));
    return [
      becoming('states.amazonaws.com', role),
      ...machineRequests(stack, id, properties).map((wanted) => ({ principal: role, ...wanted })),
    ];
  },
  // CDK's function makes the call that the resource spells out.
  'Custom::AWS': (stack, _, properties) =>
    ['Create', 'Update', 'Delete'].flatMap((moment) => {
      const said = resolved(stack, properties[moment]);
      if (typeof said !== 'string') return [];
      const { service, action, parameters } = JSON.parse(said);
      const [fn] = (properties.ServiceToken as { 'Fn::GetAtt': [string] })['Fn::GetAtt'];
      const call = {
        principal: roleOfFunction(stack, fn),
        service: String(service).toLowerCase(),
        operation: `${action[0].toUpperCase()}${action.slice(1)}`,
        account: stack.account,
        region: stack.region,
        input: parameters,
      };
      const facts = {
        partition: stack.partition,
        keyOf,
        machineOf: unasked('tokens'),
        tagsOf: unasked('servers'),
      };
      return requestsOf(call, facts);
    }),
  // Policies and what they are attached to ask for nothing themselves.
  'AWS::IAM::Role': none,
  'AWS::IAM::Policy': none,
  'AWS::IAM::ManagedPolicy': none,
  'AWS::S3::BucketPolicy': none,
  'AWS::SQS::QueuePolicy': none,
  'AWS::SNS::TopicPolicy': none,
  'AWS::Events::EventBusPolicy': none,
  // The key's own account has all rights on it, whoever it gives them to.
  'AWS::KMS::Key': none,
  // Kept, read and written for those who call; made by whoever deploys.
  'AWS::DynamoDB::Table': none,
  'AWS::SQS::Queue': none,
  'AWS::SNS::Topic': none,
  'AWS::SNS::Subscription': none,
  'AWS::SSM::Document': none,
  'AWS::Logs::LogGroup': none,
  'AWS::StepFunctions::StateMachineVersion': none,
  'AWS::StepFunctions::StateMachineAlias': none,
});

interface TargetShape {
  readonly Arn: string;
  readonly RoleArn?: string;
  readonly DeadLetterConfig?: { readonly Arn: string };
}

/** A target with a role is reached by that role; one without by the service, as the policy of the target lets it. */
function ofRule(stack: Deployed, id: string, { Targets }: Readonly<Record<string, unknown>>): Wanted[] {
  const byService = (resource: string): Wanted => ({
    principal: 'events.amazonaws.com',
    action: 'sqs:SendMessage',
    resource,
    context: { 'aws:SourceArn': arnOf(stack, id) },
  });
  return (resolved(stack, Targets) as TargetShape[]).flatMap(({ Arn, RoleArn, DeadLetterConfig }) => [
    ...(RoleArn === undefined
      ? [byService(Arn)]
      : [
          becoming('events.amazonaws.com', RoleArn),
          {
            principal: RoleArn,
            action: 'events:PutEvents',
            resource: Arn,
            // The bus of another account lets through what the rule is about.
            context: { 'events:source': ['aws.ssm'] },
          },
        ]),
    ...(DeadLetterConfig ? [byService(DeadLetterConfig.Arn)] : []),
  ]);
}

function ofFunction(stack: Deployed, id: string, properties: Readonly<Record<string, unknown>>): Wanted[] {
  const { LoggingConfig, TracingConfig, VpcConfig } = resolved(stack, properties) as {
    LoggingConfig?: { LogGroup?: string };
    TracingConfig?: { Mode?: string };
    VpcConfig?: { SubnetIds: string[]; SecurityGroupIds: string[] };
  };
  const role = roleOfFunction(stack, id);
  const arn = (service: string, resource: string) =>
    `arn:${stack.partition}:${service}:${stack.region}:${stack.account}:${resource}`;
  const stream = arn(
    'logs',
    `log-group:${LoggingConfig?.LogGroup}:log-stream:2026/11/20/[$LATEST]0123456789abcdef`,
  );
  const network: [action: string, resource: string][] =
    VpcConfig === undefined
      ? []
      : [
          ...['CreateNetworkInterface', 'DeleteNetworkInterface', 'AssignPrivateIpAddresses'].map(
            (action): [string, string] => [
              `ec2:${action}`,
              arn('ec2', 'network-interface/eni-0a1b2c3d4e5f60718'),
            ],
          ),
          ['ec2:UnassignPrivateIpAddresses', arn('ec2', 'network-interface/eni-0a1b2c3d4e5f60718')],
          ...VpcConfig.SubnetIds.map((subnet): [string, string] => [
            'ec2:CreateNetworkInterface',
            arn('ec2', `subnet/${subnet}`),
          ]),
          ...VpcConfig.SecurityGroupIds.map((group): [string, string] => [
            'ec2:CreateNetworkInterface',
            arn('ec2', `security-group/${group}`),
          ]),
          ['ec2:DescribeNetworkInterfaces', '*'],
          ['ec2:DescribeSubnets', '*'],
        ];
  const traces: [string, string][] =
    TracingConfig?.Mode === 'Active'
      ? [
          ['xray:PutTraceSegments', '*'],
          ['xray:PutTelemetryRecords', '*'],
        ]
      : [];
  return [
    becoming('lambda.amazonaws.com', role),
    ...[['logs:CreateLogStream', stream], ['logs:PutLogEvents', stream], ...traces, ...network].map(
      ([action, resource]) => ({ principal: role, action: String(action), resource: String(resource) }),
    ),
  ];
}

const becoming = (service: string, role: string): Wanted => ({
  principal: service,
  action: 'sts:AssumeRole',
  resource: role,
});

export function roleOfFunction(stack: Deployed, id: string): string {
  return String(resolved(stack, stack.resources[id]?.Properties.Role));
}

const unasked = (what: string) => (): never => {
  throw new Error(`the template makes no call about ${what}`);
};
