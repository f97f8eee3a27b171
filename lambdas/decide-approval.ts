/** Takes a person's decision on the sealed plans. */
import { decideApproval, decideApprovalInput } from '../core/use-cases/decide-approval.ts';
import { callbacks, records } from './compose.ts';
import { createHandler } from './handler.ts';

export const handler = createHandler({
  name: 'decide-approval',
  compose: (world) => ({ records: records(world), callbacks: callbacks(world) }),
  run: (ports, event, now) => decideApproval(ports, decideApprovalInput.parse(event), now),
});
