/** Brings the inventory up to what EC2 and SSM say: by night, and when a person asks for it. */
import { answer } from '../core/call-message.ts';
import { syncInventory } from '../core/use-cases/sync-inventory.ts';
import { objects, records } from './compose.ts';
import { seenNodes } from './compose-calendar.ts';
import { settings } from './compose-settings.ts';
import { createHandler } from './handler.ts';

export const handler = createHandler({
  name: 'sync-servers',
  compose: (world) => ({
    records: records(world),
    objects: objects(world),
    settings: settings(world),
    nodesIn: seenNodes(world),
  }),
  run: (ports, event, now, logger) =>
    answer(ports.objects, event, async () => {
      const report = await syncInventory(ports, await ports.settings(), ports.nodesIn, now);
      for (const { place, why } of report.unread) logger.warn('not read', { place, reason: why });
      return report;
    }),
});
