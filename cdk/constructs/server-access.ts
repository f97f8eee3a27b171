/** Owns the managed policy that gives servers their rights: to read orders and hooks, and to answer and back up under their own name. */
import { ManagedPolicy } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { backupFolder } from './backup-bucket.ts';
import { bucketFolders } from './campaign-bucket.ts';
import { giveRight } from './right.ts';

export interface ServerAccessProps {
  /** ARN of the campaign bucket, or a pattern where its name is not known. */
  readonly bucketArn: string;
  /** ARN of its key, or a pattern where its name is not known. */
  readonly keyArn: string;
  /** The same of the backup bucket, which servers write to and do not read. */
  readonly backupBucketArn: string;
  readonly backupKeyArn: string;
  /** Account and Region that the buckets are in. */
  readonly home: { readonly account: string; readonly region: string };
}

/**
 * Beside AmazonSSMManagedInstanceCore or Default Host Management, which make a server a managed node. Neither
 * `s3:GetEncryptionConfiguration` nor `s3:PutObjectAcl` is in it: the agent needs them to upload the output of
 * commands, and ours have none to upload, since the documents write their results themselves.
 */
export class ServerAccess extends Construct {
  readonly policy: ManagedPolicy;

  constructor(scope: Construct, id: string, props: ServerAccessProps) {
    super(scope, id);
    const { bucketArn, keyArn, backupBucketArn, backupKeyArn, home } = props;
    const inHome = { StringEquals: { 's3:ResourceAccount': home.account } };
    const { orders, hooks, servers } = bucketFolders;
    const below = (name: string) => [
      `${bucketArn}/${servers}/${name}`,
      `${backupBucketArn}/${backupFolder}/${name}`,
    ];
    this.policy = new ManagedPolicy(this, 'Policy', {
      description: 'What a server needs of the campaign bucket of Quarterdeck; attach it to the role of each',
    });
    giveRight(this.policy, {
      actions: ['s3:GetObject'],
      // Any order, and any hook.
      resources: [orders, hooks].map((folder) => `${bucketArn}/${folder}/*`),
      conditions: inHome,
      why: 'Orders are named by their hash, and an order names the hook; whoever knows one has been told it by a command',
    });
    giveRight(this.policy, {
      actions: ['s3:PutObject'],
      // Everything under the instance's own name, which EC2 puts into the request.
      resources: below(`\${ec2:SourceInstanceARN}/*`),
      conditions: { ...inHome, Null: { 'ec2:SourceInstanceARN': 'false' } },
      why: "Keys under the server's own name carry campaign, phase and hash",
    });
    giveRight(this.policy, {
      actions: ['s3:PutObject'],
      // The same for a hybrid node, whose session is named after it.
      resources: below(`\${aws:userid}/*`),
      // Any session that Systems Manager named after a node.
      conditions: { ...inHome, StringLike: { 'aws:userid': '*:mi-*' } },
      why: "Keys under the node's own name carry campaign, phase and hash",
    });
    giveRight(this.policy, {
      actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
      resources: [keyArn],
      conditions: { StringEquals: { 'kms:ViaService': `s3.${home.region}.amazonaws.com` } },
      why: 'In another account the key is not known by name; its own policy says which accounts it serves',
    });
    giveRight(this.policy, {
      // Not kms:Decrypt: what a server encrypts here it can not read again.
      actions: ['kms:GenerateDataKey'],
      resources: [backupKeyArn],
      conditions: { StringEquals: { 'kms:ViaService': `s3.${home.region}.amazonaws.com` } },
      why: 'As for the other key',
    });
  }
}
