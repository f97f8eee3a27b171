/** Says what became of the backups of a campaign. */
import type { KeptBackups } from './report-data.ts';
import { count } from './verdict-words.ts';

export function backupWords({ stored, restore }: KeptBackups): string[] {
  if (stored.length === 0) return [];
  const good = stored.filter(({ check }) => check?.good === true).length;
  const read = `${count(stored.length, 'backup')} made before patching, ${good} read back and as made.`;
  if (restore === undefined) return [read];
  const [first] = restore.restored;
  if (first === undefined) return [read];
  return [
    read,
    restore.good
      ? `One restored as a test: ${count(first.files, 'file')} and the list of ${count(first.packages, 'package')} came back as they were.`
      : `The restore test FAILED: ${first.differences[0]}.`,
  ];
}
