import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type DatedBackup, retention } from '../../core/backup-retention.ts';
import { plusSeconds } from '../../core/instant.ts';

const now = '2027-06-01T00:00:00.000Z';
const aged = (days: number, good: boolean | null = true): DatedBackup => ({
  campaignId: `campaign-${days}`,
  at: plusSeconds(now, -days * 86_400),
  good,
});
const policy = { keepDays: 90, keepLast: 2 };
const removed = (all: readonly DatedBackup[]) =>
  [...retention(all, () => policy, now)].filter(([, { keep }]) => !keep).map(([id]) => id);

describe('backups of a server', () => {
  test('go when they are old and newer ones are good', () => {
    expect(removed([aged(300), aged(200), aged(100), aged(10)])).toEqual(['campaign-200', 'campaign-300']);
  });

  test('that are too old stay while too few newer ones are good', () => {
    expect(removed([aged(300), aged(200), aged(10, false), aged(5, null)])).toEqual([]);
  });

  test('that nobody has looked at stay until one is known to be good', () => {
    expect(removed([aged(300, null), aged(200, false)])).toEqual([]);
  });

  test('that are broken go by age like others', () => {
    expect(removed([aged(300, false), aged(10)])).toEqual(['campaign-300']);
  });

  test('never lose the last one that is good, nor one that is young', () => {
    const backups = fc.uniqueArray(
      fc.record({ days: fc.nat(400), good: fc.constantFrom(true, false, null) }),
      { selector: ({ days }) => days, maxLength: 12 },
    );
    fc.assert(
      fc.property(backups, fc.integer({ min: 1, max: 5 }), (all, keepLast) => {
        const dated = all.map(({ days, good }) => aged(days, good));
        const decided = retention(dated, () => ({ keepDays: 90, keepLast }), now);
        const kept = dated.filter(({ campaignId }) => decided.get(campaignId)?.keep);
        const count = (list: readonly DatedBackup[]) => list.filter(({ good }) => good === true).length;
        expect(count(kept)).toBeGreaterThanOrEqual(Math.min(keepLast, count(dated)));
        for (const backup of dated) {
          if (backup.at > plusSeconds(now, -90 * 86_400)) expect(kept).toContain(backup);
        }
      }),
    );
  });
});
