/** Owns how functions come to snapshots and root volumes. Apart from the other ports: a schema at the top is bundled wherever it is. */
import type { RootVolumes, Snapshots } from '../core/ports.ts';
import { createEc2Calls } from './aws/ec2-instances.ts';
import { createEc2RootVolumes, createRootVolumeCalls } from './aws/ec2-root-volumes.ts';
import { createEc2Snapshots, createSnapshotCalls } from './aws/ec2-snapshots.ts';
import { perPlace } from './aws/place-clients.ts';
import { createNodeCalls } from './aws/ssm-nodes.ts';
import { locate, type WorldWith } from './compose.ts';

export function snapshots(world: WorldWith<'memberRole'>): Snapshots {
  const where = locate(world);
  return createEc2Snapshots(
    perPlace((place) => ({ ...createSnapshotCalls(where(place)), ...createEc2Calls(where(place)) })),
  );
}

export function rootVolumes(world: WorldWith<'memberRole'>): RootVolumes {
  const where = locate(world);
  return createEc2RootVolumes(
    perPlace((place) => ({
      ...createRootVolumeCalls(where(place)),
      ...createEc2Calls(where(place)),
      ...createNodeCalls(where(place)),
    })),
  );
}
