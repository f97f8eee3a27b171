/** Brings servers of an ended campaign back when a person asks for it, or has them say what they would do. */
import { answer } from '../core/call-message.ts';
import { rollBack, rollBackInput } from '../core/use-cases/roll-back.ts';
import { backupBucket, commands, fleet, notices, objects, records } from './compose.ts';
import { createHandler } from './handler.ts';
import { measuresBy } from './metric-names.ts';

/** No state machine waits for a rollback by hand. */
const callbacks = {
  succeed: () => Promise.reject(new Error('a rollback by hand answers no state machine')),
  fail: () => Promise.reject(new Error('a rollback by hand fails no state machine')),
};

export const handler = createHandler({
  name: 'roll-back',
  compose: (world) => ({
    records: records(world),
    objects: objects(world),
    commands: commands(world),
    backups: backupBucket(world),
    fleet: fleet(world),
    notices: notices(world),
  }),
  run: (ports, event, now, _logger, count) =>
    answer(ports.objects, event, (input) =>
      rollBack({ ...ports, callbacks, measures: measuresBy(count) }, rollBackInput.parse(input), now),
    ),
});
