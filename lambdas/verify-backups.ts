/** Reads the backups of a campaign or of one server again, when a person calls. */
import { findBackupsInput, verifyBackups } from '../core/use-cases/find-backups.ts';
import { backups, records } from './compose.ts';
import { createHandler } from './handler.ts';

export const handler = createHandler({
  name: 'verify-backups',
  compose: (world) => ({ records: records(world), backups: backups(world) }),
  run: (ports, event, now) => verifyBackups(ports, findBackupsInput.parse(event), now),
});
