/** Lists the backups of a campaign or of one server. */

import { answer } from '../core/call-message.ts';
import { findBackups, findBackupsInput } from '../core/use-cases/find-backups.ts';
import { objects, records } from './compose.ts';
import { createHandler } from './handler.ts';

export const handler = createHandler({
  name: 'show-backups',
  compose: (world) => ({ records: records(world), objects: objects(world) }),
  run: (ports, event) =>
    answer(ports.objects, event, (input) => findBackups(ports, findBackupsInput.parse(input))),
});
