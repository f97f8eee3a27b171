/** Ends a pause of everything. */
import { pauseInput, resumeAll } from '../core/use-cases/pause-all.ts';
import { records } from './compose.ts';
import { createHandler } from './handler.ts';

export const handler = createHandler({
  name: 'resume-all',
  compose: (world) => ({ records: records(world) }),
  run: (ports, event, now) => resumeAll(ports, pauseInput.parse(event), now),
});
