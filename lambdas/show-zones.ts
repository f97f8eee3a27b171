/** Shows what servers said of their time zones beside what is recorded. */
import { answer } from '../core/call-message.ts';
import { showZones, showZonesInput } from '../core/use-cases/show-zones.ts';
import { invocations, objects, records } from './compose.ts';
import { createHandler } from './handler.ts';

export const handler = createHandler({
  name: 'show-zones',
  compose: (world) => ({
    records: records(world),
    objects: objects(world),
    commands: invocations(world),
  }),
  run: (ports, event, now, logger) =>
    answer(ports.objects, event, async (input) => {
      showZonesInput.parse(input);
      const shown = await showZones(ports, now);
      for (const why of shown.unread) logger.warn('not read', { reason: why });
      return shown;
    }),
});
