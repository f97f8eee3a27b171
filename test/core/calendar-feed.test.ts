import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PlannedWindow } from '../../core/calendar/quarter-plan.ts';
import {
  type Audience,
  audienceKey,
  emptyFeed,
  type FeedEntry,
  type FeedServer,
  feedEntrySchema,
  feedsOf,
  reviseFeed,
} from '../../core/calendar-feed.ts';
import { parseQuarter } from '../../core/quarter.ts';

const quarter = parseQuarter('2027-Q2');
const now = '2027-01-20T00:00:00.000Z';
const later = '2027-01-21T00:00:00.000Z';

const window = (day: string, over: Partial<PlannedWindow> = {}): PlannedWindow => ({
  server: 'web-01',
  start: `${day}T01:00:00.000Z`,
  end: `${day}T03:00:00.000Z`,
  zone: 'Europe/Berlin',
  localStart: `${day}T02:00:00+01:00`,
  campaign: 'production-1',
  reason: 'first Saturday',
  ...over,
});
const revise = (before: readonly FeedEntry[], windows: readonly PlannedWindow[], at = now) =>
  reviseFeed(before, { quarter, windows }, at);
const told = (entries: readonly FeedEntry[]) =>
  entries.map(
    ({ start, sequence, cancelled }) => `${start.slice(0, 10)} ${sequence}${cancelled ? ' cancelled' : ''}`,
  );

describe('a feed that is planned again', () => {
  const first = revise([], [window('2027-02-06')]);

  test('begins with what is planned', () => {
    expect(told(first)).toEqual(['2027-02-06 0']);
    expect(feedEntrySchema.parse(first[0])).toEqual(first[0]);
  });

  test('says nothing new when nothing is', () => {
    expect(revise(first, [window('2027-02-06')], later)).toEqual(first);
  });

  test('moves a window under its uid, with the next sequence', () => {
    const [moved] = revise(first, [window('2027-02-13')], later);
    expect(moved).toMatchObject({ uid: first[0]?.uid, sequence: 1, changed: later, cancelled: false });
    expect(moved?.start).toBe('2027-02-13T01:00:00.000Z');
  });

  test('cancels what is planned no more, and takes it back under the same uid', () => {
    const cancelled = revise(first, [], later);
    expect(told(cancelled)).toEqual(['2027-02-06 1 cancelled']);
    expect(revise(cancelled, [], later)).toEqual(cancelled);
    const again = revise(cancelled, [window('2027-02-06')], later);
    expect(told(again)).toEqual(['2027-02-06 2']);
    expect(again[0]?.uid).toBe(first[0]?.uid);
  });

  test('another reason is another wording and no new sequence', () => {
    const [worded] = revise(first, [window('2027-02-06', { reason: 'set by ana' })], later);
    expect(worded).toMatchObject({ sequence: 0, changed: later, reason: 'set by ana' });
  });

  test('of many windows only those change that are not where they were', () => {
    const weekly = revise(
      [],
      ['2027-02-06', '2027-02-13', '2027-02-20'].map((day) => window(day)),
    );
    const without = revise(
      weekly,
      ['2027-02-06', '2027-02-20'].map((day) => window(day)),
      later,
    );
    expect(told(without).toSorted()).toEqual(['2027-02-06 0', '2027-02-13 1 cancelled', '2027-02-20 0']);
  });

  test('a window in the place of one that moved away has a uid of its own', () => {
    const moved = revise(first, [window('2027-02-13')], later);
    const both = revise(moved, [window('2027-02-06'), window('2027-02-13')], later);
    expect(told(both).toSorted()).toEqual(['2027-02-06 0', '2027-02-13 1']);
    expect(new Set(both.map(({ uid }) => uid)).size).toBe(2);
  });

  test('leaves alone what has begun, and other quarters', () => {
    const others = revise(
      [],
      [window('2027-02-06'), window('2027-05-08', { localStart: '2027-05-08T03:00:00+02:00' })],
    );
    expect(told(revise(others, [], '2027-02-06T02:00:00.000Z'))).toEqual(['2027-02-06 0', '2027-05-08 0']);
  });

  test('forgets what ended 90 days ago', () => {
    expect(revise(first, [], '2027-05-07T02:00:00.000Z')).toHaveLength(1);
    expect(revise(first, [], '2027-05-07T03:00:00.000Z')).toEqual([]);
  });

  test('always ends with what is planned, under uids that are never shared and sequences that never fall', () => {
    const days = fc.uniqueArray(fc.integer({ min: 10, max: 28 }), { maxLength: 5 });
    const plan = fc
      .record({ a: days, b: days })
      .map(({ a, b }) => [
        ...a.map((day) => window(`2027-02-${day}`)),
        ...b.map((day) => window(`2027-02-${day}`, { server: 'web-02' })),
      ]);
    fc.assert(
      fc.property(fc.array(plan, { maxLength: 6 }), (plans) => {
        let feed: FeedEntry[] = [];
        for (const windows of plans) {
          const next = revise(feed, windows);
          const key = (entry: { server: string; start: string }) => `${entry.server} ${entry.start}`;
          expect(
            next
              .filter(({ cancelled }) => !cancelled)
              .map(key)
              .toSorted(),
          ).toEqual(windows.map(key).toSorted());
          expect(new Set(next.map(({ uid }) => uid)).size).toBe(next.length);
          for (const old of feed) {
            const entry = next.find(({ uid }) => uid === old.uid);
            expect(entry?.sequence).toBeGreaterThanOrEqual(old.sequence);
          }
          feed = next;
        }
      }),
    );
  });
});

function feedText(entries: readonly FeedEntry[], servers: readonly FeedServer[], audience: Audience): string {
  const feeds = [...feedsOf(entries, servers, now)].filter(
    (feed) => audienceKey(feed.audience) === audienceKey(audience),
  );
  expect(feeds.length).toBeLessThanOrEqual(1);
  return feeds[0]?.text() ?? emptyFeed(audience);
}

describe('the feed of an audience', () => {
  const servers = [
    { name: 'web-01', environment: 'production', hostGroup: 'Shop', owners: { primary: 'Ana@example.com' } },
    {
      name: 'web-02',
      environment: 'uat',
      owners: { primary: 'bo@example.com', secondary: 'ana@example.com' },
    },
    { name: 'web-03', environment: 'uat', hostGroup: 'shop', owners: {} },
  ];
  const entries = revise(
    [],
    ['web-03', 'web-02', 'web-01', 'gone'].map((server) => window('2027-02-06', { server })),
  );
  const names = (text: string) =>
    [...text.matchAll(/^SUMMARY:Patching of (.*)\r$/gm)].map((match) => match[1]);

  test('is all of it for the fleet, in an order that does not change', () => {
    expect(names(feedText(entries, servers, { kind: 'fleet' }))).toEqual([
      'gone',
      'web-01',
      'web-02',
      'web-03',
    ]);
  });

  test('is what somebody owns, first or second', () => {
    const feed = { kind: 'owner', owner: 'ana@EXAMPLE.com' } as const;
    expect(names(feedText(entries, servers, feed))).toEqual(['web-01', 'web-02']);
  });

  test('is the servers of a group', () => {
    expect(names(feedText(entries, servers, { kind: 'group', group: 'shop' }))).toEqual(['web-01', 'web-03']);
  });

  test('is one for each owner and group, however they are written, and one for all', () => {
    const keys = [...feedsOf(entries, servers, now)].map(({ audience }) => audienceKey(audience));
    expect(keys.toSorted()).toEqual(['fleet', 'group shop', 'owner ana@example.com', 'owner bo@example.com']);
    const both = [{ name: 'web-01', environment: 'uat', owners: { primary: 'A', secondary: 'a' } }];
    expect(names(feedText(entries, both, { kind: 'owner', owner: 'a' }))).toEqual(['web-01']);
  });

  test('is a calendar without events for who has none', () => {
    const text = feedText(entries, servers, { kind: 'owner', owner: 'nobody' });
    expect(text).toMatch(/^BEGIN:VCALENDAR\r\n[\s\S]*END:VCALENDAR\r\n$/);
    expect(text).not.toContain('VEVENT');
  });

  test('names the zone beside the time, and says that a window is cancelled', () => {
    const text = feedText(revise(entries, [], later), servers, { kind: 'group', group: 'shop' });
    expect(text.replaceAll('\r\n ', '')).toContain(
      'DESCRIPTION:2027-02-06 02:00 Europe/Berlin\\nfirst Saturday',
    );
    expect(text).toContain('SUMMARY:Cancelled: patching of web-01');
    expect(text).toContain('STATUS:CANCELLED');
  });
});
