/** Reads the backups of a campaign or of one server again, when a person calls. */

import { answer } from '../core/call-message.ts';
import { findBackupsInput, verifyBackups } from '../core/use-cases/find-backups.ts';
import { objects, records } from './compose.ts';
import { backups } from './compose-backups.ts';
import { createHandler } from './handler.ts';

export const handler = createHandler({
  name: 'verify-backups',
  compose: (world) => ({
    records: records(world),
    objects: objects(world),
    backups: backups(world),
  }),
  run: (ports, event, now) =>
    answer(ports.objects, event, (input) => verifyBackups(ports, findBackupsInput.parse(input), now)),
});
