/** Owns which calls about servers a port takes, and on what: the same in the stack's own account and in others. */
import { snapshotTags } from '../../core/snapshot-tags.ts';
import type { PortName } from '../../lambdas/functions.ts';
import type { Right } from './right.ts';

export interface OptInTag {
  readonly key: string;
  readonly value: string;
}

/** The servers of one account. */
export interface ServerScope {
  readonly partition: string;
  readonly account: string;
  readonly regions: readonly string[];
  readonly optInTag: OptInTag;
  readonly documents: readonly string[];
}

export type ServerPort = Extract<
  PortName,
  | 'documents'
  | 'commands'
  | 'invocations'
  | 'fleet'
  | 'discovery'
  | 'snapshots'
  | 'expiry'
  | 'root-volumes'
  | 'root-tasks'
  | 'alarms'
>;

export function serverRights(port: ServerPort, scope: ServerScope): Right[] {
  if (scope.regions.length === 0) return [];
  switch (port) {
    case 'documents':
      return [{ actions: ['ssm:DescribeDocument', 'ssm:GetDocument'], resources: documentArns(scope) }];
    case 'commands':
      return [...sending(scope), looking(scope, ['ssm:ListCommands', 'ssm:ListCommandInvocations'])];
    case 'invocations':
      return [looking(scope, ['ssm:ListCommandInvocations'])];
    case 'fleet':
    case 'discovery':
      return [
        looking(scope, ['ec2:DescribeInstances', 'ssm:DescribeInstanceInformation']),
        {
          actions: ['ssm:ListTagsForResource'],
          // Any hybrid node.
          resources: arns(scope, 'ssm', 'managed-instance/*'),
          why: 'The tags of a hybrid node tell whether it has opted in',
        },
      ];
    case 'snapshots':
      return [looking(scope, ['ec2:DescribeInstances', 'ec2:DescribeSnapshots']), ...snapshotting(scope)];
    case 'expiry':
      return [
        looking(scope, ['ec2:DescribeSnapshots']),
        {
          actions: ['ec2:DeleteSnapshot'],
          // Any snapshot that carries our tag.
          resources: snapshotArns(scope),
          conditions: { Null: { [`aws:ResourceTag/${snapshotTags.campaign}`]: 'false' } },
          why: 'Snapshots of ours are known by a tag, which the statement asks for',
        },
      ];
    case 'root-volumes':
      return [
        looking(scope, [...rootLooks, 'ec2:DescribeSnapshots']),
        ...replacing(scope),
        ...throughKeys(scope),
      ];
    case 'root-tasks':
      return [looking(scope, [...rootLooks, 'ec2:DescribeReplaceRootVolumeTasks'])];
    case 'alarms':
      return [
        {
          actions: ['cloudwatch:DescribeAlarms'],
          // Any alarm of these Regions.
          resources: ['*'],
          conditions: { StringEquals: { 'aws:RequestedRegion': [...scope.regions] } },
          why: 'Composite alarms are told only to whoever may see all alarms',
        },
      ];
  }
}

const rootLooks = ['ec2:DescribeInstances', 'ssm:DescribeInstanceInformation'] as const;

/** One call asks for the rights on the server, on its disks, and on what it makes. */
function snapshotting(scope: ServerScope): Right[] {
  const { key, value } = scope.optInTag;
  return [
    {
      actions: ['ec2:CreateSnapshots'],
      // Any server that carries the tag.
      resources: arns(scope, 'ec2', 'instance/*'),
      conditions: { StringEquals: { [`aws:ResourceTag/${key}`]: value } },
      why: 'Servers opt in by a tag, which the statement asks for',
    },
    {
      actions: ['ec2:CreateSnapshots'],
      // Any disk.
      resources: arns(scope, 'ec2', 'volume/*'),
      why: 'Disks carry no tag of ours; the server that they are attached to does',
    },
    {
      actions: ['ec2:CreateSnapshots'],
      // Whatever is made, with our tag.
      resources: snapshotArns(scope),
      conditions: { Null: { [`aws:RequestTag/${snapshotTags.campaign}`]: 'false' } },
      why: 'EC2 chooses the names of snapshots',
    },
    tagging(snapshotArns(scope), 'CreateSnapshots'),
  ];
}

/** A snapshot of ours becomes the root volume of a server that has opted in; nothing else can. */
function replacing(scope: ServerScope): Right[] {
  const { key, value } = scope.optInTag;
  // Any task, since one that is about to be made has no name.
  const tasks = arns(scope, 'ec2', 'replace-root-volume-task/*');
  const actions = ['ec2:CreateReplaceRootVolumeTask'];
  return [
    {
      actions,
      // Any server that carries the tag.
      resources: arns(scope, 'ec2', 'instance/*'),
      conditions: { StringEquals: { [`aws:ResourceTag/${key}`]: value } },
      why: 'Servers opt in by a tag, which the statement asks for',
    },
    {
      actions,
      // Any snapshot that carries our tag.
      resources: snapshotArns(scope),
      conditions: { Null: { [`aws:ResourceTag/${snapshotTags.campaign}`]: 'false' } },
      why: 'Snapshots of ours are known by a tag, which the statement asks for',
    },
    {
      actions,
      // The new disk, and the task that makes it.
      resources: [...arns(scope, 'ec2', 'volume/*'), ...tasks],
      why: 'EC2 chooses the names of what it makes',
    },
    tagging(tasks, 'CreateReplaceRootVolumeTask'),
  ];
}

/** What EC2 asks of whoever makes a volume of an encrypted snapshot; the keys' own policies say whom they serve. */
function throughKeys(scope: ServerScope): Right[] {
  const throughEc2 = {
    'kms:ViaService': scope.regions.map((region) => `ec2.${region}.amazonaws.com`),
  };
  // Any key of the account.
  const resources = arns(scope, 'kms', 'key/*');
  const why = 'Disks are encrypted with keys of the account that are known to nobody but EC2';
  return [
    {
      actions: [
        'kms:Decrypt',
        'kms:DescribeKey',
        'kms:GenerateDataKeyWithoutPlaintext',
        'kms:ReEncryptFrom',
        'kms:ReEncryptTo',
      ],
      resources,
      conditions: { StringEquals: throughEc2 },
      why,
    },
    {
      actions: ['kms:CreateGrant'],
      resources,
      conditions: { StringEquals: throughEc2, Bool: { 'kms:GrantIsForAWSResource': 'true' } },
      why,
    },
  ];
}

/** Only while it is being made: what exists is tagged by nobody. */
function tagging(resources: readonly string[], call: string): Right {
  return {
    actions: ['ec2:CreateTags'],
    resources,
    conditions: { StringEquals: { 'ec2:CreateAction': call } },
    why: 'EC2 chooses the names of what it makes',
  };
}

/** Snapshots are in no account's name. */
function snapshotArns({ partition, regions }: ServerScope): string[] {
  // Any, which the statements bound by tags.
  return regions.map((region) => `arn:${partition}:ec2:${region}::snapshot/*`);
}

/**
 * Our documents and no others, above all not AWS-RunShellScript; and only servers that carry the tag. On the statement
 * about documents the condition would deny everything, since documents carry no such tag.
 */
function sending(scope: ServerScope): Right[] {
  const { key, value } = scope.optInTag;
  return [
    { actions: ['ssm:SendCommand'], resources: documentArns(scope) },
    {
      actions: ['ssm:SendCommand'],
      // Any server that carries the tag.
      resources: [...arns(scope, 'ec2', 'instance/*'), ...arns(scope, 'ssm', 'managed-instance/*')],
      conditions: { StringEquals: { [`ssm:resourceTag/${key}`]: value } },
      why: 'Servers opt in by a tag, which the statement asks for',
    },
  ];
}

/** Calls that list, which IAM can bound by Region only. */
function looking({ regions }: ServerScope, actions: readonly string[]): Right {
  return {
    actions,
    // No resource is known to these calls.
    resources: ['*'],
    conditions: { StringEquals: { 'aws:RequestedRegion': [...regions] } },
    why: 'Lists of commands, of instances and of managed nodes are no resources',
  };
}

function documentArns(scope: ServerScope): string[] {
  return scope.documents.flatMap((name) => arns(scope, 'ssm', `document/${name}`));
}

function arns({ partition, account, regions }: ServerScope, service: string, resource: string): string[] {
  return regions.map((region) => `arn:${partition}:${service}:${region}:${account}:${resource}`);
}
