/** Lists the backups of a campaign or of one server. */
import { findBackups, findBackupsInput } from '../core/use-cases/find-backups.ts';
import { records } from './compose.ts';
import { createHandler } from './handler.ts';

export const handler = createHandler({
  name: 'show-backups',
  compose: (world) => ({ records: records(world) }),
  run: (ports, event) => findBackups(ports, findBackupsInput.parse(event)),
});
