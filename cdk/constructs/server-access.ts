/** Owns the managed policy that gives servers their rights: to read orders, and to answer under their own name. */
import { Validations } from 'aws-cdk-lib';
import { ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { bucketFolders } from './campaign-bucket.ts';

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
    this.policy = new ManagedPolicy(this, 'Policy', {
      description: 'What a server needs of the campaign bucket of Quarterdeck; attach it to the role of each',
      statements: [
        new PolicyStatement({
          actions: ['s3:GetObject'],
          // Orders are named by their hash; whoever knows one has been told it by a command.
          resources: [`${bucketArn}/${bucketFolders.orders}/*`],
          conditions: inHome,
        }),
        new PolicyStatement({
          actions: ['s3:PutObject'],
          // Everything under the instance's own name, which EC2 puts into the request.
          resources: [`${bucketArn}/${bucketFolders.servers}/\${ec2:SourceInstanceARN}/*`],
          conditions: { ...inHome, Null: { 'ec2:SourceInstanceARN': 'false' } },
        }),
        new PolicyStatement({
          actions: ['s3:PutObject'],
          // The same for a hybrid node, whose session is named after it.
          resources: [`${bucketArn}/${bucketFolders.servers}/\${aws:userid}/*`],
          // Any session that Systems Manager named after a node.
          conditions: { ...inHome, StringLike: { 'aws:userid': '*:mi-*' } },
        }),
        new PolicyStatement({
          actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
          resources: [keyArn],
          conditions: { StringEquals: { 'kms:ViaService': `s3.${home.region}.amazonaws.com` } },
        }),
      ],
    });
    Validations.of(this.policy).acknowledge({
      id: 'AwsSolutions-IAM5',
      reason: 'Folders of one bucket, by variables that IAM fills in for each server',
    });
  }
}
