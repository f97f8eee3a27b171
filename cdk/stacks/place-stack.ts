/** Owns the stack of another account or Region in which servers live: documents there, and the way of their events home. */
import { CfnOutput, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Configuration } from '../../core/configuration.ts';
import { EventOutlet } from '../constructs/event-forwarding.ts';
import { MemberRole } from '../constructs/member-role.ts';
import { documentHashes, PatchDocuments } from '../constructs/patch-documents.ts';
import { ServerAccess } from '../constructs/server-access.ts';

type Place = Configuration['home'];

export interface PlaceStackProps {
  readonly configuration: Pick<Configuration, 'name' | 'home' | 'places' | 'memberRole' | 'optInTag'>;
  readonly place: Place;
}

export class PlaceStack extends Stack {
  constructor(scope: Construct, { configuration, place }: PlaceStackProps) {
    const { name, home, places, memberRole, optInTag } = configuration;
    super(scope, `${name}-${place.account}-${place.region}`, {
      stackName: `${name}-Servers`,
      description: 'Quarterdeck: what servers of this account and Region need to be patched',
      env: place,
    });
    new PatchDocuments(this, 'Documents');
    new EventOutlet(this, 'Events', { home });
    const regions = places.filter(({ account }) => account === place.account).map(({ region }) => region);
    // Roles and policies are the account's, not the Region's: they come with the first of its Regions.
    if (place.account === home.account || place.region !== regions[0]) return;
    new MemberRole(this, 'MemberRole', {
      roleName: memberRole,
      homeAccount: home.account,
      regions,
      optInTag,
      documents: Object.keys(documentHashes()),
    });
    // Any bucket and key of the home account that admit this account: names made there are not known here.
    const bucketArn = `arn:${this.partition}:s3:::*`;
    // As for the bucket.
    const keyArn = `arn:${this.partition}:kms:${home.region}:${home.account}:key/*`;
    const { policy } = new ServerAccess(this, 'ServerAccess', {
      bucketArn,
      keyArn,
      backupBucketArn: bucketArn,
      backupKeyArn: keyArn,
      home,
    });
    new CfnOutput(this, 'ServerAccessPolicy', {
      value: policy.managedPolicyArn,
      description: 'attach it to the roles of servers',
    });
  }
}
