/** Owns the backup bucket: servers put archives into it and can not read them, and a copy may live in another Region. */
import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { AccountPrincipal, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import {
  Bucket,
  BucketEncryption,
  type CfnBucket,
  type IBucket,
  ObjectLockRetention,
} from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { hybridSessions, instancesOfCaller, safeBucket } from './campaign-bucket.ts';
import type { PatchFunction } from './patch-function.ts';
import { giveRight } from './right.ts';

/** The one folder of the bucket: an archive lies under the name of its server. */
export const backupFolder = 'backups';

export interface BackupBucketProps {
  /** Accounts of servers other than the stack's own. */
  readonly memberAccounts: readonly string[];
  /** Days for which nobody can remove a version; 0 for no lock. It can not be had later without a new bucket. */
  readonly lockDays: number;
  /** Region of the copy; none where it is not given. */
  readonly copyRegion?: string | undefined;
}

/** Both ends of a copy have to know each other by name before either of them is there. */
export const copyNames = (account: string, region: string) => ({
  bucket: `quarterdeck-backup-copy-${account}-${region}`,
  alias: 'alias/quarterdeck-backup-copy',
});

/** Versions that were replaced or removed: each backup is read once a month, and then people need time to act. */
const keepOldVersions = Duration.days(60);

/** What holds for the bucket and for its copy. */
export const backupProps = (lockDays: number) => ({
  ...safeBucket,
  encryption: BucketEncryption.KMS,
  bucketKeyEnabled: true,
  versioned: true,
  lifecycleRules: [
    { noncurrentVersionExpiration: keepOldVersions, abortIncompleteMultipartUploadAfter: Duration.days(7) },
    { expiredObjectDeleteMarker: true },
  ],
  ...(lockDays > 0 && {
    objectLockEnabled: true,
    objectLockDefaultRetention: ObjectLockRetention.governance(Duration.days(lockDays)),
  }),
});

export class BackupBucket extends Construct {
  readonly bucket: Bucket;
  readonly key: Key;

  constructor(scope: Construct, id: string, { memberAccounts, lockDays, copyRegion }: BackupBucketProps) {
    super(scope, id);
    // A key of its own: archives hold the secrets of /etc, and who reads reports has no business there.
    this.key = new Key(this, 'Key', {
      description: 'Encrypts the backups that Quarterdeck has servers make before they are patched',
      enableKeyRotation: true,
      // Without it, the backups that stay behind could not be read.
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const accessLogs = new Bucket(this, 'AccessLogs', {
      ...safeBucket,
      // S3 delivers access logs under its own keys.
      encryption: BucketEncryption.S3_MANAGED,
      lifecycleRules: [{ expiration: Duration.days(90) }],
    });
    this.bucket = new Bucket(this, 'Bucket', {
      ...backupProps(lockDays),
      encryptionKey: this.key,
      // CDK's own types are not made for exactOptionalPropertyTypes.
      serverAccessLogsBucket: accessLogs as IBucket,
    });
    if (memberAccounts.length > 0) this.admitServersOf(memberAccounts);
    if (copyRegion !== undefined) this.copyTo(copyRegion);
  }

  /** To read what servers put there, and to remove what has had its time. */
  grantBackups(fn: PatchFunction): void {
    fn.allow({
      actions: ['s3:GetObject', 's3:DeleteObject'],
      // Every backup.
      resources: [this.bucket.arnForObjects(`${backupFolder}/*`)],
      why: 'Keys carry servers and campaigns, which are made when a campaign runs',
    });
    // Without it, a backup that is not there reads as one that is forbidden.
    fn.allow({ actions: ['s3:ListBucket'], resources: [this.bucket.bucketArn] });
    this.key.grant(fn, 'kms:Decrypt');
    this.grantName(fn);
  }

  /** The name alone, and no right. */
  grantName(fn: PatchFunction): void {
    fn.setVariable('backupBucket', this.bucket.bucketName);
  }

  /** Within this the accounts decide which of their roles may: see the campaign bucket. */
  private admitServersOf(accounts: readonly string[]): void {
    const { partition, region } = Stack.of(this);
    const principals = accounts.map((account) => new AccountPrincipal(account));
    const put = (variable: string, value: string) =>
      this.bucket.addToResourcePolicy(
        new PolicyStatement({
          principals,
          actions: ['s3:PutObject'],
          // Everything under the server's own name.
          resources: [this.bucket.arnForObjects(`${backupFolder}/\${${variable}}/*`)],
          conditions: { StringLike: { [variable]: value } },
        }),
      );
    put('ec2:SourceInstanceARN', instancesOfCaller(partition));
    put('aws:userid', hybridSessions);
    this.key.addToResourcePolicy(
      new PolicyStatement({
        sid: 'ServersOfMemberAccounts',
        principals,
        // What a server encrypts here it can not decrypt again.
        actions: ['kms:GenerateDataKey'],
        // In the policy of a key, this is the key itself.
        resources: ['*'],
        conditions: { StringEquals: { 'kms:ViaService': `s3.${region}.amazonaws.com` } },
      }),
    );
  }

  /** The copy's own stack is deployed first: S3 takes no rule for a bucket that is not there. */
  private copyTo(copyRegion: string): void {
    const { account, partition } = Stack.of(this);
    const names = copyNames(account, copyRegion);
    const copyArn = `arn:${partition}:s3:::${names.bucket}`;
    const aliasArn = `arn:${partition}:kms:${copyRegion}:${account}:${names.alias}`;
    const role = new Role(this, 'CopyRole', {
      assumedBy: new ServicePrincipal('s3.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': account } },
      }),
      description: 'S3 copies the backups of Quarterdeck to their second Region',
    });
    giveRight(role, {
      actions: ['s3:GetReplicationConfiguration', 's3:ListBucket'],
      resources: [this.bucket.bucketArn],
    });
    const why = 'Keys carry servers and campaigns, which are made when a campaign runs';
    giveRight(role, {
      actions: [
        's3:GetObjectVersionForReplication',
        's3:GetObjectVersionAcl',
        's3:GetObjectVersionTagging',
        's3:GetObjectRetention',
        's3:GetObjectLegalHold',
      ],
      // Every backup.
      resources: [this.bucket.arnForObjects('*')],
      why,
    });
    giveRight(role, {
      actions: ['s3:ReplicateObject', 's3:ReplicateDelete', 's3:ReplicateTags'],
      // As there.
      resources: [`${copyArn}/*`],
      why,
    });
    this.key.grant(role, 'kms:Decrypt');
    giveRight(role, {
      actions: ['kms:Encrypt', 'kms:GenerateDataKey'],
      // Any key of that Region which goes by the alias of the copy.
      resources: [`arn:${partition}:kms:${copyRegion}:${account}:key/*`],
      conditions: {
        'ForAnyValue:StringEquals': { 'kms:ResourceAliases': names.alias },
        StringEquals: { 'kms:ViaService': `s3.${copyRegion}.amazonaws.com` },
      },
      why: 'The key of another stack and Region is known by its alias',
    });
    const resource = this.bucket.node.defaultChild as CfnBucket;
    resource.replicationConfiguration = {
      role: role.roleArn,
      rules: [
        {
          id: 'SecondRegion',
          status: 'Enabled',
          priority: 1,
          filter: { prefix: '' },
          // What has had its time here has had it there. The versions themselves stay for a while at both.
          deleteMarkerReplication: { status: 'Enabled' },
          sourceSelectionCriteria: { sseKmsEncryptedObjects: { status: 'Enabled' } },
          destination: {
            bucket: copyArn,
            encryptionConfiguration: { replicaKmsKeyId: aliasArn },
            storageClass: 'STANDARD_IA',
          },
        },
      ],
    };
  }
}
