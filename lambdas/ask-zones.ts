/** Asks servers for their time zones when a person does. */
import { answer } from '../core/call-message.ts';
import { askZones, askZonesInput } from '../core/use-cases/ask-zones.ts';
import { commands, fleet, objects, records } from './compose.ts';
import { documents } from './compose-documents.ts';
import { createHandler } from './handler.ts';

export const handler = createHandler({
  name: 'ask-zones',
  compose: (world) => ({
    records: records(world),
    objects: objects(world),
    fleet: fleet(world),
    commands: { ...commands(world), ...documents(world) },
  }),
  run: (ports, event, now) =>
    answer(ports.objects, event, (input) => askZones(ports, askZonesInput.parse(input), now)),
});
