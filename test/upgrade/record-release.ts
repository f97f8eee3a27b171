/** Keeps the release of today for the upgrade tests of those to come: `npm run record-release`. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { recordRelease } from '../support/release-recording.ts';

const root = join(import.meta.dirname, '../..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const folder = join(import.meta.dirname, 'releases', version);
const { definition, documents, journal } = await recordRelease();

mkdirSync(folder, { recursive: true });
const write = (name: string, text: string) => writeFileSync(join(folder, name), `${text}\n`);
write('campaign.asl.json', JSON.stringify(definition));
write('documents.json', JSON.stringify(documents));
// A line for each entry, so that a difference can be read.
write(
  'journal.json',
  [
    `{"ended":${JSON.stringify(journal.ended)},`,
    `"invocations":${JSON.stringify(journal.invocations)},`,
    `"entries":[\n${journal.entries.map((entry) => JSON.stringify(entry)).join(',\n')}\n]}`,
  ].join('\n'),
);
