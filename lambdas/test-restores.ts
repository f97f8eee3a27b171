/** Restores a few backups into a scratch place, when EventBridge Scheduler or a person calls. */
import { testRestores, testRestoresInput } from '../core/use-cases/test-restores.ts';
import { backups, notices, objects, records } from './compose.ts';
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
  async run(ports, event, now, _logger, count) {
    const report = await testRestores(ports, testRestoresInput.parse(event), now);
    const failed = report.restored.filter(({ differences }) => differences.length > 0);
    count(failedRestoresMetric, failed.length);
    return report;
  },
});
