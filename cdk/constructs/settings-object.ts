/** Owns the object that tells the functions policies and places: written when the stack is deployed, named by its hash. */
import { createHash } from 'node:crypto';
import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { AwsCustomResource, AwsCustomResourcePolicy, PhysicalResourceId } from 'aws-cdk-lib/custom-resources';
import { Construct } from 'constructs';
import { bucketFolders, type CampaignBucket, settingsPattern } from './campaign-bucket.ts';
import { type DataKey, keyUse } from './data-key.ts';
import type { PatchFunction } from './patch-function.ts';
import { acknowledgePatterns } from './right.ts';

export interface SettingsObjectProps {
  readonly settings: unknown;
  readonly bucket: CampaignBucket;
  readonly key: DataKey;
  readonly logRetention: RetentionDays;
}

/** Under which CDK keeps the one function behind all custom resources of a stack that make an SDK call. */
const singleton = 'AWS679f53fac002430cb0da5b7982bd2287';

export class SettingsObject extends Construct {
  /** With the hash of its content: a rollback finds the object of the release before untouched. */
  readonly objectKey: string;
  private readonly bucket: CampaignBucket;

  constructor(scope: Construct, id: string, { settings, bucket, key, logRetention }: SettingsObjectProps) {
    super(scope, id);
    this.bucket = bucket;
    const content = JSON.stringify(settings);
    const hash = createHash('sha256').update(content).digest('hex');
    this.objectKey = `${bucketFolders.settings}/${hash}.json`;
    const put = {
      service: 'S3',
      action: 'putObject',
      parameters: {
        Bucket: bucket.bucket.bucketName,
        Key: this.objectKey,
        Body: content,
        ContentType: 'application/json',
        ExpectedBucketOwner: Stack.of(this).account,
      },
      physicalResourceId: PhysicalResourceId.of(hash),
    };
    // No call on deletion: the object is one of the campaigns' records, and goes with the bucket.
    const writer = new AwsCustomResource(this, 'Writer', {
      onCreate: put,
      onUpdate: put,
      timeout: Duration.minutes(2),
      installLatestAwsSdk: false,
      logGroup: new LogGroup(this, 'Logs', { retention: logRetention, removalPolicy: RemovalPolicy.DESTROY }),
      policy: AwsCustomResourcePolicy.fromStatements([
        new PolicyStatement({ actions: ['s3:PutObject'], resources: [bucket.settingsObjects] }),
        // Among its own statements: the writer waits for these, and not for what is granted to its role later.
        new PolicyStatement({ actions: [...keyUse], resources: [key.key.keyArn] }),
      ]),
    });
    // What the bucket's policy asks of a caller must be there before it calls.
    writer.node.addDependency(bucket);
    acknowledgePatterns(writer, [bucket.settingsObjects], settingsPattern);
    this.acknowledgeWriter();
  }

  grantSettings(fn: PatchFunction): void {
    this.bucket.grantSettings(fn, this.objectKey);
  }

  private acknowledgeWriter(): void {
    Validations.of(Stack.of(this).node.findChild(singleton)).acknowledge({
      id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]',
      reason: "CDK's own function that writes the settings has AWS's policy for logs; ours do not",
    });
  }
}
