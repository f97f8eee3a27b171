/** Owns the key that encrypts all that the stack keeps: one key, since each costs by the month. */
import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { AccountPrincipal, type IGrantable, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';

export interface DataKeyProps {
  /** Accounts of servers other than the stack's own. */
  readonly memberAccounts: readonly string[];
}

/** What S3 asks of those who read and write objects, and SNS of those who publish. */
export const keyUse: readonly string[] = ['kms:Decrypt', 'kms:GenerateDataKey'];

/** What DynamoDB asks of those who read and write items, spelled out where AWS's examples write wildcards. */
const tableKeyUse: readonly string[] = [
  'kms:Decrypt',
  'kms:DescribeKey',
  'kms:Encrypt',
  'kms:GenerateDataKey',
  'kms:GenerateDataKeyWithoutPlaintext',
  'kms:ReEncryptFrom',
  'kms:ReEncryptTo',
];

export class DataKey extends Construct {
  readonly key: Key;

  constructor(scope: Construct, id: string, { memberAccounts }: DataKeyProps) {
    super(scope, id);
    const { account, region } = Stack.of(this);
    this.key = new Key(this, 'Key', {
      description: 'Encrypts what Quarterdeck keeps: state, plans, results and notices',
      enableKeyRotation: true,
      // Without it, the table and the bucket that stay behind could not be read.
      removalPolicy: RemovalPolicy.RETAIN,
    });
    // Alarms cannot publish to a topic under `alias/aws/sns`: its policy cannot be changed to let them.
    this.key.addToResourcePolicy(
      new PolicyStatement({
        sid: 'AlarmsPublishToTheTopic',
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
        // In the policy of a key, this is the key itself.
        resources: ['*'],
        conditions: { StringEquals: { 'aws:SourceAccount': account } },
      }),
    );
    if (memberAccounts.length === 0) return;
    this.key.addToResourcePolicy(
      new PolicyStatement({
        sid: 'ServersOfMemberAccounts',
        principals: memberAccounts.map((member) => new AccountPrincipal(member)),
        actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
        // In the policy of a key, this is the key itself.
        resources: ['*'],
        conditions: { StringEquals: { 'kms:ViaService': `s3.${region}.amazonaws.com` } },
      }),
    );
  }

  grantTable(grantee: IGrantable): void {
    this.key.grant(grantee, ...tableKeyUse);
  }

  grantUse(grantee: IGrantable): void {
    this.key.grant(grantee, ...keyUse);
  }
}
