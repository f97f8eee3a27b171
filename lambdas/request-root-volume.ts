/** Takes a person's request to have a root volume replaced. */
import { requestRootVolume, requestRootVolumeInput } from '../core/use-cases/request-root-volume.ts';
import { notices, records } from './compose.ts';
import { createHandler } from './handler.ts';

export const handler = createHandler({
  name: 'request-root-volume',
  compose: (world) => ({ records: records(world), notices: notices(world) }),
  run: (ports, event, now) => requestRootVolume(ports, requestRootVolumeInput.parse(event), now),
});
