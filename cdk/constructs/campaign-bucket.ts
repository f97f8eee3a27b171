/** Owns the campaign bucket: who may put what where in it, and how long it stays. */
import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { AccountPrincipal, PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type BucketProps,
  type IBucket,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { DataKey } from './data-key.ts';
import type { PatchFunction } from './patch-function.ts';
import { giveRight } from './right.ts';

/** Folders that whoever reads or writes the bucket knows by name. */
export const bucketFolders = {
  /** What a command asks of its servers; servers read it. */
  orders: 'orders',
  /** Scripts of policies that run around a patch, put there by people; servers read them. */
  hooks: 'hooks',
  /** What a server answers, under its own name; servers write it. */
  servers: 'servers',
  /** Lists and reports of campaigns; the state machine reads lists here. */
  campaigns: 'campaigns',
  /** Inventory, plans and feeds. */
  calendar: 'calendar',
  /** What the stack tells its functions. */
  settings: 'settings',
} as const;

/** What core/result-object.ts says (`resultDays`). */
const keepResults = Duration.days(120);

/** Why rights are on all settings, and not on those of one hash. */
export const settingsPattern =
  'Changed settings have another hash: a policy that named it would have to reach all of IAM before they are used';

export interface CampaignBucketProps {
  readonly key: DataKey;
  /** Accounts of servers other than the stack's own. */
  readonly memberAccounts: readonly string[];
}

/** What holds for every bucket of ours. */
export const safeBucket: BucketProps = {
  blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
  enforceSSL: true,
  minimumTLSVersion: 1.2,
  objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
  removalPolicy: RemovalPolicy.RETAIN,
};

export class CampaignBucket extends Construct {
  readonly bucket: Bucket;
  private readonly key: DataKey;

  constructor(scope: Construct, id: string, { key, memberAccounts }: CampaignBucketProps) {
    super(scope, id);
    this.key = key;
    const accessLogs = new Bucket(this, 'AccessLogs', {
      ...safeBucket,
      // S3 delivers access logs under its own keys.
      encryption: BucketEncryption.S3_MANAGED,
      lifecycleRules: [{ expiration: Duration.days(30) }],
    });
    this.bucket = new Bucket(this, 'Bucket', {
      ...safeBucket,
      encryption: BucketEncryption.KMS,
      encryptionKey: key.key,
      // A thousand servers else ask KMS a thousand times.
      bucketKeyEnabled: true,
      versioned: true,
      // CDK's own types are not made for exactOptionalPropertyTypes.
      serverAccessLogsBucket: accessLogs as IBucket,
      lifecycleRules: [
        {
          noncurrentVersionExpiration: Duration.days(30),
          abortIncompleteMultipartUploadAfter: Duration.days(7),
        },
        { prefix: `${bucketFolders.orders}/`, expiration: keepResults },
        { prefix: `${bucketFolders.servers}/`, expiration: keepResults },
        // Pieces of questions and answers that were too long for one; they are put together within minutes.
        { prefix: `${bucketFolders.calendar}/messages/`, expiration: Duration.days(1) },
      ],
    });
    if (memberAccounts.length > 0) this.admitServersOf(memberAccounts);
  }

  grantObjects(fn: PatchFunction): void {
    const { orders, servers, campaigns } = bucketFolders;
    // Every object of these folders.
    const all = (folder: string) => this.bucket.arnForObjects(`${folder}/*`);
    const why = 'Keys carry campaigns, servers and hashes, which are made when a campaign runs';
    fn.allow({ actions: ['s3:GetObject'], resources: [orders, servers, campaigns].map(all), why });
    // What a server answers is written by the server alone.
    fn.allow({ actions: ['s3:PutObject'], resources: [orders, campaigns].map(all), why });
    // Without it, an object that is not there reads as one that is forbidden.
    fn.allow({ actions: ['s3:ListBucket'], resources: [this.bucket.bucketArn] });
    this.key.grantUse(fn);
    this.grantName(fn);
  }

  /** What servers answered, and nothing else. */
  grantResults(fn: PatchFunction): void {
    fn.allow({
      actions: ['s3:GetObject'],
      // Of every server.
      resources: [this.bucket.arnForObjects(`${bucketFolders.servers}/*`)],
      why: 'Keys carry servers and campaigns, which are made when a campaign runs',
    });
    // Without it, a result that is not there reads as one that is forbidden.
    fn.allow({ actions: ['s3:ListBucket'], resources: [this.bucket.bucketArn] });
    this.key.grantUse(fn);
    this.grantName(fn);
  }

  grantCalendar(fn: PatchFunction): void {
    fn.allow({
      actions: ['s3:GetObject', 's3:PutObject'],
      // Every inventory, plan and feed.
      resources: [this.bucket.arnForObjects(`${bucketFolders.calendar}/*`)],
      why: 'Keys carry hashes and the names of owners and groups, which are known when servers are',
    });
    // Without it, an object that is not there reads as one that is forbidden.
    fn.allow({ actions: ['s3:ListBucket'], resources: [this.bucket.bucketArn] });
    this.key.grantUse(fn);
    this.grantName(fn);
  }

  /** The name alone, and no right. */
  grantName(fn: PatchFunction): void {
    fn.setVariable('campaignBucket', this.bucket.bucketName);
    fn.setVariable('campaignBucketRegion', Stack.of(this).region);
  }

  /** Those of every release. */
  get settingsObjects(): string {
    // Any hash: see the reason above.
    return this.bucket.arnForObjects(`${bucketFolders.settings}/*`);
  }

  grantSettings(fn: PatchFunction, objectKey: string): void {
    fn.allow({ actions: ['s3:GetObject'], resources: [this.settingsObjects], why: settingsPattern });
    fn.allow({ actions: ['s3:ListBucket'], resources: [this.bucket.bucketArn] });
    this.key.grantUse(fn);
    this.grantName(fn);
    fn.setVariable('policies', objectKey);
  }

  /** What reading the items of a Distributed Map and writing its results takes. */
  grantMaps(role: Role): void {
    const { campaigns } = bucketFolders;
    const why = 'Lists and results of every campaign; their keys are made when it runs';
    giveRight(role, {
      actions: ['s3:GetObject'],
      // The lists of batches.
      resources: [this.bucket.arnForObjects(`${campaigns}/*`)],
      why,
    });
    giveRight(role, {
      actions: ['s3:PutObject', 's3:ListMultipartUploadParts', 's3:AbortMultipartUpload'],
      // The results of maps.
      resources: [this.bucket.arnForObjects(`${campaigns}/*/maps/*`)],
      why,
    });
    this.key.grantUse(role);
  }

  /**
   * The accounts decide which of their roles may, within this. That a server writes under its own name only is said
   * here as well, so that no account can let one server answer for another. One statement for all of them, since the
   * policy of a bucket has 20 KB.
   */
  private admitServersOf(accounts: readonly string[]): void {
    const { partition } = Stack.of(this);
    const principals = accounts.map((account) => new AccountPrincipal(account));
    this.bucket.addToResourcePolicy(
      new PolicyStatement({
        principals,
        actions: ['s3:GetObject'],
        resources: [
          // Orders are named by their hash; whoever knows one has been told it by a command.
          this.bucket.arnForObjects(`${bucketFolders.orders}/*`),
          // Hooks are named by an order, and run only by the hash that stands there.
          this.bucket.arnForObjects(`${bucketFolders.hooks}/*`),
        ],
      }),
    );
    this.bucket.addToResourcePolicy(
      new PolicyStatement({
        principals,
        actions: ['s3:PutObject'],
        resources: [
          // Everything under the server's own name, an instance of the caller's account.
          this.bucket.arnForObjects(`${bucketFolders.servers}/\${ec2:SourceInstanceARN}/*`),
        ],
        // As text: the colon of the variable would be one between the parts of an ARN.
        conditions: { StringLike: { 'ec2:SourceInstanceARN': instancesOfCaller(partition) } },
      }),
    );
    this.bucket.addToResourcePolicy(
      new PolicyStatement({
        principals,
        actions: ['s3:PutObject'],
        // The same for hybrid nodes, whose sessions are named after them.
        resources: [this.bucket.arnForObjects(`${bucketFolders.servers}/\${aws:userid}/*`)],
        conditions: { StringLike: { 'aws:userid': hybridSessions } },
      }),
    );
  }
}

export function instancesOfCaller(partition: string): string {
  // Any instance of the account that calls, in any Region.
  return `arn:${partition}:ec2:*:\${aws:PrincipalAccount}:instance/*`;
}

// Any session that Systems Manager named after a hybrid node.
export const hybridSessions = '*:mi-*';
