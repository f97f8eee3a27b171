/** Sweeps what waits, when EventBridge Scheduler calls. */
import * as z from 'zod';
import { silentWork } from '../core/use-cases/daily-work.ts';
import { sweep } from '../core/use-cases/sweep.ts';
import { callbacks, executions, invocations, notices, objects, records } from './compose.ts';
import { rootVolumes } from './compose-volumes.ts';
import { createHandler } from './handler.ts';
import { measuresBy, silentMetric } from './metric-names.ts';

/** What the schedule sends beside it is of no interest: a sweep looks at everything that is due now. */
const sweepEvent = z.object({});

export const handler = createHandler({
  name: 'sweep',
  compose: (world) => ({
    records: records(world),
    objects: objects(world),
    commands: invocations(world),
    callbacks: callbacks(world),
    // A campaign whose execution never began is started, and one whose execution is gone is closed.
    executions: executions(world),
    notices: notices(world),
    rootVolumes: rootVolumes(world),
  }),
  async run(ports, event, now, logger, count) {
    sweepEvent.parse(event);
    const report = await sweep({ ...ports, measures: measuresBy(count) }, now);
    for (const { item, error } of report.failed) logger.warn('not swept', { item, reason: error });
    const silent = await silentWork(ports, now);
    for (const work of silent) logger.warn('not done for more than a day', { ...work });
    count(silentMetric, silent.length);
    // Failed items stay due; a sweep in which nothing went well is a failure that an alarm must see.
    if (report.looked > 0 && report.failed.length >= report.looked)
      throw new Error(`none of ${report.looked} items could be swept: ${report.failed[0]?.error}`);
    return { looked: report.looked, failed: report.failed.length };
  },
});
