/** Pauses everything: nothing is started or dispatched any more but what sees through what was patched. */
import { pauseAll, pauseInput } from '../core/use-cases/pause-all.ts';
import { records } from './compose.ts';
import { createHandler } from './handler.ts';

export const handler = createHandler({
  name: 'pause-all',
  compose: (world) => ({ records: records(world) }),
  run: (ports, event, now) => pauseAll(ports, pauseInput.parse(event), now),
});
