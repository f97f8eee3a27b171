/** Owns which stacks a configuration makes, and what holds for all of them. */
import { type App, Tags } from 'aws-cdk-lib';
import { ManagedPolicy, PermissionsBoundary } from 'aws-cdk-lib/aws-iam';
import type { Configuration } from '../../core/configuration.ts';
import { BackupCopyStack } from './backup-copy-stack.ts';
import { PatchingStack } from './patching-stack.ts';
import { PlaceStack } from './place-stack.ts';

export interface PatchingStacks {
  readonly home: PatchingStack;
  readonly places: readonly PlaceStack[];
  /** Of backups, where they have one. */
  readonly copy?: BackupCopyStack;
}

export function addStacks(app: App, configuration: Configuration): PatchingStacks {
  const { home, places, backups, permissionsBoundary, tags } = configuration;
  const copy =
    backups.copyRegion === undefined
      ? undefined
      : new BackupCopyStack(app, { configuration, region: backups.copyRegion });
  const stacks = {
    home: new PatchingStack(app, configuration),
    ...(copy && { copy }),
    places: places
      .filter(({ account, region }) => account !== home.account || region !== home.region)
      .map((place) => new PlaceStack(app, { configuration, place })),
  };
  // S3 takes no rule for a bucket that is not there.
  if (copy) stacks.home.addStackDependency(copy);
  for (const [key, value] of Object.entries(tags)) Tags.of(app).add(key, value);
  for (const stack of [stacks.home, ...stacks.places, ...(copy ? [copy] : [])]) {
    if (permissionsBoundary === undefined) continue;
    const boundary = permissionsBoundary.startsWith('arn:')
      ? ManagedPolicy.fromManagedPolicyArn(stack, 'Boundary', permissionsBoundary)
      : ManagedPolicy.fromManagedPolicyName(stack, 'Boundary', permissionsBoundary);
    PermissionsBoundary.of(stack).apply(boundary);
  }
  return stacks;
}
