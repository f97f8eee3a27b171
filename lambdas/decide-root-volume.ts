/** Takes another person's decision on a root volume that is to be replaced. */
import { decideRootVolume, decideRootVolumeInput } from '../core/use-cases/decide-root-volume.ts';
import { records } from './compose.ts';
import { rootVolumes, snapshots } from './compose-volumes.ts';
import { createHandler } from './handler.ts';

export const handler = createHandler({
  name: 'decide-root-volume',
  compose: (world) => ({
    records: records(world),
    rootVolumes: rootVolumes(world),
    snapshots: snapshots(world),
  }),
  run: (ports, event, now) => decideRootVolume(ports, decideRootVolumeInput.parse(event), now),
});
