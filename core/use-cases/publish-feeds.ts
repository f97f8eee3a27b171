/** Publishes the feeds after a planning: those of the fleet, of owners and of groups, as far as they have changed. */
import { gunzipSync, gzipSync } from 'node:zlib';
import * as z from 'zod';
import type { QuarterPlan } from '../calendar/quarter-plan.ts';
import {
  type Audience,
  audienceKey,
  audienceSchema,
  emptyFeed,
  type Feed,
  type FeedEntry,
  type FeedServer,
  feedEntrySchema,
  feedsOf,
  reviseFeed,
} from '../calendar-feed.ts';
import { type Entity, parseRecord, recordOf } from '../entities.ts';
import type { Instant } from '../instant.ts';
import { sha256Of } from '../plan.ts';
import type { Ports } from '../ports.ts';

type Stores = Pick<Ports, 'records' | 'objects'>;

/** What calendars have been told, so that what moves keeps its identity. */
const stateSchema = z.object({
  schema: z.literal(1),
  entries: z.array(feedEntrySchema),
  /** By audience, with the digest of what was published. */
  published: z.array(z.object({ audience: audienceSchema, digest: z.string() })),
});
type State = z.infer<typeof stateSchema>;

const pointerSchema = z.object({ schema: z.literal(1), key: z.string() });
const pointerKey = { partition: 'feeds', sort: 'current' } as const;
const pointers: Entity<z.infer<typeof pointerSchema>> = { schema: pointerSchema, key: () => pointerKey };

/** Two plannings at once are one too many; a third is nobody's. */
const attempts = 3;
/**
 * Windows that are told of at most: what a function can hold of servers that are patched each week. Where there are
 * more, later weeks follow when their time comes.
 */
const mostWindows = 100_000;

/**
 * The feeds first and then what they were made of: who dies between the two is followed by one who tells the same again.
 *
 * @param plans of different quarters
 * @returns how many feeds there are, and how many of them were written
 */
export async function publishFeeds(
  { records, objects }: Stores,
  plans: readonly QuarterPlan[],
  servers: readonly FeedServer[],
  now: Instant,
): Promise<{ readonly feeds: number; readonly written: number }> {
  const written = new Set<string>();
  for (let attempt = 0; attempt < attempts; attempt++) {
    const record = await records.get(pointerKey);
    const before = record && (await loadState({ objects }, parseRecord(pointers, record).key));
    const entries = revisedEntries(before?.entries ?? [], plans, now);
    const known = new Map(before?.published.map((one) => [audienceKey(one.audience), one]));
    const published: State['published'] = [];
    const tell = async ({ audience, digest, text }: Feed) => {
      const name = audienceKey(audience);
      // What a lost attempt has written may not be what the winner's state says.
      if (known.get(name)?.digest !== digest || written.has(name)) {
        written.add(name);
        await objects.put(feedKey(audience), text());
      }
      known.delete(name);
      published.push({ audience, digest });
    };
    // One after the other: the texts of all together are more than a function's memory.
    for (const feed of feedsOf(entries, servers, now)) await tell(feed);
    // Who has lost the last server still subscribes.
    for (const { audience } of [...known.values()])
      await tell({ audience, digest: 'empty', text: () => emptyFeed(audience) });
    const text = JSON.stringify({ schema: 1, entries, published } satisfies State);
    const key = `calendar/feeds/state/${sha256Of(text)}.json.gz`;
    await objects.put(key, gzipSync(text));
    const pointer = recordOf(pointers, { schema: 1 as const, key });
    if (await (record ? records.replace(pointer, record.revision) : records.create(pointer)))
      return { feeds: published.length, written: written.size };
  }
  throw new Error(
    `the feeds are published by others at the same time, ${attempts} times in a row: plan again`,
  );
}

/** Up to a moment, and as if there were nothing after it: what lies beyond is neither told nor cancelled. */
function revisedEntries(
  before: readonly FeedEntry[],
  plans: readonly QuarterPlan[],
  now: Instant,
): FeedEntry[] {
  const starts = plans
    .flatMap(({ windows }) => windows.map(({ start }) => start))
    .filter((start) => start > now);
  const end = starts.length > mostWindows ? starts.toSorted()[mostWindows] : undefined;
  const isTold = ({ start }: { readonly start: Instant }) => end === undefined || start < end;
  return plans.reduce<FeedEntry[]>(
    (told, { quarter, windows }) => reviseFeed(told, { quarter, windows: windows.filter(isTold) }, now),
    before.filter(isTold),
  );
}

/** @returns the calendar as it was published; one without events for whom nothing was */
export async function readFeed({ objects }: Pick<Ports, 'objects'>, audience: Audience): Promise<string> {
  const content = await objects.get(feedKey(audience));
  return content === undefined ? emptyFeed(audience) : Buffer.from(content).toString('utf8');
}

async function loadState({ objects }: Pick<Ports, 'objects'>, key: string): Promise<State> {
  const content = await objects.get(key);
  if (content === undefined)
    throw new Error(`what feeds have told, ${key}, is not in bucket ${objects.bucket}`);
  return stateSchema.parse(JSON.parse(gunzipSync(content).toString('utf8')));
}

/** `calendar/feeds/owner/anna-example-com-1a2b3c4d.ics`: for people to read, and different for different names. */
function feedKey(audience: Audience): string {
  if (audience.kind === 'fleet') return 'calendar/feeds/fleet.ics';
  const name = (audience.kind === 'owner' ? audience.owner : audience.group).toLowerCase();
  const slug = name
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
    .slice(0, 60);
  return `calendar/feeds/${audience.kind}/${slug}-${sha256Of(name).slice(0, 8)}.ics`;
}
