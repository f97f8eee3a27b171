/** Takes a server list into the inventory, when a person sends one. */
import { answer } from '../core/call-message.ts';
import { importServers, importServersInput } from '../core/use-cases/import-servers.ts';
import { calendarPorts } from './compose-calendar.ts';
import { createHandler } from './handler.ts';

export const handler = createHandler({
  name: 'import-servers',
  compose: calendarPorts,
  run: (ports, event, now) =>
    answer(ports.objects, event, async (input) =>
      importServers(ports, await ports.calendar(), importServersInput.parse(input), now),
    ),
});
