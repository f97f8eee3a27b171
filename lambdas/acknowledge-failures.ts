/** Takes a person's word that the failures of a policy and quarter were looked at. */
import { acknowledgeFailures, acknowledgeFailuresInput } from '../core/use-cases/acknowledge-failures.ts';
import { records } from './compose.ts';
import { createHandler } from './handler.ts';

export const handler = createHandler({
  name: 'acknowledge-failures',
  compose: (world) => ({ records: records(world) }),
  run: (ports, event, now) => acknowledgeFailures(ports, acknowledgeFailuresInput.parse(event), now),
});
