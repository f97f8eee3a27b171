/** Holds what `cdk deploy` puts into an account to facts: encryption, retention, rights, alarms, limits. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { patchDocuments } from '../../cdk/constructs/patch-documents.ts';
import { fileOf, repositoryRoot } from '../../cdk/repository.ts';
import { type DocumentKind, documentContentHash, sentDocuments } from '../../core/document.ts';
import { phaseSchema } from '../../core/phase.ts';
import { resultDays } from '../../core/result-object.ts';
import { familySchema } from '../../core/server.ts';
import { type StepName, steps, stepToken } from '../../core/steps.ts';
import { environmentNames } from '../../lambdas/environment.ts';
import { environmentOf, type FunctionName, functions } from '../../lambdas/functions.ts';
import {
  actionsOf,
  exampleConfiguration,
  ofType,
  type Resource,
  resourcesOf,
  type Statement,
  statementsOf,
  synthesise,
} from '../support/synthesise.ts';

const { stacks, findings, acknowledged } = synthesise(exampleConfiguration());
const [home] = stacks as [(typeof stacks)[number]];
const { resources } = home;

const functionNames = Object.keys(functions) as FunctionName[];
const idOf = (name: string) => name.replaceAll(/(^|-)([a-z])/g, (_, _dash, letter) => letter.toUpperCase());
const roleOf = (name: string) => `Patching${idOf(name)}Role`;

function functionCalled(name: FunctionName): [string, Resource] {
  const found = ofType(resources, 'AWS::Lambda::Function').filter(([id]) =>
    new RegExp(`^Patching${idOf(name)}Function[0-9A-F]{8}$`).test(id),
  );
  expect(found, name).toHaveLength(1);
  return found[0] as [string, Resource];
}

/** @param name of its construct */
function scheduleCalled(name: string): Resource {
  const found = ofType(resources, 'AWS::Scheduler::Schedule').filter(([id]) =>
    id.startsWith(`Patching${name}`),
  );
  expect(found, name).toHaveLength(1);
  return (found[0] as [string, Resource])[1];
}

describe('the stack', () => {
  test('tells a deployer what each of its outputs is for', () => {
    const { Outputs } = JSON.parse(home.text) as { Outputs: Record<string, { Description: string }> };
    const told = Object.values(Outputs).map(({ Description }) => Description);
    expect(new Set(told).size).toBe(told.length);
    expect(Outputs.StopCampaignFunction?.Description).toBe(functions['stop-campaign'].description);
  });

  test('breaks no rule of AWS Solutions that nobody has given a reason for', () => {
    expect(findings).toEqual([]);
    expect(acknowledged.length).toBeGreaterThan(10);
    expect(acknowledged.filter(([, reason]) => reason.length < 25)).toEqual([]);
  });

  test('stays far from the limits of a template', () => {
    expect(stacks).toHaveLength(1);
    // Of 1 MB, each.
    // The documents of each family, and what is of none.
    expect(home.files).toHaveLength(2 + familySchema.options.length);
    for (const file of home.files) expect(Buffer.byteLength(file)).toBeLessThan(500_000);
    expect(Object.keys(resources).length).toBeLessThan(300);
  });

  test('gives no physical name to what keeps state, nor to what would stand in the way of a second stack', () => {
    const named =
      /^(TableName|BucketName|TopicName|QueueName|StateMachineName|FunctionName|RoleName|LogGroupName|AlarmName|ManagedPolicyName)$/;
    const found = Object.entries(resources).flatMap(([id, { Type, Properties = {} }]) =>
      Object.keys(Properties)
        .filter((key) => named.test(key))
        .filter((key) => !(Type === 'AWS::Lambda::Permission' && key === 'FunctionName'))
        // People call them by a name that begins with the stack's own.
        .filter((key) => !(key === 'FunctionName' && String(Properties[key]).startsWith('Quarterdeck-')))
        .map((key) => `${id}.${key}`),
    );
    expect(
      found.filter(
        (name) => !/LambdaPermission|SqsEventSource|EventSourceMapping|EventInvokeConfig/.test(name),
      ),
    ).toEqual(
      // Deliveries of logs ask for a prefix; the id of the stack follows it.
      [expect.stringMatching(/^PatchingCampaignLogs\w+\.LogGroupName$/)],
    );
    const [, logs] = ofType(resources, 'AWS::Logs::LogGroup').find(([id]) =>
      id.startsWith('PatchingCampaignLogs'),
    ) as [string, Resource];
    expect(JSON.stringify(logs.Properties.LogGroupName)).toMatch(
      /"\/aws\/vendedlogs\/states\/".*"AWS::StackId"/,
    );
  });

  test('keeps the table, the buckets and their key when it is deleted, and the table from being deleted', () => {
    for (const type of ['AWS::DynamoDB::Table', 'AWS::S3::Bucket', 'AWS::KMS::Key']) {
      const found = ofType(resources, type);
      expect(found.length, type).toBeGreaterThan(0);
      for (const [id, { DeletionPolicy, UpdateReplacePolicy }] of found)
        expect([DeletionPolicy, UpdateReplacePolicy], id).toEqual(['Retain', 'Retain']);
    }
    const [, table] = ofType(resources, 'AWS::DynamoDB::Table')[0] as [string, Resource];
    expect(table.Properties).toMatchObject({
      DeletionProtectionEnabled: true,
      BillingMode: 'PAY_PER_REQUEST',
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      SSESpecification: { SSEEnabled: true, SSEType: 'KMS' },
      GlobalSecondaryIndexes: [{ IndexName: 'due', Projection: { ProjectionType: 'KEYS_ONLY' } }],
    });
  });

  test('encrypts the bucket with its own key, keeps versions, and takes nothing but TLS', () => {
    const buckets = ofType(resources, 'AWS::S3::Bucket');
    for (const [id, { Properties }] of buckets) {
      expect(Properties.PublicAccessBlockConfiguration, id).toEqual({
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      });
      const policy = ofType(resources, 'AWS::S3::BucketPolicy').find(
        ([
          ,
          {
            Properties: { Bucket },
          },
        ]) => JSON.stringify(Bucket) === JSON.stringify({ Ref: id }),
      );
      expect(JSON.stringify(policy), id).toContain('"aws:SecureTransport":"false"');
    }
    const [, campaigns] = buckets.find(([id]) => id.startsWith('PatchingCampaignsBucket')) as [
      string,
      Resource,
    ];
    expect(campaigns.Properties).toMatchObject({
      VersioningConfiguration: { Status: 'Enabled' },
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          {
            BucketKeyEnabled: true,
            ServerSideEncryptionByDefault: {
              SSEAlgorithm: 'aws:kms',
              KMSMasterKeyID: { 'Fn::GetAtt': [expect.stringMatching(/^PatchingKey/), 'Arn'] },
            },
          },
        ],
      },
      LoggingConfiguration: expect.anything(),
    });
    const rules = JSON.stringify(campaigns.Properties.LifecycleConfiguration);
    expect(rules).toContain('"NoncurrentVersionExpiration":{"NoncurrentDays":30}');
    expect(rules).not.toContain('"Prefix":"campaigns/"');
    expect(rules).toContain(`"ExpirationInDays":${resultDays},"Prefix":"servers/"`);
  });

  test('has a topic that alarms can publish to: under a key that lets them, by a policy that lets them', () => {
    const [, topic] = ofType(resources, 'AWS::SNS::Topic')[0] as [string, Resource];
    expect(topic.Properties.KmsMasterKeyId).toEqual({
      'Fn::GetAtt': [expect.stringMatching(/^PatchingKey/), 'Arn'],
    });
    const alarms = { Service: 'cloudwatch.amazonaws.com' };
    const [, key] = ofType(resources, 'AWS::KMS::Key')[0] as [string, Resource];
    expect(key.Properties).toMatchObject({
      EnableKeyRotation: true,
      KeyPolicy: {
        Statement: expect.arrayContaining([
          expect.objectContaining({
            Principal: alarms,
            Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
            Condition: { StringEquals: { 'aws:SourceAccount': '111111111111' } },
          }),
        ]),
      },
    });
    const [, policy] = ofType(resources, 'AWS::SNS::TopicPolicy')[0] as [string, Resource];
    expect(JSON.stringify(policy)).toContain(JSON.stringify({ Principal: alarms }).slice(1, -1));
  });

  test('encrypts queues, and keeps log groups for as long as it is told to', () => {
    const queues = ofType(resources, 'AWS::SQS::Queue');
    expect(queues).toHaveLength(4);
    for (const [id, { Properties }] of queues) expect(Properties.SqsManagedSseEnabled, id).toBe(true);
    const logGroups = ofType(resources, 'AWS::Logs::LogGroup');
    expect(logGroups).toHaveLength(functionNames.length + 2);
    for (const [id, { Properties }] of logGroups) expect(Properties.RetentionInDays, id).toBe(30);
  });
});

describe('documents', () => {
  const documents = ofType(resources, 'AWS::SSM::Document').map(([, { Properties }]) => Properties);

  test('become new versions of themselves, without version names', () => {
    expect(documents.map(({ Name }) => Name)).toEqual(patchDocuments().map(({ name }) => name));
    for (const document of documents) {
      expect(document).toMatchObject({
        UpdateMethod: 'NewVersion',
        DocumentType: 'Command',
        DocumentFormat: 'JSON',
      });
      expect(document).not.toHaveProperty('VersionName');
      // Of 64 KB; the values of parameters count as well.
      expect(Buffer.byteLength(JSON.stringify(document.Content))).toBeLessThan(63_000);
    }
  });

  test('hash to what the function that pins them is told', () => {
    const [, { Properties }] = functionCalled('open-campaign');
    const { Variables } = Properties.Environment as { Variables: Record<string, string> };
    expect(JSON.parse(Variables.DOCUMENT_HASHES as string)).toEqual(
      Object.fromEntries(
        documents
          .filter(({ Name }) => sentDocuments(phaseSchema.options).includes(String(Name)))
          .map(({ Name, Content }) => [Name, documentContentHash(Content)]),
      ),
    );
  });
});

describe('functions', () => {
  test.each(functionNames)('%s has the runtime, limits and variables that it declares', (name) => {
    const [, { Properties }] = functionCalled(name);
    const shape = functions[name];
    expect(Properties).toMatchObject({
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      Timeout: shape.timeoutSeconds,
      MemorySize: shape.memoryMb,
      TracingConfig: { Mode: 'Active' },
      LoggingConfig: { LogGroup: { Ref: expect.stringMatching(new RegExp(`^Patching${idOf(name)}Logs`)) } },
    });
    expect(Properties).not.toHaveProperty('ReservedConcurrentExecutions');
    const { Variables } = Properties.Environment as { Variables: Record<string, string> };
    expect(Object.keys(Variables).toSorted()).toEqual(
      ['NODE_OPTIONS', ...environmentOf(name).map((key) => environmentNames[key])].toSorted(),
    );
  });

  test('have no policy of AWS, and no action that is a pattern', () => {
    const roles = ofType(resources, 'AWS::IAM::Role').filter(([id]) => id.startsWith('Patching'));
    expect(roles.length).toBeGreaterThan(functionNames.length);
    for (const [id, { Properties }] of roles) expect(Properties.ManagedPolicyArns, id).toBeUndefined();
    const all = ofType(resources, 'AWS::IAM::Policy').flatMap(([, { Properties }]) =>
      (Properties as { PolicyDocument: { Statement: Statement[] } }).PolicyDocument.Statement.flatMap(
        actionsOf,
      ),
    );
    expect(all.filter((action) => action.includes('*'))).toEqual([]);
  });

  test('may send only our documents, and only to servers that carry the tag', () => {
    const sending = functionNames.flatMap((name) =>
      statementsOf(resources, roleOf(name))
        .filter((statement) => actionsOf(statement).includes('ssm:SendCommand'))
        .map((statement) => ({ name, statement })),
    );
    expect(new Set(sending.map(({ name }) => name))).toEqual(
      new Set(['ask-zones', 'dispatch-batch', 'roll-back', 'run-reboots']),
    );
    const targets = (statement: (typeof sending)[number]['statement']) => resourcesOf(statement).map(String);
    const [onDocuments, onServers] = [':document/', 'instance/'].map((part) =>
      sending.filter(({ statement }) => targets(statement).some((target) => target.includes(part))),
    );
    const documents = (kinds: readonly DocumentKind[]) =>
      sentDocuments(kinds)
        .toSorted()
        .map((name) => `arn:aws:ssm:eu-central-1:111111111111:document/${name}`);
    expect(
      Object.fromEntries(
        onDocuments?.map(({ name, statement }) => [name, targets(statement).toSorted()]) ?? [],
      ),
    ).toEqual({
      'ask-zones': documents(['time-zone']),
      'dispatch-batch': documents(phaseSchema.options),
      'roll-back': documents(['rollback']),
      'run-reboots': documents(['reboot']),
    });
    const asTold = (all = sending) =>
      all.map(({ statement }) => [targets(statement).toSorted(), statement.Condition]);
    const servers = [
      'arn:aws:ec2:eu-central-1:111111111111:instance/*',
      'arn:aws:ssm:eu-central-1:111111111111:managed-instance/*',
    ];
    const tagged = { StringEquals: { 'ssm:resourceTag/quarterdeck': 'enrolled' } };
    expect(asTold(onServers)).toEqual(Array(4).fill([servers, tagged]));
    expect(home.text).not.toContain('AWS-Run');
  });

  test.each([
    ['ec2:CreateSnapshots', 'instance/', { StringEquals: { 'aws:ResourceTag/quarterdeck': 'enrolled' } }],
    ['ec2:CreateSnapshots', 'snapshot/', { Null: { 'aws:RequestTag/quarterdeck:campaign': 'false' } }],
    ['ec2:CreateTags', 'snapshot/', { StringEquals: { 'ec2:CreateAction': 'CreateSnapshots' } }],
  ])('may %s on %s only as its condition says', (action, resource, condition) => {
    const statements = functionNames.flatMap((name) =>
      statementsOf(resources, roleOf(name)).filter(
        (statement) =>
          actionsOf(statement).includes(action) &&
          resourcesOf(statement).some((each) => String(each).includes(resource)),
      ),
    );
    expect(statements.length).toBeGreaterThan(0);
    for (const statement of statements) expect(statement.Condition).toEqual(condition);
  });

  test('have rights for their ports and for no others', () => {
    const actions = (name: FunctionName) =>
      new Set(statementsOf(resources, roleOf(name)).flatMap((statement) => actionsOf(statement)));
    for (const name of functionNames) {
      const ports: readonly string[] = functions[name].ports;
      const has = (port: string) => ports.includes(port);
      const given = actions(name);
      expect(given.has('dynamodb:PutItem'), name).toBe(has('records'));
      expect(given.has('s3:PutObject'), name).toBe(has('objects') || has('calendar'));
      expect(given.has('states:SendTaskSuccess'), name).toBe(has('callbacks'));
      expect(given.has('states:StartExecution'), name).toBe(has('executions'));
      expect(given.has('sns:Publish'), name).toBe(has('notices'));
      expect(given.has('ssm:GetDocument'), name).toBe(has('documents'));
      expect(given.has('ssm:ListCommandInvocations'), name).toBe(has('commands') || has('invocations'));
      const looksAtInstances = ['fleet', 'discovery', 'snapshots', 'root-volumes', 'root-tasks'].some(has);
      expect(given.has('ec2:DescribeInstances'), name).toBe(looksAtInstances);
      expect(given.has('ec2:CreateSnapshots'), name).toBe(has('snapshots'));
      expect(given.has('ec2:DeleteSnapshot'), name).toBe(has('expiry'));
      expect(given.has('ec2:CreateReplaceRootVolumeTask'), name).toBe(has('root-volumes'));
      expect(given.has('cloudwatch:DescribeAlarms'), name).toBe(has('alarms'));
      expect(given.has('sts:AssumeRole'), name).toBe(false);
    }
  });

  test('read and write settings of any hash, so that changed settings wait for no policy', () => {
    const settings = Object.values(resources)
      .filter(({ Type }) => Type === 'AWS::IAM::Policy')
      .map((resource) => JSON.stringify(resource))
      .filter((text) => text.includes('/settings/'));
    expect(settings.length).toBeGreaterThan(1);
    for (const text of settings) expect(text).not.toMatch(/\/settings\/[^*]/);
    expect(settings.some((text) => text.includes('CustomResourcePolicy'))).toBe(true);
  });

  test('never write where servers answer', () => {
    for (const name of functionNames) {
      const written = statementsOf(resources, roleOf(name))
        .filter((statement) => actionsOf(statement).includes('s3:PutObject'))
        .map((statement) => JSON.stringify(statement.Resource));
      expect(written.filter((text) => text.includes('servers/'))).toEqual([]);
    }
  });
});

describe('the state machine', () => {
  const definition = readFileSync(fileOf('state-machines', 'campaign.asl.json'), 'utf8');
  const [machineId, machine] = ofType(resources, 'AWS::StepFunctions::StateMachine')[0] as [string, Resource];
  const statements = statementsOf(resources, 'PatchingCampaignRole');

  test('has a function for every token of its definition, and no token for nothing', () => {
    const tokens = new Set([...definition.matchAll(/\$\{(\w+)\}/g)].map((match) => match[1]));
    const substitutions = machine.Properties.DefinitionSubstitutions as Record<string, unknown>;
    expect(Object.keys(substitutions).toSorted()).toEqual([...tokens].toSorted());
    for (const step of Object.keys(steps) as StepName[]) {
      expect(substitutions[stepToken(step)], step).toEqual({
        'Fn::GetAtt': [functionCalled(step)[0], 'Arn'],
      });
    }
  });

  test('may call the function of every task, and nothing else', () => {
    const invoked = statements
      .filter((statement) => actionsOf(statement).includes('lambda:InvokeFunction'))
      .flatMap((statement) => resourcesOf(statement))
      .filter((resource) => JSON.stringify(resource).startsWith('{"Fn::GetAtt"'));
    expect(invoked.map((resource) => JSON.stringify(resource)).toSorted()).toEqual(
      (Object.keys(steps) as StepName[])
        .map((step) => JSON.stringify({ 'Fn::GetAtt': [functionCalled(step)[0], 'Arn'] }))
        .toSorted(),
    );
  });

  test('may start its own children, by a policy that it does not wait for', () => {
    const starting = ofType(resources, 'AWS::IAM::Policy').filter(
      ([id, resource]) =>
        JSON.stringify(resource).includes('states:StartExecution') && id.startsWith('PatchingCampaign'),
    );
    expect(starting).toHaveLength(1);
    const [id, policy] = starting[0] as [string, Resource];
    expect(machine.DependsOn ?? []).not.toContain(id);
    const text = JSON.stringify(policy);
    for (const [, label] of definition.matchAll(/"Label": "(\w+)"/g)) expect(text).toContain(`/${label}:*`);
    expect(text).toContain('states:DescribeExecution');
  });

  test('reads lists and writes results of maps', () => {
    const on = (action: string) =>
      JSON.stringify(statements.filter((statement) => actionsOf(statement).includes(action)));
    expect(on('s3:GetObject')).toContain('/campaigns/*');
    expect(on('s3:PutObject')).toContain('/campaigns/*/maps/*');
    expect(on('kms:GenerateDataKey')).toContain('PatchingKey');
  });

  test('is started on the alias of a version that stays', () => {
    const [, version] = ofType(resources, 'AWS::StepFunctions::StateMachineVersion')[0] as [string, Resource];
    expect([version.DeletionPolicy, version.UpdateReplacePolicy]).toEqual(['Retain', 'Retain']);
    expect(JSON.stringify(version.Properties.StateMachineRevisionId)).toContain('StateMachineRevisionId');
    const [alias, { Properties }] = ofType(resources, 'AWS::StepFunctions::StateMachineAlias')[0] as [
      string,
      Resource,
    ];
    const started = statementsOf(resources, roleOf('create-campaign')).filter((statement) =>
      actionsOf(statement).includes('states:StartExecution'),
    );
    // A grant on the ARN of the alias would let nothing start: authorization asks for the machine's.
    expect(started.map(({ Resource: on, Condition }) => [on, Condition])).toEqual([
      [
        { Ref: machineId },
        { 'ForAnyValue:StringEquals': { 'states:StateMachineQualifier': [Properties.Name] } },
      ],
    ]);
    const [, create] = functionCalled('create-campaign');
    expect(create.Properties.Environment).toMatchObject({
      Variables: { [environmentNames.stateMachine]: { 'Fn::GetAtt': [alias, 'Arn'] } },
    });
  });

  test('is called back for its own tasks and for those of the children of each map', () => {
    // The children that take snapshots wait for nobody.
    const labels = [...definition.matchAll(/"Label": "(\w+)"/g)]
      .map((match) => match[1])
      .filter((label) => label !== 'Snapshot');
    expect(labels.length).toBeGreaterThan(0);
    const callbacks = statementsOf(resources, roleOf('settle-events')).filter((statement) =>
      actionsOf(statement).includes('states:SendTaskSuccess'),
    );
    const texts = (all: readonly unknown[]) => all.map((one) => JSON.stringify(one)).toSorted();
    expect(texts(callbacks.flatMap((statement) => resourcesOf(statement)))).toEqual(
      texts([
        { Ref: machineId },
        ...labels.map((label) => ({ 'Fn::Join': ['', [{ Ref: machineId }, `/${label}`]] })),
      ]),
    );
    for (const statement of callbacks) expect(actionsOf(statement)).toContain('states:SendTaskFailure');
  });

  test('logs everything but its data, in which tokens are', () => {
    expect(machine.Properties).toMatchObject({
      StateMachineType: 'STANDARD',
      TracingConfiguration: { Enabled: true },
      LoggingConfiguration: { Level: 'ALL', IncludeExecutionData: false },
    });
  });
});

describe('events and time', () => {
  test('the rule takes what has ended on a server, of the documents that campaigns send', () => {
    const [, rule] = ofType(resources, 'AWS::Events::Rule')[0] as [string, Resource];
    expect(rule.Properties.EventPattern).toEqual({
      source: ['aws.ssm'],
      'detail-type': ['EC2 Command Invocation Status-change Notification'],
      detail: {
        'document-name': sentDocuments(phaseSchema.options),
        status: [{ 'anything-but': ['Pending', 'InProgress', 'Delayed', 'Cancelling'] }],
      },
    });
    // Nobody waits for the event of a reboot: it would end among the dead letters, and ring.
    expect(JSON.stringify(rule.Properties.EventPattern)).not.toContain('-Reboot');
    // Of 2,048 characters that EventBridge allows.
    expect(JSON.stringify(rule.Properties.EventPattern).length).toBeLessThan(2048);
    expect(JSON.stringify(rule.Properties.Targets)).toContain('DeadLetterConfig');
  });

  test('the queue hides an event for as long as it may be worked on, and gives it up to the dead letters', () => {
    const [, queue] = ofType(resources, 'AWS::SQS::Queue').find(
      ([, { Properties }]) => Properties.RedrivePolicy !== undefined,
    ) as [string, Resource];
    expect(queue.Properties.VisibilityTimeout).toBeGreaterThanOrEqual(
      6 * functions['settle-events'].timeoutSeconds,
    );
    expect(queue.Properties.RedrivePolicy).toMatchObject({ maxReceiveCount: 5 });
    const [, mapping] = ofType(resources, 'AWS::Lambda::EventSourceMapping')[0] as [string, Resource];
    expect(mapping.Properties).toMatchObject({
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      MaximumBatchingWindowInSeconds: 5,
    });
  });

  test('the sweeper comes every five minutes, and a missed sweep is not made up for', () => {
    const schedule = scheduleCalled('Sweeper');
    expect(schedule.Properties).toMatchObject({
      ScheduleExpression: 'rate(5 minutes)',
      State: 'ENABLED',
      Target: {
        RetryPolicy: { MaximumEventAgeInSeconds: 300, MaximumRetryAttempts: 2 },
        DeadLetterConfig: expect.anything(),
      },
    });
    expect(functions.sweep.timeoutSeconds).toBeLessThan(300);
    const invoked = ofType(resources, 'AWS::Lambda::EventInvokeConfig').find(([id]) =>
      id.startsWith('PatchingSweep'),
    )?.[1] as Resource;
    expect(invoked.Properties).toMatchObject({
      FunctionName: { Ref: functionCalled('sweep')[0] },
      MaximumEventAgeInSeconds: 300,
      MaximumRetryAttempts: 0,
      DestinationConfig: {
        OnFailure: {
          Destination: (schedule.Properties.Target as { DeadLetterConfig: { Arn: unknown } }).DeadLetterConfig
            .Arn,
        },
      },
    });
  });

  test('campaigns are planned each day and looked for twelve hours later, and told of when a quarter begins', () => {
    const expected = [
      ['SchedulesSync', 'cron(40 3 * * ? *)', 'sync-servers', '{}'],
      ['SchedulesDaily', 'cron(10 4 * * ? *)', 'plan-schedules', '{}'],
      ['SchedulesQuarterly', 'cron(40 4 1 11,2,5,8 ? *)', 'plan-schedules', '{"announce":true}'],
      ['SchedulesCheck', 'cron(10 16 * * ? *)', 'check-firings', '{}'],
    ] as const;
    for (const [id, ScheduleExpression, name, Input] of expected) {
      const { Properties } = scheduleCalled(id);
      expect(Properties).toMatchObject({
        ScheduleExpression,
        ScheduleExpressionTimezone: 'Etc/UTC',
        State: 'ENABLED',
        Target: {
          Arn: { 'Fn::GetAtt': [functionCalled(name)[0], 'Arn'] },
          Input,
          RetryPolicy: { MaximumEventAgeInSeconds: 3600 },
          DeadLetterConfig: expect.anything(),
        },
      });
      // The group is for campaigns alone: what is not in the plan is deleted there.
      expect(Properties.GroupName).toBeUndefined();
    }
  });

  test('the role with which campaigns are started does nothing but that, for schedules of our group alone', () => {
    const [roleId, role] = ofType(resources, 'AWS::IAM::Role').find(([id]) =>
      id.startsWith('PatchingSchedulesLauncher'),
    ) as [string, Resource];
    const [group] = ofType(resources, 'AWS::Scheduler::ScheduleGroup')[0] as [string, Resource];
    expect(role.Properties.AssumeRolePolicyDocument).toMatchObject({
      Statement: [
        {
          Principal: { Service: 'scheduler.amazonaws.com' },
          Condition: { ArnEquals: { 'aws:SourceArn': { 'Fn::GetAtt': [group, 'Arn'] } } },
        },
      ],
    });
    const own = statementsOf(resources, 'PatchingSchedulesLauncher');
    expect(own.flatMap(actionsOf).toSorted()).toEqual([
      'lambda:InvokeFunction',
      'sqs:GetQueueAttributes',
      'sqs:GetQueueUrl',
      'sqs:SendMessage',
    ]);
    const passers = ofType(resources, 'AWS::IAM::Policy').filter(([, { Properties }]) =>
      JSON.stringify(Properties).includes('iam:PassRole'),
    );
    // Who checks what has fired looks at schedules, and makes none.
    expect(passers.map(([id]) => id.replace(/RoleDefaultPolicy\w+$/, ''))).toEqual(['PatchingPlanSchedules']);
    for (const [, { Properties }] of passers) expect(JSON.stringify(Properties)).toContain(roleId);
  });
});

describe('alarms', () => {
  const alarms = ofType(resources, 'AWS::CloudWatch::Alarm');
  const headings = readFileSync(fileOf('docs', 'runbook.md'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('## '))
    .map((line) =>
      line
        .slice(3)
        .toLowerCase()
        .replaceAll(/[^a-z0-9 -]/g, '')
        .replaceAll(' ', '-'),
    );

  test('say what a user loses, and have a heading in the runbook each, and each heading an alarm', () => {
    const linked = alarms.map(([id, { Properties }]) => {
      const description = String(Properties.AlarmDescription);
      const match = /^(.{30,}) What to do: docs\/runbook\.md#([a-z-]+)$/.exec(description);
      expect(match, `${id}: ${description}`).not.toBeNull();
      return match?.[2];
    });
    expect([...new Set(linked)].toSorted()).toEqual(headings.toSorted());
  });

  test('reach the topic', () => {
    const [topic] = ofType(resources, 'AWS::SNS::Topic')[0] as [string, Resource];
    for (const [id, { Properties }] of alarms) expect(Properties.AlarmActions, id).toEqual([{ Ref: topic }]);
  });

  test('watch both dead-letter queues', () => {
    const watched = JSON.stringify(
      alarms.filter(([, { Properties }]) => Properties.MetricName === 'ApproximateNumberOfMessagesVisible'),
    );
    for (const [id] of ofType(resources, 'AWS::SQS::Queue').filter(([name]) => name.includes('DeadLetters')))
      expect(watched).toContain(id);
  });

  test('hear from the sweeper when planning is silent, and do not wait for what planning itself says', () => {
    const [, silent] = alarms.find(([id]) => id.includes('PlanningSilent')) as [string, Resource];
    expect(silent.Properties).toMatchObject({
      Namespace: 'Quarterdeck',
      MetricName: 'DailyWorkSilent',
      Dimensions: [{ Name: 'service', Value: 'sweep' }],
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      Threshold: 1,
      EvaluationPeriods: 1,
      TreatMissingData: 'notBreaching',
    });
  });

  test('take silence of the sweeper for a failure', () => {
    const [, silent] = alarms.find(([id]) => id.includes('SweeperSilent')) as [string, Resource];
    expect(silent.Properties).toMatchObject({
      MetricName: 'Invocations',
      ComparisonOperator: 'LessThanThreshold',
      TreatMissingData: 'breaching',
      EvaluationPeriods: 2,
    });
  });
});

describe('backups', () => {
  const [, { Properties: bucket }] = ofType(resources, 'AWS::S3::Bucket').find(([id]) =>
    id.startsWith('PatchingBackupsBucket'),
  ) as [string, Resource];
  const keyOf = (properties: Resource['Properties']) => JSON.stringify(properties.BucketEncryption);

  test('have a bucket and a key of their own, which keeps what was replaced', () => {
    const [, { Properties: campaigns }] = ofType(resources, 'AWS::S3::Bucket').find(([id]) =>
      id.startsWith('PatchingCampaignsBucket'),
    ) as [string, Resource];
    expect(keyOf(bucket)).toContain('PatchingBackupsKey');
    expect(keyOf(bucket)).not.toBe(keyOf(campaigns));
    expect(bucket.VersioningConfiguration).toEqual({ Status: 'Enabled' });
    expect(bucket.ObjectLockEnabled).toBeUndefined();
    expect(bucket.ReplicationConfiguration).toBeUndefined();
  });

  test('can be decrypted by the functions that look after them, and by no server', () => {
    const decrypting = ofType(resources, 'AWS::IAM::Policy').filter(([, { Properties }]) => {
      const { Statement } = Properties.PolicyDocument as { Statement: Statement[] };
      return Statement.some(
        (statement) =>
          actionsOf(statement).includes('kms:Decrypt') &&
          JSON.stringify(statement.Resource).includes('PatchingBackupsKey'),
      );
    });
    expect(decrypting.map(([id]) => id.replace(/RoleDefaultPolicy\w+$/, '')).toSorted()).toEqual([
      'PatchingTendBackups',
      'PatchingTestRestores',
      'PatchingVerifyBackups',
    ]);
    const [, ours] = ofType(resources, 'AWS::IAM::ManagedPolicy').find(([id]) =>
      id.includes('ServerAccess'),
    ) as [string, Resource];
    const { Statement } = ours.Properties.PolicyDocument as { Statement: Statement[] };
    const onTheKey = Statement.filter(({ Resource }) =>
      JSON.stringify(Resource).includes('PatchingBackupsKey'),
    );
    expect(onTheKey.map((statement) => actionsOf(statement))).toEqual([['kms:GenerateDataKey']]);
  });
});

describe('rights of servers', () => {
  const [, access] = ofType(resources, 'AWS::IAM::ManagedPolicy')[0] as [string, Resource];
  const text = JSON.stringify(access.Properties.PolicyDocument);

  test('are to read orders and hooks, and to write under their own name', () => {
    const { Statement } = access.Properties.PolicyDocument as {
      Statement: Statement[];
    };
    expect(Statement.flatMap((statement) => actionsOf(statement)).toSorted()).toEqual([
      'kms:Decrypt',
      'kms:GenerateDataKey',
      'kms:GenerateDataKey',
      's3:GetObject',
      's3:PutObject',
      's3:PutObject',
    ]);
    expect(text).toContain('/orders/*');
    expect(text).toContain('/hooks/*');
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of IAM
    expect(text).toContain('/servers/${ec2:SourceInstanceARN}/*');
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of IAM
    expect(text).toContain('/servers/${aws:userid}/*');
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of IAM
    expect(text).toContain('/backups/${ec2:SourceInstanceARN}/*');
    expect(text).toContain('"s3:ResourceAccount":"111111111111"');
    expect(text).toContain('"kms:ViaService":"s3.eu-central-1.amazonaws.com"');
  });
});

describe('the source of the stack', () => {
  const files = readdirSync(join(repositoryRoot, 'cdk'), { recursive: true })
    .map((file) => `cdk/${file}`)
    .filter((file) => file.endsWith('.ts'));

  /** Lines with a `*` inside of quotes, whose line above is no comment. */
  const unexplained = (text: string) =>
    text
      .split('\n')
      .map((line, index, all) => ({ line: line.trim(), above: all[index - 1]?.trim() ?? '' }))
      .filter(({ line }) => !/^(\/\/|\/?\*)/.test(line) && /(['"`])(?:(?!\1).)*\*(?:(?!\1).)*\1/.test(line))
      .filter(({ above }) => !/^(\/\/|\*\/|\/\*\*)/.test(above))
      .map(({ line }) => line);

  test.each(files)('%s says on the line above why each * is one', (file) => {
    expect(unexplained(readFileSync(join(repositoryRoot, file), 'utf8'))).toEqual([]);
  });

  test('a * without a reason is found', () => {
    expect(unexplained("const a = 1;\nconst all = ['s3:*'];")).toEqual(["const all = ['s3:*'];"]);
    expect(unexplained("// Because.\nconst all = ['s3:*'];")).toEqual([]);
  });
});
