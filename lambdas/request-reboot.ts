/** Asks for a reboot of one server when a person does. */
import { answer } from '../core/call-message.ts';
import { Refused } from '../core/calls.ts';
import type { Server } from '../core/server.ts';
import type { Settings } from '../core/settings.ts';
import { askReboot } from '../core/use-cases/ask-reboot.ts';
import { askedRebootInput } from '../core/use-cases/request-reboot.ts';
import { discovery, objects, records } from './compose.ts';
import { settings } from './compose-settings.ts';
import { createHandler } from './handler.ts';

export const handler = createHandler({
  name: 'request-reboot',
  compose: (world) => ({
    records: records(world),
    objects: objects(world),
    settings: settings(world),
    serversIn: discovery(world),
  }),
  run: (ports, event, now) =>
    answer(ports.objects, event, async (input) => {
      const asked = askedRebootInput.parse(input);
      const settings = await ports.settings();
      const server = await findServer(settings, ports.serversIn, asked.server);
      return askReboot(ports, settings, server, asked, now);
    }),
});

type ServersIn = ReturnType<typeof discovery>;

/** By id or by name, in any case. @throws Refused when none is called so, or more than one */
async function findServer(settings: Settings, serversIn: ServersIn, named: string): Promise<Server> {
  const wanted = named.toLowerCase();
  const found: Server[] = [];
  for (const place of settings.places) {
    const { servers } = await serversIn(settings, place);
    found.push(...servers.filter(({ id, name }) => id === wanted || name.toLowerCase() === wanted));
  }
  const [server, other] = found;
  if (server === undefined)
    throw new Refused(
      'unknown-server',
      `no server that has opted in is called ${named}: write its id or its name`,
    );
  if (other) throw new Refused('unclear-server', `${named} is ${server.id} and ${other.id}: write the id`);
  return server;
}
