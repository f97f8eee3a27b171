/** Owns the feeds: which windows a person's calendar shows, and how each keeps its identity when plans change. */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { PlannedWindow } from './calendar/quarter-plan.ts';
import { type CalendarEvent, calendarZones, icalendar } from './icalendar.ts';
import { type Instant, instantSchema, isBefore, plusSeconds } from './instant.ts';
import { isInQuarter, type Quarter } from './quarter.ts';

/** A window as calendars have been told of it. */
export const feedEntrySchema = z.object({
  uid: z.string().min(1).max(100),
  sequence: z.number().int().min(0),
  changed: instantSchema,
  cancelled: z.boolean(),
  server: z.string().min(1).max(255),
  start: instantSchema,
  end: instantSchema,
  zone: z.string().min(1).max(64),
  localStart: z.string(),
  reason: z.string(),
});
export type FeedEntry = z.infer<typeof feedEntrySchema>;

export const audienceSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('fleet') }),
  /** Primary or secondary owner, as the inventory has it, without regard to case. */
  z.object({ kind: z.literal('owner'), owner: z.string().min(1) }),
  z.object({ kind: z.literal('group'), group: z.string().min(1) }),
]);
export type Audience = z.infer<typeof audienceSchema>;

/** What feeds say of a server; a server that the inventory has lost is in the feed of the fleet alone. */
export interface FeedServer {
  readonly name: string;
  readonly environment: string;
  readonly hostGroup?: string;
  readonly owners: { readonly primary?: string; readonly secondary?: string };
}

/** Calendars fetch hourly or daily, and laptops sleep: so long a cancelled or past window is still sent. */
const keptSeconds = 90 * 24 * 3600;

/**
 * What calendars are told after a quarter was planned again. A window that is where it was stays what it was; one that
 * a server has lost and one that it has gained are the same window, moved; what is left over is cancelled. Windows
 * that have begun, and those of other quarters, are left alone.
 */
export function reviseFeed(
  before: readonly FeedEntry[],
  plan: { readonly quarter: Quarter; readonly windows: readonly PlannedWindow[] },
  now: Instant,
): FeedEntry[] {
  const known = byServer(before.filter(({ end }) => isBefore(now, plusSeconds(end, keptSeconds))));
  const planned = byServer(plan.windows);
  return [...new Set([...known.keys(), ...planned.keys()])].flatMap((server) =>
    reviseServer(known.get(server) ?? [], planned.get(server) ?? [], plan.quarter, now),
  );
}

function reviseServer(
  entries: readonly FeedEntry[],
  windows: readonly PlannedWindow[],
  quarter: Quarter,
  now: Instant,
): FeedEntry[] {
  const uids = new Set(entries.map(({ uid }) => uid));
  const at = new Map(entries.map((entry) => [entry.start, entry]));
  const used = new Set<FeedEntry>();
  const stay = windows.flatMap((window) => {
    const entry = at.get(window.start);
    if (entry === undefined) return [];
    used.add(entry);
    return [revised(entry, window, now)];
  });
  const isOpen = ({ start, localStart }: FeedEntry) =>
    isBefore(now, start) && isInQuarter(quarter, localStart.slice(0, 10));
  const rest = entries.filter((entry) => !used.has(entry));
  const lost = rest.filter((entry) => isOpen(entry) && !entry.cancelled).toSorted(byStart);
  const gained = windows.filter(({ start }) => !at.has(start)).toSorted(byStart);
  const moved = gained.map((window, index) => {
    const entry = lost[index];
    return entry ? revised(entry, window, now) : created(window, now, uids);
  });
  const cancelled = lost.slice(gained.length).map((entry) => changedTo(entry, { cancelled: true }, now));
  return [...rest.filter((entry) => !lost.includes(entry)), ...stay, ...moved, ...cancelled];
}

export interface Feed {
  readonly audience: Audience;
  /** Grows and shrinks with nothing but what its events say. */
  readonly digest: string;
  /** Events by start and then server; dear to make. */
  readonly text: () => string;
}

/** More than anybody's calendar shows; the windows of later weeks follow when their time comes. */
const mostEvents = 20_000;

/** A feed of the whole fleet, and one for each owner and group of a server that has an entry. */
export function* feedsOf(
  entries: readonly FeedEntry[],
  servers: readonly FeedServer[],
  now: Instant,
): Generator<Feed> {
  const known = new Map(servers.map((server) => [server.name.toLowerCase(), server]));
  const all = entries.toSorted((a, b) => byStart(a, b) || (a.server < b.server ? -1 : 1));
  const audiences = new Map<string, { audience: Audience; events: CalendarEvent[] }>();
  const fleet: CalendarEvent[] = [];
  for (const entry of all) {
    const server = known.get(entry.server.toLowerCase());
    const event = eventOf(entry, server);
    fleet.push(event);
    for (const audience of audiencesOf(server)) {
      const key = audienceKey(audience);
      const own = audiences.get(key) ?? { audience, events: [] };
      own.events.push(event);
      audiences.set(key, own);
    }
  }
  const zones = calendarZones(all);
  for (const { audience, events } of [
    { audience: { kind: 'fleet' } as const, events: fleet },
    ...audiences.values(),
  ]) {
    const told = events.length > mostEvents ? nearest(events, now) : events;
    yield { audience, digest: digestOf(told), text: () => icalendar(nameOf(audience), told, zones) };
  }
}

/** @param events by start */
function nearest(events: readonly CalendarEvent[], now: Instant): CalendarEvent[] {
  return events.filter(({ end }) => isBefore(now, end)).slice(0, mostEvents);
}

function digestOf(events: readonly CalendarEvent[]): string {
  const hash = createHash('sha256');
  for (const { uid, sequence, changed, summary, description, categories } of events)
    hash.update(JSON.stringify([uid, sequence, changed, summary, description, categories]));
  return hash.digest('hex');
}

/** A feed with nothing in it, for whoever subscribes before there is anything to tell. */
export function emptyFeed(audience: Audience): string {
  return icalendar(nameOf(audience), []);
}

/** The same for what is the same audience, however it is written. */
export function audienceKey(audience: Audience): string {
  switch (audience.kind) {
    case 'fleet':
      return 'fleet';
    case 'owner':
      return `owner ${audience.owner.toLowerCase()}`;
    case 'group':
      return `group ${audience.group.toLowerCase()}`;
  }
}

function created(window: PlannedWindow, now: Instant, taken: Set<string>): FeedEntry {
  // A window that moved away keeps the uid of where it began, which another may now take its place at.
  let uid = '';
  for (let nth = 0; uid === '' || taken.has(uid); nth++) uid = uidOf(window, nth);
  taken.add(uid);
  return { uid, sequence: 0, changed: now, cancelled: false, ...factsOf(window) };
}

function uidOf({ server, start }: PlannedWindow, nth: number): string {
  const identity = JSON.stringify([server.toLowerCase(), start, nth]);
  return `${createHash('sha256').update(identity).digest('hex').slice(0, 40)}@quarterdeck`;
}

function revised(entry: FeedEntry, window: PlannedWindow, now: Instant): FeedEntry {
  return changedTo(entry, { ...factsOf(window), cancelled: false }, now);
}

/** RFC 5545 counts a sequence up for a change that people must act on, and not for another wording. */
function changedTo(entry: FeedEntry, change: Partial<FeedEntry>, now: Instant): FeedEntry {
  const next = { ...entry, ...change };
  const differs = (keys: readonly (keyof FeedEntry)[]) => keys.some((key) => entry[key] !== next[key]);
  if (differs(['start', 'end', 'zone', 'cancelled'])) {
    return { ...next, sequence: entry.sequence + 1, changed: now };
  }
  return differs(['reason', 'server']) ? { ...next, changed: now } : entry;
}

function factsOf({ server, start, end, zone, localStart, reason }: PlannedWindow) {
  return { server, start, end, zone, localStart, reason };
}

function audiencesOf(server: FeedServer | undefined): Audience[] {
  if (server === undefined) return [];
  const { hostGroup, owners } = server;
  const names = [owners.primary, owners.secondary].filter((owner) => owner !== undefined);
  const different = names.filter((name, at) => at === 0 || name.toLowerCase() !== names[0]?.toLowerCase());
  return [
    ...different.map((owner): Audience => ({ kind: 'owner', owner })),
    ...(hostGroup === undefined ? [] : [{ kind: 'group' as const, group: hostGroup }]),
  ];
}

function nameOf(audience: Audience): string {
  switch (audience.kind) {
    case 'fleet':
      return 'Patching';
    case 'owner':
      return `Patching for ${audience.owner}`;
    case 'group':
      return `Patching of ${audience.group}`;
  }
}

function eventOf(entry: FeedEntry, server: FeedServer | undefined): CalendarEvent {
  const owners = [server?.owners.primary, server?.owners.secondary].filter((owner) => owner !== undefined);
  const lines = [
    `${entry.localStart.slice(0, 16).replace('T', ' ')} ${entry.zone}`,
    entry.reason,
    ...(server?.hostGroup === undefined ? [] : [`host group ${server.hostGroup}`]),
    ...(owners.length === 0 ? [] : [`owners ${owners.join(', ')}`]),
  ];
  return {
    ...entry,
    summary: entry.cancelled ? `Cancelled: patching of ${entry.server}` : `Patching of ${entry.server}`,
    description: lines.join('\n'),
    categories: server === undefined ? [] : [server.environment],
  };
}

function byServer<T extends { readonly server: string }>(all: readonly T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const key = one.server.toLowerCase();
    const group = groups.get(key);
    if (group) group.push(one);
    else groups.set(key, [one]);
  }
  return groups;
}

function byStart(a: { readonly start: Instant }, b: { readonly start: Instant }): number {
  return a.start < b.start ? -1 : a.start > b.start ? 1 : 0;
}
