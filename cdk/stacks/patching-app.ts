/** Owns which stacks a configuration makes, and what holds for all of them. */
import { type App, Tags } from 'aws-cdk-lib';
import { ManagedPolicy, PermissionsBoundary } from 'aws-cdk-lib/aws-iam';
import type { Configuration } from '../../core/configuration.ts';
import { PatchingStack } from './patching-stack.ts';
import { PlaceStack } from './place-stack.ts';

export interface PatchingStacks {
  readonly home: PatchingStack;
  readonly places: readonly PlaceStack[];
}

export function addStacks(app: App, configuration: Configuration): PatchingStacks {
  const { home, places, permissionsBoundary, tags } = configuration;
  const stacks = {
    home: new PatchingStack(app, configuration),
    places: places
      .filter(({ account, region }) => account !== home.account || region !== home.region)
      .map((place) => new PlaceStack(app, { configuration, place })),
  };
  for (const [key, value] of Object.entries(tags)) Tags.of(app).add(key, value);
  for (const stack of [stacks.home, ...stacks.places]) {
    if (permissionsBoundary === undefined) continue;
    const boundary = permissionsBoundary.startsWith('arn:')
      ? ManagedPolicy.fromManagedPolicyArn(stack, 'Boundary', permissionsBoundary)
      : ManagedPolicy.fromManagedPolicyName(stack, 'Boundary', permissionsBoundary);
    PermissionsBoundary.of(stack).apply(boundary);
  }
  return stacks;
}
