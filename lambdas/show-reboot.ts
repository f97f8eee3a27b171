/** Shows the reboot of a server that waits or runs, and those before it. */
import { answer } from '../core/call-message.ts';
import { showReboot, showRebootInput } from '../core/use-cases/request-reboot.ts';
import { objects, records } from './compose.ts';
import { createHandler } from './handler.ts';

export const handler = createHandler({
  name: 'show-reboot',
  compose: (world) => ({ records: records(world), objects: objects(world) }),
  run: (ports, event) =>
    answer(ports.objects, event, (input) => showReboot(ports, showRebootInput.parse(input).serverId)),
});
