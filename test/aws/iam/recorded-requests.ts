/** Owns which rights a call to AWS takes: the reviewed table from operations to actions on resources. */
import type { AccessRequest } from './request.ts';

/** A call as it went over the wire, or as CloudFormation makes it. */
export interface Call {
  /** ARN of the role that signed it. */
  readonly principal: string;
  /** As the SDK names it, in small letters: `dynamodb`, `s3`, `ssm`, `ec2`, `states`, `sns`, `sts`. */
  readonly service: string;
  readonly operation: string;
  readonly account: string;
  readonly region: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** Of the answer. */
  readonly status?: number;
}

/** What the table has to know of the deployed resources. */
export interface Facts {
  readonly partition: string;
  /** ARN of the key of what is encrypted with one of the customer's, by its ARN. */
  readonly keyOf: (arn: string) => string | undefined;
  /** ARN of the state machine, or of one of its maps, that a task token belongs to. */
  readonly machineOf: (taskToken: string) => string;
  /** Tags of a server. */
  readonly tagsOf: (serverId: string) => Readonly<Record<string, string>>;
}

type Wanted = Omit<AccessRequest, 'principal' | 'account' | 'from'> & { readonly account?: string };
type Rule = (call: Call, facts: Facts) => Wanted[];

const text = ({ input }: Call, name: string): string => {
  const value = input[name];
  if (typeof value !== 'string') throw new Error(`${name} is ${JSON.stringify(value)}, not a string`);
  return value;
};

const arn = ({ region, account }: Call, { partition }: Facts, service: string, resource: string): string =>
  `arn:${partition}:${service}:${region}:${account}:${resource}`;

/** Services call KMS with the rights of their caller, and say so in `kms:ViaService`. */
function throughKey(
  call: Call,
  facts: Facts,
  encrypted: string,
  service: string,
  actions: readonly string[],
) {
  const key = facts.keyOf(encrypted);
  if (key === undefined) return [];
  // The service calls KMS where the key is.
  const region = key.split(':')[3] ?? call.region;
  const context = { 'kms:ViaService': `${service}.${region}.amazonaws.com` };
  return actions.map((action): Wanted => ({ action, resource: key, context }));
}

/**
 * One table, encrypted with the customer's key: DynamoDB takes its caller's right to decrypt the table's key when it
 * has not got that at hand, for writes as for reads.
 */
const onTable =
  (action: string): Rule =>
  (call, facts) => {
    const table = arn(call, facts, 'dynamodb', `table/${text(call, 'TableName')}`);
    const index = call.input.IndexName;
    return [
      { action, resource: typeof index === 'string' ? `${table}/index/${index}` : table },
      ...throughKey(call, facts, table, 'dynamodb', ['kms:Decrypt']),
    ];
  };

const onDocument =
  (action: string): Rule =>
  (call, facts) => [{ action, resource: documentArn(call, facts, text(call, 'Name')) }];

const documentArn = (call: Call, facts: Facts, name: string): string =>
  arn(call, facts, 'ssm', `document/${name}`);

/** Whoever makes a schedule hands Scheduler the role with which it calls. */
const onSchedule =
  (action: string): Rule =>
  (call, facts) => {
    const { RoleArn } = (call.input.Target ?? {}) as { RoleArn?: string };
    const name = `${text(call, 'GroupName')}/${text(call, 'Name')}`;
    return [
      { action, resource: arn(call, facts, 'scheduler', `schedule/${name}`) },
      ...(RoleArn === undefined
        ? []
        : [
            {
              action: 'iam:PassRole',
              resource: RoleArn,
              context: { 'iam:PassedToService': 'scheduler.amazonaws.com' },
            },
          ]),
    ];
  };

const inRegion =
  (action: string): Rule =>
  ({ region }) => [{ action, resource: '*', context: { 'aws:RequestedRegion': region } }];

const onToken =
  (action: string): Rule =>
  (call, facts) => [{ action, resource: facts.machineOf(text(call, 'taskToken')) }];

function serverArn(call: Call, facts: Facts, id: string): string {
  return id.startsWith('mi-')
    ? arn(call, facts, 'ssm', `managed-instance/${id}`)
    : arn(call, facts, 'ec2', `instance/${id}`);
}

function onServer(action: string, call: Call, facts: Facts, id: string): Wanted {
  const tags = Object.entries(facts.tagsOf(id)).map(([key, value]) => [`aws:ResourceTag/${key}`, value]);
  return { action, resource: serverArn(call, facts, id), context: Object.fromEntries(tags) };
}

/** Snapshots are in no account's name. */
const snapshotArn = ({ region }: Call, { partition }: Facts, id: string): string =>
  `arn:${partition}:ec2:${region}::snapshot/${id}`;

/** Of the one specification of tags that our calls have. */
function requestTags({ input }: Call): Record<string, string> {
  const keys = Object.keys(input).filter((name) => /^TagSpecification\.1\.Tag\.\d+\.Key$/.test(name));
  return Object.fromEntries(
    keys.map((name) => [`aws:RequestTag/${input[name]}`, String(input[name.replace(/Key$/, 'Value')])]),
  );
}

/** Operations that are not here fail: whoever brings one says which rights it takes. */
const rules: Readonly<Record<string, Rule>> = {
  'dynamodb:GetItem': onTable('dynamodb:GetItem'),
  'dynamodb:PutItem': onTable('dynamodb:PutItem'),
  'dynamodb:Query': onTable('dynamodb:Query'),
  'dynamodb:BatchGetItem': (call, facts) =>
    Object.keys(call.input.RequestItems as object).flatMap((TableName) =>
      onTable('dynamodb:BatchGetItem')({ ...call, input: { TableName } }, facts),
    ),
  's3:GetObject': (call, facts) => {
    const bucket = `arn:${facts.partition}:s3:::${text(call, 'Bucket')}`;
    const context = ownerOf(call);
    return [
      { action: 's3:GetObject', resource: `${bucket}/${text(call, 'Key')}`, context },
      // Without the right to list, an object that is not there is answered as one that is forbidden.
      ...(call.status === 404 ? [{ action: 's3:ListBucket', resource: bucket, context }] : []),
      ...throughKey(call, facts, bucket, 's3', ['kms:Decrypt']),
    ];
  },
  // The action of HeadObject is that of GetObject.
  's3:HeadObject': (call, facts) => rules['s3:GetObject']?.(call, facts) ?? [],
  's3:DeleteObject': (call, facts) => [
    {
      action: 's3:DeleteObject',
      resource: `arn:${facts.partition}:s3:::${text(call, 'Bucket')}/${text(call, 'Key')}`,
      context: ownerOf(call),
    },
  ],
  's3:PutObject': (call, facts) => {
    const bucket = `arn:${facts.partition}:s3:::${text(call, 'Bucket')}`;
    return [
      { action: 's3:PutObject', resource: `${bucket}/${text(call, 'Key')}`, context: ownerOf(call) },
      ...throughKey(call, facts, bucket, 's3', ['kms:GenerateDataKey']),
    ];
  },
  'sns:Publish': (call, facts) => [
    { action: 'sns:Publish', resource: text(call, 'TopicArn') },
    ...throughKey(call, facts, text(call, 'TopicArn'), 'sns', ['kms:GenerateDataKey', 'kms:Decrypt']),
  ],
  'ssm:SendCommand': (call, facts) => [
    { action: 'ssm:SendCommand', resource: documentArn(call, facts, text(call, 'DocumentName')) },
    ...(call.input.InstanceIds as string[]).map((id) => ({
      action: 'ssm:SendCommand',
      resource: serverArn(call, facts, id),
      context: Object.fromEntries(
        Object.entries(facts.tagsOf(id)).map(([key, value]) => [`ssm:resourceTag/${key}`, value]),
      ),
    })),
  ],
  'ssm:ListCommands': inRegion('ssm:ListCommands'),
  'ssm:ListCommandInvocations': inRegion('ssm:ListCommandInvocations'),
  'ssm:DescribeInstanceInformation': inRegion('ssm:DescribeInstanceInformation'),
  'ssm:DescribeDocument': onDocument('ssm:DescribeDocument'),
  'ssm:GetDocument': onDocument('ssm:GetDocument'),
  'ssm:ListTagsForResource': (call, facts) => [
    { action: 'ssm:ListTagsForResource', resource: serverArn(call, facts, text(call, 'ResourceId')) },
  ],
  'ec2:DescribeInstances': inRegion('ec2:DescribeInstances'),
  'ec2:DescribeSnapshots': inRegion('ec2:DescribeSnapshots'),
  'ec2:DescribeReplaceRootVolumeTasks': inRegion('ec2:DescribeReplaceRootVolumeTasks'),
  // EC2 asks for the right on the server, on each of its disks, and on what it makes, which is tagged meanwhile.
  'ec2:CreateSnapshots': (call, facts) => {
    const snapshot = snapshotArn(call, facts, 'snap-0123456789abcdef0');
    const tags = requestTags(call);
    return [
      onServer('ec2:CreateSnapshots', call, facts, text(call, 'InstanceSpecification.InstanceId')),
      { action: 'ec2:CreateSnapshots', resource: arn(call, facts, 'ec2', 'volume/vol-0123456789abcdef0') },
      { action: 'ec2:CreateSnapshots', resource: snapshot, context: tags },
      {
        action: 'ec2:CreateTags',
        resource: snapshot,
        context: { ...tags, 'ec2:CreateAction': 'CreateSnapshots' },
      },
    ];
  },
  // Our functions have seen its tags before they delete it.
  'ec2:DeleteSnapshot': (call, facts) => [
    {
      action: 'ec2:DeleteSnapshot',
      resource: snapshotArn(call, facts, text(call, 'SnapshotId')),
      context: { 'aws:ResourceTag/quarterdeck:campaign': 'campaign-0001' },
    },
  ],
  'ec2:CreateReplaceRootVolumeTask': (call, facts) => {
    const action = 'ec2:CreateReplaceRootVolumeTask';
    const task = arn(call, facts, 'ec2', 'replace-root-volume-task/replacevol-0123456789abcdef0');
    const tags = requestTags(call);
    return [
      onServer(action, call, facts, text(call, 'InstanceId')),
      {
        action,
        resource: snapshotArn(call, facts, text(call, 'SnapshotId')),
        context: { 'aws:ResourceTag/quarterdeck:campaign': 'campaign-0001' },
      },
      { action, resource: arn(call, facts, 'ec2', 'volume/vol-0123456789abcdef0') },
      { action, resource: task, context: tags },
      {
        action: 'ec2:CreateTags',
        resource: task,
        context: { ...tags, 'ec2:CreateAction': 'CreateReplaceRootVolumeTask' },
      },
    ];
  },
  // Whoever may not see all alarms is told of no composite one.
  'monitoring:DescribeAlarms': (call, facts) => [
    {
      action: 'cloudwatch:DescribeAlarms',
      resource: arn(call, facts, 'cloudwatch', 'alarm:any'),
      context: { 'aws:RequestedRegion': call.region },
    },
  ],
  'states:SendTaskSuccess': onToken('states:SendTaskSuccess'),
  'states:SendTaskFailure': onToken('states:SendTaskFailure'),
  // Authorized on the machine; the alias is the qualifier.
  'states:StartExecution': (call) => {
    const [machine, qualifier] = unqualified(text(call, 'stateMachineArn'));
    const context = qualifier === undefined ? {} : { 'states:StateMachineQualifier': [qualifier] };
    return [{ action: 'states:StartExecution', resource: machine, context }];
  },
  'scheduler:ListSchedules': () => [{ action: 'scheduler:ListSchedules', resource: '*' }],
  'scheduler:GetSchedule': onSchedule('scheduler:GetSchedule'),
  'scheduler:CreateSchedule': onSchedule('scheduler:CreateSchedule'),
  'scheduler:UpdateSchedule': onSchedule('scheduler:UpdateSchedule'),
  'scheduler:DeleteSchedule': onSchedule('scheduler:DeleteSchedule'),
  'sts:AssumeRole': (call) => {
    const role = text(call, 'RoleArn');
    return [{ action: 'sts:AssumeRole', resource: role, account: role.split(':')[4] ?? '' }];
  },
};

/** `arn:aws:states:<region>:<account>:stateMachine:<name>:<alias>`. */
function unqualified(machine: string): [machine: string, qualifier: string | undefined] {
  const parts = machine.split(':');
  return [parts.slice(0, 7).join(':'), parts[7]];
}

const ownerOf = ({ account }: Call) => ({ 's3:ResourceAccount': account });

export function requestsOf(call: Call, facts: Facts): AccessRequest[] {
  const operation = `${call.service}:${call.operation}`;
  const rule = rules[operation];
  const from = `${operation} by ${call.principal}`;
  if (rule === undefined) throw new Error(`${from}: say in recorded-requests.ts which rights it takes`);
  return rule(call, facts).map((wanted) => ({
    principal: call.principal,
    account: call.account,
    from,
    ...wanted,
  }));
}
