/** Owns the stack of the second Region: where backups are when the first is not. */
import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Bucket, BucketEncryption, type IBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import type { Configuration } from '../../core/configuration.ts';
import { backupProps, copyNames } from '../constructs/backup-bucket.ts';
import { safeBucket } from '../constructs/campaign-bucket.ts';

export interface BackupCopyStackProps {
  readonly configuration: Pick<Configuration, 'name' | 'home' | 'backups'>;
  readonly region: string;
}

export class BackupCopyStack extends Stack {
  constructor(scope: Construct, { configuration, region }: BackupCopyStackProps) {
    const { name, home, backups } = configuration;
    super(scope, `${name}-BackupCopy`, {
      description: 'Quarterdeck: the copies of backups in their second Region',
      env: { account: home.account, region },
      terminationProtection: true,
    });
    const names = copyNames(home.account, region);
    const key = new Key(this, 'Key', {
      description: 'Encrypts the copies of the backups of Quarterdeck',
      alias: names.alias,
      enableKeyRotation: true,
      // Without it, the copies that stay behind could not be read.
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const accessLogs = new Bucket(this, 'AccessLogs', {
      ...safeBucket,
      encryption: BucketEncryption.S3_MANAGED,
    });
    new Bucket(this, 'Bucket', {
      ...backupProps(backups.lockDays),
      bucketName: names.bucket,
      encryptionKey: key,
      // CDK's own types are not made for exactOptionalPropertyTypes.
      serverAccessLogsBucket: accessLogs as IBucket,
    });
  }
}
