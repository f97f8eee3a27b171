/** Owns the managed policy that gives servers their rights: to read orders, and to answer under their own name. */
import { ManagedPolicy } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { bucketFolders } from './campaign-bucket.ts';
import { giveRight } from './right.ts';

export interface ServerAccessProps {
  /** ARN of the campaign bucket, or a pattern where its name is not known. */
  readonly bucketArn: string;
  /** ARN of its key, or a pattern where its name is not known. */
  readonly keyArn: string;
  /** Account and Region that the bucket is in. */
  readonly home: { readonly account: string; readonly region: string };
}

/**
 * Beside AmazonSSMManagedInstanceCore or Default Host Management, which make a server a managed node. Neither
 * `s3:GetEncryptionConfiguration` nor `s3:PutObjectAcl` is in it: the agent needs them to upload the output of
 * commands, and ours have none to upload, since the documents write their results themselves.
 */
export class ServerAccess extends Construct {
  readonly policy: ManagedPolicy;

  constructor(scope: Construct, id: string, { bucketArn, keyArn, home }: ServerAccessProps) {
    super(scope, id);
    const inHome = { StringEquals: { 's3:ResourceAccount': home.account } };
    const { orders, servers } = bucketFolders;
    this.policy = new ManagedPolicy(this, 'Policy', {
      description: 'What a server needs of the campaign bucket of Quarterdeck; attach it to the role of each',
    });
    giveRight(this.policy, {
      actions: ['s3:GetObject'],
      // Any order.
      resources: [`${bucketArn}/${orders}/*`],
      conditions: inHome,
      why: 'Orders are named by their hash; whoever knows one has been told it by a command',
    });
    giveRight(this.policy, {
      actions: ['s3:PutObject'],
      // Everything under the instance's own name, which EC2 puts into the request.
      resources: [`${bucketArn}/${servers}/\${ec2:SourceInstanceARN}/*`],
      conditions: { ...inHome, Null: { 'ec2:SourceInstanceARN': 'false' } },
      why: "Keys under the server's own name carry campaign, phase and hash",
    });
    giveRight(this.policy, {
      actions: ['s3:PutObject'],
      // The same for a hybrid node, whose session is named after it.
      resources: [`${bucketArn}/${servers}/\${aws:userid}/*`],
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
  }
}
