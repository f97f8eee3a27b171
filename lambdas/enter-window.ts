/** Looks at the window: a step of the state machine. */
import { enterWindow, enterWindowInput } from '../core/use-cases/enter-window.ts';
import { records } from './compose.ts';
import { createHandler } from './handler.ts';

export const handler = createHandler({
  name: 'enter-window',
  compose: (world) => ({ records: records(world) }),
  run: (ports, event, now) => enterWindow(ports, enterWindowInput.parse(event), now),
});
