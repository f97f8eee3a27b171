/** Owns which calls about servers a port takes, and on what: the same in the stack's own account and in others. */
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

export type ServerPort = Extract<PortName, 'documents' | 'commands' | 'invocations' | 'fleet' | 'discovery'>;

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
  }
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
