import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { defaultCalendar } from '../../../core/calendar/planning-calendar.ts';
import { create, listSchedules, schedules } from '../../../core/entities.ts';
import { quarterOfDay } from '../../../core/quarter.ts';
import { loadFleet, planStoredQuarter } from '../../../core/use-cases/plan-stored-quarter.ts';
import { InventoryChanged, loadInventory, saveInventory } from '../../../core/use-cases/stored-inventory.ts';
import { storedServer as server, memoryStores as stores } from '../../support/stored-fleet.ts';

const now = '2026-11-21T12:00:00.000Z';
const later = '2026-11-21T13:00:00.000Z';

describe('the stored inventory', () => {
  test('is empty before anything was saved', async () => {
    expect(await loadInventory(stores())).toEqual({ servers: [], revision: 0 });
  });

  test('is read back as it was saved, with who saved it', async () => {
    const ports = stores();
    const servers = [
      server('web-1', {
        explicit: { Q1: { date: '2027-01-09', time: '02:00', approval: 'Approved' } },
        history: [{ date: '2026-09-05', quarter: '2026-Q4', column: 'Q4' }],
        owners: { primary: 'anna' },
        extra: { Rack: '7', constructor: 'x' },
        bySync: ['zone'],
      }),
      server('web-2', { dependsOn: ['web-1'], cron: '0 2 * * sat' }),
    ];
    expect(await saveInventory(ports, servers, { by: 'anna', now, expected: 0 })).toBe(1);
    expect(await loadInventory(ports)).toEqual({ servers, revision: 1, saved: { by: 'anna', at: now } });
  });

  test('of two people at once is that of the first, and the second is told of her', async () => {
    const ports = stores();
    await saveInventory(ports, [server('a')], { by: 'anna', now, expected: 0 });
    const second = saveInventory(ports, [server('b')], { by: 'bob', now: later, expected: 0 });
    await expect(second).rejects.toThrow(InventoryChanged);
    await expect(second).rejects.toThrow(`changed by anna at ${now}`);
    expect((await loadInventory(ports)).servers.map(({ name }) => name)).toEqual(['a']);
    const stale = saveInventory(ports, [server('c')], { by: 'bob', now: later, expected: 7 });
    await expect(stale).rejects.toThrow(InventoryChanged);
  });

  test('that dies between object and item has changed nothing', async () => {
    const ports = stores();
    await saveInventory(ports, [server('a')], { by: 'anna', now, expected: 0 });
    const dying = {
      ...ports,
      records: { ...ports.records, replace: () => Promise.reject(new Error('died')) },
    };
    await expect(saveInventory(dying, [server('b')], { by: 'bob', now, expected: 1 })).rejects.toThrow(
      'died',
    );
    expect((await loadInventory(ports)).servers.map(({ name }) => name)).toEqual(['a']);
  });

  test('that is not what was saved under its name is refused', async () => {
    const ports = stores();
    await saveInventory(ports, [server('a')], { by: 'anna', now, expected: 0 });
    const record = await ports.records.get({ partition: 'inventory', sort: 'current' });
    const { key } = z.object({ key: z.string() }).parse(record?.body);
    const text = gunzipSync((await ports.objects.get(key)) as Uint8Array).toString();
    await ports.objects.put(key, gzipSync(text.replace('Berlin', 'Lisbon')));
    await expect(loadInventory(ports)).rejects.toThrow('is not what was saved under that name');
  });

  test('is planned with the schedules that hold', async () => {
    const ports = stores();
    await saveInventory(ports, [server('a'), server('b')], { by: 'anna', now, expected: 0 });
    const rule = { kind: 'cron', expression: '0 1 12 12 *' } as const;
    await create(ports.records, schedules, { schema: 1, server: 'A', rule, by: 'anna', at: now });
    const removed = { by: 'anna', at: now };
    await create(ports.records, schedules, { schema: 1, server: 'b', rule, by: 'anna', at: now, removed });
    expect(await listSchedules(ports.records)).toHaveLength(1);
    const quarter = quarterOfDay('2026-12-01');
    const plan = planStoredQuarter(await loadFleet(ports), defaultCalendar, { quarter, now });
    const starts = Object.fromEntries(plan.windows.map(({ server: name, localStart }) => [name, localStart]));
    expect(starts).toEqual({
      a: '2026-12-12T01:00:00+01:00',
      b: expect.not.stringContaining('2026-12-12T01'),
    });
  });
});
