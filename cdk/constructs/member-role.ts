/** Owns the role that the functions assume in another account, with the rights that they have in their own. */
import { Stack } from 'aws-cdk-lib';
import { AccountPrincipal, Role } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { functionRolePath } from './patch-function.ts';
import { giveRight } from './right.ts';
import { type OptInTag, type ServerPort, serverRights } from './server-rights.ts';

export interface MemberRoleProps {
  readonly roleName: string;
  readonly homeAccount: string;
  readonly regions: readonly string[];
  readonly optInTag: OptInTag;
  readonly documents: readonly string[];
}

const ports: readonly ServerPort[] = [
  'documents',
  'commands',
  'fleet',
  'snapshots',
  'expiry',
  'root-volumes',
  'root-tasks',
  'alarms',
];

export class MemberRole extends Construct {
  constructor(scope: Construct, id: string, props: MemberRoleProps) {
    super(scope, id);
    const { partition, account } = Stack.of(this);
    const role = new Role(this, 'Role', {
      // The functions compute its ARN of this name; a role keeps no state.
      roleName: props.roleName,
      description: 'Assumed by the functions of Quarterdeck, to patch servers that have opted in',
      assumedBy: new AccountPrincipal(props.homeAccount).withConditions({
        ArnLike: {
          // Any function of ours: their roles have generated names under a path of their own.
          'aws:PrincipalArn': `arn:${partition}:iam::${props.homeAccount}:role${functionRolePath}*`,
        },
      }),
    });
    const { regions, optInTag, documents } = props;
    const servers = { partition, account, regions, optInTag, documents };
    for (const right of ports.flatMap((port) => serverRights(port, servers))) giveRight(role, right);
  }
}
