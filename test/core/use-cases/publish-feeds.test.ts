import { describe, expect, test } from 'vitest';
import { defaultCalendar } from '../../../core/calendar/planning-calendar.ts';
import type { StoredServer } from '../../../core/inventory/stored-server.ts';
import { quarterOfDay } from '../../../core/quarter.ts';
import { planStoredQuarter } from '../../../core/use-cases/plan-stored-quarter.ts';
import { publishFeeds, readFeed } from '../../../core/use-cases/publish-feeds.ts';
import { memoryStores, storedServer } from '../../support/stored-fleet.ts';

const now = '2026-11-21T12:00:00.000Z';
const later = '2026-11-22T12:00:00.000Z';
const quarter = quarterOfDay('2026-12-01');
const owned = (name: string, primary: string, date = '2027-01-09') =>
  storedServer(name, { owners: { primary }, hostGroup: 'web', explicit: { Q1: { date } } });
const ana = { kind: 'owner', owner: 'ANA' } as const;

function planned(servers: readonly StoredServer[], at: string) {
  const fleet = { inventory: { servers, revision: 1 }, schedules: [] };
  return planStoredQuarter(fleet, defaultCalendar, { quarter, now: at });
}

function world() {
  const ports = memoryStores();
  const puts: string[] = [];
  const objects = {
    ...ports.objects,
    put: (key: string, content: Uint8Array | string) => {
      puts.push(key);
      return ports.objects.put(key, content);
    },
  };
  const publish = (servers: readonly StoredServer[], at: string, over: Partial<typeof ports> = {}) =>
    publishFeeds({ ...ports, objects, ...over }, [planned(servers, at)], servers, at);
  const feeds = () => puts.splice(0).filter((key) => key.endsWith('.ics'));
  return { ports, publish, feeds };
}

describe('the feeds after a planning', () => {
  test('are of the fleet, of each owner and of each group', async () => {
    const { ports, publish } = world();
    const report = await publish([owned('web-1', 'Ana'), owned('web-2', 'bo')], now);
    expect(report).toEqual({ feeds: 4, written: 4 });
    expect(await readFeed(ports, ana)).toContain('SUMMARY:Patching of web-1');
    expect(await readFeed(ports, ana)).not.toContain('web-2');
    expect((await readFeed(ports, { kind: 'fleet' })).match(/^UID:/gm)).toHaveLength(2);
    expect(await readFeed(ports, { kind: 'group', group: 'Web' })).toContain('web-2');
    expect(await readFeed(ports, { kind: 'owner', owner: 'nobody' })).not.toContain('VEVENT');
  });

  test('are written again only where they have changed, and a window keeps its uid when it moves', async () => {
    const { ports, publish, feeds } = world();
    await publish([owned('web-1', 'ana'), owned('web-2', 'bo')], now);
    const before = await readFeed(ports, ana);
    feeds();
    expect(await publish([owned('web-1', 'ana'), owned('web-2', 'bo')], later)).toEqual({
      feeds: 4,
      written: 0,
    });
    expect(feeds()).toEqual([]);
    await publish([owned('web-1', 'ana', '2027-01-16'), owned('web-2', 'bo')], later);
    expect(feeds()).toHaveLength(3);
    const after = await readFeed(ports, ana);
    expect(after).toContain('DTSTART;TZID=Europe/Berlin:20270116T000000');
    expect(after).toContain('SEQUENCE:1');
    expect(after.match(/^UID:.*$/m)?.[0]).toBe(before.match(/^UID:.*$/m)?.[0]);
  });

  test('of a planning whose state was not written are told again, the same', async () => {
    const { ports, publish } = world();
    const dying = { ...ports.records, create: () => Promise.reject(new Error('died')) };
    await expect(publish([owned('web-1', 'ana')], now, { records: dying })).rejects.toThrow('died');
    const told = await readFeed(ports, ana);
    await publish([owned('web-1', 'ana')], now);
    expect(await readFeed(ports, ana)).toBe(told);
  });

  test('of two plannings at once are those of one that saw the other', async () => {
    const { ports, publish } = world();
    await publish([owned('web-1', 'ana')], now);
    let other: Promise<unknown> | undefined;
    const raced = {
      ...ports.records,
      async replace(...args: Parameters<typeof ports.records.replace>) {
        other ??= publish([owned('web-1', 'ana', '2027-01-16')], later);
        await other;
        return ports.records.replace(...args);
      },
    };
    await publish([owned('web-1', 'ana', '2027-01-23')], later, { records: raced });
    const told = await readFeed(ports, ana);
    expect(told).toContain('20270123T000000');
    expect(told).toContain('SEQUENCE:2');
  });

  test('of who has lost the last server have nothing in them', async () => {
    const { ports, publish } = world();
    await publish([owned('web-1', 'ana')], now);
    await publish([owned('web-1', 'bo')], later);
    expect(await readFeed(ports, ana)).not.toContain('VEVENT');
  });
});
