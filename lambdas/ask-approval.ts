/** Asks for the approval: a step of the state machine, answered through its task token. */
import { askApproval, askApprovalInput } from '../core/use-cases/ask-approval.ts';
import { callbacks, notices, records } from './compose.ts';
import { createHandler } from './handler.ts';

export const handler = createHandler({
  name: 'ask-approval',
  compose: (world) => ({ records: records(world), callbacks: callbacks(world), notices: notices(world) }),
  run: (ports, event, now) => askApproval(ports, askApprovalInput.parse(event), now),
});
