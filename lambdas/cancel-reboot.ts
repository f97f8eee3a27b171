/** Takes a reboot back that waits, when a person asks for it. */
import { answer } from '../core/call-message.ts';
import { cancelReboot, cancelRebootInput } from '../core/use-cases/request-reboot.ts';
import { objects, records } from './compose.ts';
import { createHandler } from './handler.ts';

export const handler = createHandler({
  name: 'cancel-reboot',
  compose: (world) => ({ records: records(world), objects: objects(world) }),
  run: (ports, event, now) =>
    answer(ports.objects, event, (input) => cancelReboot(ports, cancelRebootInput.parse(input), now)),
});
