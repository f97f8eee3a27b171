/** Shows the rollback by hand of a campaign, server by server. */
import { answer } from '../core/call-message.ts';
import { showRollback, showRollbackInput } from '../core/use-cases/show-rollback.ts';
import { objects, records } from './compose.ts';
import { createHandler } from './handler.ts';

export const handler = createHandler({
  name: 'show-rollback',
  compose: (world) => ({ records: records(world), objects: objects(world) }),
  run: (ports, event) =>
    answer(ports.objects, event, (input) => showRollback(ports, showRollbackInput.parse(input))),
});
