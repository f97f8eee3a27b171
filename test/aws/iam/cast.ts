/** Owns the stacks that rights are looked at in, and who stands in for the servers that AWS knows. */
import { type Resources, synthesise } from '../../support/synthesise.ts';
import { configurations } from '../templates/configurations.ts';
import { type DeployedAccess, deployedAccess } from './deployed-access.ts';
import { accountOf } from './request.ts';
import type { AskingServer, CampaignStore } from './server-requests.ts';

export interface Cast {
  readonly access: DeployedAccess;
  /** An instance and a hybrid node of each account, with a role that has the policy for servers. */
  readonly servers: readonly AskingServer[];
  readonly store: CampaignStore;
}

/**
 * @param name of the configuration
 * @param physicalIds of the resources of home, by their logical ids; made up where nothing is said
 */
export function cast(name: string, physicalIds?: ReadonlyMap<string, string>): Cast {
  const make = configurations[name];
  if (make === undefined) throw new Error(`there is no configuration ${name}`);
  const has = (type: string, resources: Resources) =>
    Object.values(resources).some(({ Type }) => Type === type);
  // Home first, whatever is deployed before it; no servers live where only copies of backups are.
  const made = synthesise(make())
    .stacks.filter(({ resources }) => has('AWS::SSM::Document', resources))
    .toSorted(
      (a, b) =>
        Number(has('AWS::StepFunctions::StateMachine', b.resources)) -
        Number(has('AWS::StepFunctions::StateMachine', a.resources)),
    );
  const stacks = made.map(({ resources, account, region }, index) => ({
    resources,
    account,
    region,
    partition: region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws',
    ...(index === 0 && physicalIds && { physicalIds }),
  }));
  const roles = Object.fromEntries(
    stacks.map(({ account, partition }) => [account, `arn:${partition}:iam::${account}:role/Servers`]),
  );
  const access = deployedAccess(stacks, roles);
  const bucketArn = access.arnOfOne('AWS::S3::Bucket', 'PatchingCampaignsBucket');
  const backupBucketArn = access.arnOfOne('AWS::S3::Bucket', 'PatchingBackupsBucket');
  const keyOf = (arn: string) => {
    const key = access.keyOf(arn);
    if (key === undefined) throw new Error(`${arn} is encrypted by no key of the stack`);
    return key;
  };
  const keyArn = keyOf(bucketArn);
  const roleId = 'AROA1234567890ABCDEFG';
  return {
    access,
    store: {
      account: accountOf(keyArn),
      bucketArn,
      keyArn,
      backupBucketArn,
      backupKeyArn: keyOf(backupBucketArn),
    },
    servers: stacks.flatMap(({ account, region }) =>
      ['i-0f1e2d3c4b5a69788', 'mi-0f1e2d3c4b5a69788'].map((id) => ({
        id,
        place: { account, region },
        role: roles[account] as string,
        roleId,
      })),
    ),
  };
}
