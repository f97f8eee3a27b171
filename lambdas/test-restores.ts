/** Restores a few backups into a scratch place, when EventBridge Scheduler or a person calls. */

import { answer } from '../core/call-message.ts';
import { failedRestores, testRestores, testRestoresInput } from '../core/use-cases/test-restores.ts';
import { notices, objects, records } from './compose.ts';
import { backups } from './compose-backups.ts';
import { createHandler } from './handler.ts';
import { failedRestoresMetric } from './metric-names.ts';

export const handler = createHandler({
  name: 'test-restores',
  compose: (world) => ({
    records: records(world),
    objects: objects(world),
    backups: backups(world),
    notices: notices(world),
  }),
  run: (ports, event, now, _logger, count) =>
    answer(ports.objects, event, async (input) => {
      const report = await testRestores(ports, testRestoresInput.parse(input), now);
      count(failedRestoresMetric, failedRestores(report));
      return report;
    }),
});
