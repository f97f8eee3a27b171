/** Denies what nobody approved in time: a step of the state machine. */
import { expireApproval, expireApprovalInput } from '../core/use-cases/expire-approval.ts';
import { records } from './compose.ts';
import { createHandler } from './handler.ts';

export const handler = createHandler({
  name: 'expire-approval',
  compose: (world) => ({ records: records(world) }),
  run: (ports, event, now) => expireApproval(ports, expireApprovalInput.parse(event), now),
});
