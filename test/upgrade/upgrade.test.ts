import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { journalSchema, type Recording, recordRelease } from '../support/release-recording.ts';
import { resumeCampaign } from '../support/resumed-campaign.ts';

const folder = join(import.meta.dirname, 'releases');
const releases = readdirSync(folder);

function readRelease(version: string): Recording {
  const read = (name: string) => JSON.parse(readFileSync(join(folder, version, name), 'utf8'));
  return {
    definition: read('campaign.asl.json'),
    documents: z.array(z.tuple([z.string(), z.string()])).parse(read('documents.json')),
    journal: journalSchema.parse(read('journal.json')),
  };
}

const root = join(import.meta.dirname, '../..');

test('the release of today is kept: `npm run record-release` writes it', () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  expect(releases).toContain(version);
});

test('a recording says how its campaign went', async () => {
  const { journal } = await recordRelease();
  expect(journal.ended).toEqual({
    status: 'SUCCEEDED',
    state: 'completed',
    jobs: ['succeeded', 'succeeded', 'nothing-to-do'],
  });
  const kinds = new Set(journal.entries.map(({ kind }) => kind));
  expect([...kinds].toSorted()).toEqual(['answered', 'event', 'invoked', 'put', 'sent', 'wrote']);
});

describe.each(releases)('a campaign that began under release %s', (version) => {
  const release = readRelease(version);
  const { entries, ended } = release.journal;
  // After each command, event and answer; and between the writes of functions, which then run again, at every fourth.
  const positions = [...entries.keys(), entries.length].filter(
    (length) => length % 4 === 0 || !['wrote', 'put'].includes(entries[length - 1]?.kind ?? 'wrote'),
  );
  const commands = entries.flatMap((entry) => (entry.kind === 'sent' ? [entry.comment] : []));

  test('ends the same, with each command sent once, wherever the upgrade comes', async () => {
    expect(entries.length).toBeGreaterThan(100);
    for (const length of positions) {
      const resumed = await resumeCampaign(release, length);
      expect({ length, ...resumed, sent: resumed.sent.toSorted() }).toEqual({
        length,
        ended,
        sent: commands.toSorted(),
        errors: [],
      });
    }
    // Some hundred campaigns, each resumed elsewhere.
  }, 120_000);

  test('is not taken for one whose items are not understood', async () => {
    const broken = structuredClone(release);
    for (const entry of broken.journal.entries) {
      if (entry.kind === 'wrote' && entry.record.key.sort === 'job')
        Object.assign(entry.record.body as object, { state: 'unheard-of' });
    }
    const middle = entries.findIndex((entry) => entry.kind === 'invoked' && entry.step === 'seal-campaign');
    await expect(resumeCampaign(broken, middle)).rejects.toThrow('is not what its schema says');
  });
});
