import { describe, expect, test } from 'vitest';
import type * as z from 'zod';
import { defaultCalendar } from '../../../core/calendar/planning-calendar.ts';
import { create, schedules } from '../../../core/entities.ts';
import type { StoredServer } from '../../../core/inventory/stored-server.ts';
import { inventoryCsv } from '../../../core/inventory/write-inventory.ts';
import { importServers, type importServersInput } from '../../../core/use-cases/import-servers.ts';
import { loadInventory, saveInventory } from '../../../core/use-cases/stored-inventory.ts';
import { memoryStores, storedServer } from '../../support/stored-fleet.ts';

const now = '2026-11-21T12:00:00.000Z';
const header = 'Server Name,Environment,Server Timezone,Host Group,Q1 Patch Date,Cron Schedule,Instance Id';

async function world(...servers: StoredServer[]) {
  const ports = memoryStores();
  if (servers.length > 0) await saveInventory(ports, servers, { by: 'anna', now, expected: 0 });
  const take = (rows: readonly string[], more: Partial<z.input<typeof importServersInput>> = {}) =>
    importServers(ports, defaultCalendar, { csv: [header, ...rows].join('\n'), by: 'bob', ...more }, now);
  const stored = async () => {
    const { servers: all } = await loadInventory(ports);
    return Object.fromEntries(all.map((server) => [server.name, server]));
  };
  return { ports, take, stored };
}

describe('an import', () => {
  test('takes all servers of a list, and says how many', async () => {
    const { ports, take, stored } = await world();
    const report = await take([
      'web-1,Production,Berlin,web,,,',
      'web-2,prod,Europe/Berlin,web,2027-01-09,,',
    ]);
    expect(report.errors).toMatchObject([{ row: 2, column: 'Server Timezone' }]);
    expect(await stored()).toEqual({});
    const again = await take([
      'web-1,Production,Europe/Berlin,web,,,',
      'web-2,prod,Europe/Berlin,,2027-01-09,,',
    ]);
    expect(again).toMatchObject({
      saved: true,
      servers: 2,
      listed: 2,
      added: ['web-1', 'web-2'],
      errors: [],
    });
    expect((await stored())['web-2']).toMatchObject({
      environment: 'prod',
      explicit: { Q1: { date: '2027-01-09' } },
    });
    expect((await loadInventory(ports)).saved).toEqual({ by: 'bob', at: now });
  });

  test('takes nothing when a row is wrong, and the others when that one is to be skipped', async () => {
    const { take, stored } = await world(storedServer('old'));
    const rows = ['web-1,Production,Europe/Berlin,web,,,', 'web-2,Production,Europe/Berlin,,03/07/2027,,'];
    const refused = await take(rows);
    expect(refused).toMatchObject({ saved: false, servers: 1, absent: [], errors: [{ row: 3 }] });
    expect(Object.keys(await stored())).toEqual(['old']);
    const taken = await take(rows, { skipBadRows: true });
    expect(taken).toMatchObject({ saved: true, errors: [], skipped: [{ row: 3, name: 'web-2' }] });
    expect(Object.keys(await stored())).toEqual(['old', 'web-1']);
  });

  test('changes what the list has columns for, and leaves all else', async () => {
    const before = storedServer('web-1', {
      hostGroup: 'old',
      location: 'Frankfurt',
      explicit: { Q2: { date: '2027-03-13' } },
      owners: { primary: 'anna' },
      extra: { Rack: '7' },
    });
    const { take, stored } = await world(before, storedServer('db-1'));
    const report = await take(['WEB-1,Production,Europe/Lisbon,,,,']);
    expect(report.changes).toEqual([
      { server: 'WEB-1', column: 'Server Name', from: 'web-1', to: 'WEB-1' },
      { server: 'WEB-1', column: 'Host Group', from: 'old', to: '' },
      { server: 'WEB-1', column: 'Server Timezone', from: 'Europe/Berlin', to: 'Europe/Lisbon' },
    ]);
    expect(report).toMatchObject({ saved: true, servers: 2, changed: ['WEB-1'], absent: ['db-1'] });
    const { hostGroup: _, ...rest } = before;
    expect((await stored())['WEB-1']).toEqual({ ...rest, name: 'WEB-1', zone: 'Europe/Lisbon' });
  });

  test('of what is there already changes nothing', async () => {
    const { ports, take } = await world(storedServer('web-1'));
    expect(await take(['web-1,Production,Europe/Berlin,,,,'])).toMatchObject({ saved: false, changed: [] });
    expect((await loadInventory(ports)).revision).toBe(1);
  });

  test('of an export is the inventory it came from, and what a sync wrote stays of the sync', async () => {
    const servers = [
      storedServer('web-1', {
        zone: 'Asia/Tokyo',
        hostGroup: 'web',
        bySync: ['zone', 'hostGroup'],
        explicit: { Q1: { date: '2027-01-09', time: '02:00' } },
        history: [{ date: '2026-09-05', quarter: '2026-Q4', column: 'Q4' }],
        instanceId: 'i-0123456789abcdef0',
        extra: { Rack: '=7' },
      }),
      storedServer('=cmd', { dependsOn: ['web-1'], owners: { primary: 'Anna; B' } }),
    ];
    const { ports, stored } = await world(...servers);
    const csv = inventoryCsv(servers);
    const report = await importServers(ports, defaultCalendar, { csv, by: 'bob' }, now);
    expect(report).toMatchObject({ saved: false, errors: [], changes: [], added: [] });
    const set = csv.replace('Asia/Tokyo', 'Asia/Seoul');
    await importServers(ports, defaultCalendar, { csv: set, by: 'bob' }, now);
    expect((await stored())['web-1']).toEqual({ ...servers[0], zone: 'Asia/Seoul', bySync: ['hostGroup'] });
  });

  test('leaves what a sync wrote where the cell is empty, and clears what a person set', async () => {
    const { take, stored } = await world(
      storedServer('web-1', { hostGroup: 'web', bySync: ['hostGroup'], instanceId: 'i-0123456789abcdef0' }),
      storedServer('web-2', { hostGroup: 'web' }),
    );
    await take(['web-1,Production,Europe/Berlin,,,,', 'web-2,Production,Europe/Berlin,,,,']);
    const { 'web-1': one, 'web-2': two } = await stored();
    expect([one?.hostGroup, one?.instanceId, two?.hostGroup]).toEqual([
      'web',
      'i-0123456789abcdef0',
      undefined,
    ]);
  });

  test('takes servers out only when the list is said to be all there is', async () => {
    const { take, stored } = await world(storedServer('web-1'), storedServer('web-2'));
    expect(await take(['web-2,Production,Europe/Berlin,,,,'])).toMatchObject({
      saved: false,
      absent: ['web-1'],
    });
    const report = await take(['web-2,Production,Europe/Berlin,,,,'], { replace: true });
    expect(report).toMatchObject({ saved: true, servers: 1, absent: ['web-1'] });
    expect(Object.keys(await stored())).toEqual(['web-2']);
    await expect(take([], { replace: true, skipBadRows: true })).rejects.toThrow('would take its server out');
  });

  test('gives no server a second schedule, and names the first', async () => {
    const { ports, take, stored } = await world(storedServer('web-1'), storedServer('web-2'));
    const rule = { kind: 'cron', expression: '0 2 * * sat' } as const;
    await create(ports.records, schedules, { schema: 1, server: 'web-1', rule, by: 'anna', at: now });
    const rows = [
      'WEB-1,Production,Europe/Berlin,,2027-01-09,,',
      'web-2,Production,Europe/Berlin,,,0 2 * * sun,',
    ];
    expect(await take(rows)).toMatchObject({
      saved: false,
      errors: [
        {
          row: 2,
          column: 'Q1 Patch Date',
          message: expect.stringContaining('cron 0 2 * * sat, set by anna'),
        },
      ],
    });
    expect(await take(rows, { skipBadRows: true })).toMatchObject({ saved: true, skipped: [{ row: 2 }] });
    expect((await stored())['web-2']?.cron).toBe('0 2 * * sun');
    expect((await stored())['web-1']?.explicit).toEqual({});
  });

  test('gives no server a date and a cron expression, in one row or one after the other', async () => {
    const { take, stored } = await world(
      storedServer('web-1', { cron: '0 2 * * sat' }),
      storedServer('web-2', { explicit: { Q1: { date: '2027-01-09' } } }),
    );
    const both = await take(['web-9,Production,Europe/Berlin,,2027-01-09,0 2 * * sun,']);
    expect(both).toMatchObject({
      saved: false,
      errors: [
        {
          row: 2,
          column: 'Cron Schedule',
          message: 'web-9 has a schedule already, dates Q1 2027-01-09: remove that one, or empty the cell',
        },
      ],
    });
    const later = (column: string, row: string) =>
      take([], { csv: `Server Name,Environment,Server Timezone,${column}\n${row}` });
    const dates = await later('Q2 Patch Date', 'web-1,Production,Europe/Berlin,2027-02-13');
    expect(dates.errors).toMatchObject([
      { column: 'Q2 Patch Date', message: expect.stringContaining('already, cron 0 2 * * sat') },
    ]);
    const cron = await later('Cron Schedule', 'web-2,Production,Europe/Berlin,0 2 * * sun');
    expect(cron.errors).toMatchObject([
      { column: 'Cron Schedule', message: expect.stringContaining('already, dates Q1 2027-01-09') },
    ]);
    const instead = await take(['web-2,Production,Europe/Berlin,,,0 2 * * sun,']);
    expect(instead).toMatchObject({ saved: true, errors: [] });
    expect((await stored())['web-2']).toMatchObject({ cron: '0 2 * * sun', explicit: {} });
  });

  test('gives no instance two names', async () => {
    const id = 'i-0123456789abcdef0';
    const { take, stored } = await world(storedServer('web-1', { instanceId: id }));
    const rows = [`web-9,Production,Europe/Berlin,,,,${id}`];
    expect(await take(rows)).toMatchObject({
      saved: false,
      errors: [{ row: 2, column: 'Instance Id', message: expect.stringContaining('that of web-1 already') }],
    });
    expect(await take(rows, { replace: true })).toMatchObject({ saved: true });
    expect(Object.keys(await stored())).toEqual(['web-9']);
  });

  test('moves no server out of a campaign that is prepared, unless it is forced, and says of which', async () => {
    // Friday noon in Berlin: the weekend's windows are within the lead time of a day.
    const friday = '2026-11-20T12:00:00.000Z';
    const ports = memoryStores();
    const before = storedServer('web-1', { explicit: { Q1: { date: '2026-11-21', time: '01:00' } } });
    await saveInventory(ports, [before], { by: 'anna', now, expected: 0 });
    const csv = `${header}\nweb-1,Production,Europe/Berlin,,2026-12-05,,`;
    const take = (force: boolean) => importServers(ports, defaultCalendar, { csv, by: 'bob', force }, friday);
    expect(await take(false)).toMatchObject({
      saved: false,
      affected: [{ server: 'web-1', localStart: '2026-11-21T01:00:00+01:00' }],
    });
    expect(await take(true)).toMatchObject({ saved: true, affected: [{ server: 'web-1' }] });
  });

  test('that is only tried changes nothing', async () => {
    const { take, stored } = await world();
    const report = await take(['web-1,Production,Europe/Berlin,,,,'], { dryRun: true });
    expect(report).toMatchObject({ saved: false, added: ['web-1'] });
    expect(await stored()).toEqual({});
  });

  test('keeps dates whose quarter is over as history', async () => {
    const before = storedServer('web-1', {
      explicit: { Q4: { date: '2026-09-05' }, Q1: { date: '2027-01-09' } },
    });
    const { take, stored } = await world(before);
    await take(['web-1,Production,Europe/Berlin,web,2027-01-10,,']);
    expect((await stored())['web-1']).toMatchObject({
      explicit: { Q1: { date: '2027-01-10' } },
      history: [{ date: '2026-09-05', quarter: '2026-Q4', column: 'Q4' }],
    });
  });
});
