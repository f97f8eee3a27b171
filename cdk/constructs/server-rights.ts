/** Owns which calls about servers a port takes, and on what: the same in the stack's own account and in others. */
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { PortName } from '../../lambdas/functions.ts';

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

const serverPorts: readonly string[] = ['documents', 'commands', 'invocations', 'fleet', 'discovery'];

export const isServerPort = (port: PortName): port is ServerPort => serverPorts.includes(port);

export function serverStatements(port: ServerPort, scope: ServerScope): PolicyStatement[] {
  if (scope.regions.length === 0) return [];
  switch (port) {
    case 'documents':
      return [allow(['ssm:DescribeDocument', 'ssm:GetDocument'], documentArns(scope))];
    case 'commands':
      return [...sending(scope), looking(scope, ['ssm:ListCommands', 'ssm:ListCommandInvocations'])];
    case 'invocations':
      return [looking(scope, ['ssm:ListCommandInvocations'])];
    case 'fleet':
    case 'discovery':
      return [
        looking(scope, ['ec2:DescribeInstances', 'ssm:DescribeInstanceInformation']),
        // Any hybrid node: its tags tell whether it has opted in.
        allow(['ssm:ListTagsForResource'], arns(scope, 'ssm', 'managed-instance/*')),
      ];
  }
}

/**
 * Our documents and no others, above all not AWS-RunShellScript; and only servers that carry the tag. On the statement
 * about documents the condition would deny everything, since documents carry no such tag.
 */
function sending(scope: ServerScope): PolicyStatement[] {
  const { key, value } = scope.optInTag;
  return [
    allow(['ssm:SendCommand'], documentArns(scope)),
    allow(
      ['ssm:SendCommand'],
      // Any server, on the condition below.
      [...arns(scope, 'ec2', 'instance/*'), ...arns(scope, 'ssm', 'managed-instance/*')],
      { StringEquals: { [`ssm:resourceTag/${key}`]: value } },
    ),
  ];
}

/** Calls that list, which IAM can bound by Region only. */
function looking({ regions }: ServerScope, actions: readonly string[]): PolicyStatement {
  // Lists of commands, of instances and of managed nodes are no resources.
  return allow(actions, ['*'], { StringEquals: { 'aws:RequestedRegion': [...regions] } });
}

function documentArns(scope: ServerScope): string[] {
  return scope.documents.flatMap((name) => arns(scope, 'ssm', `document/${name}`));
}

function arns({ partition, account, regions }: ServerScope, service: string, resource: string): string[] {
  return regions.map((region) => `arn:${partition}:${service}:${region}:${account}:${resource}`);
}

function allow(
  actions: readonly string[],
  resources: readonly string[],
  conditions?: Record<string, Record<string, unknown>>,
): PolicyStatement {
  return new PolicyStatement({
    actions: [...actions],
    resources: [...resources],
    ...(conditions && { conditions }),
  });
}
