import { describe, expect, test } from 'vitest';
import { defaultCalendar } from '../../../core/calendar/planning-calendar.ts';
import { create } from '../../../core/entities.ts';
import type { Firing } from '../../../core/firing.ts';
import { firings, putWindows, windowsObject } from '../../../core/use-cases/firings.ts';
import { setSchedule } from '../../../core/use-cases/set-schedule.ts';
import {
  type ScheduleRow,
  type ShownPlan,
  type ShownSchedule,
  type ShownServers,
  showCalendar,
} from '../../../core/use-cases/show-calendar.ts';
import { saveInventory } from '../../../core/use-cases/stored-inventory.ts';
import { memoryStores, storedServer } from '../../support/stored-fleet.ts';

const now = '2026-12-01T12:00:00.000Z';

async function world() {
  const ports = memoryStores();
  const servers = [
    storedServer('web-1', { owners: { primary: 'Ana' }, hostGroup: 'Web' }),
    storedServer('web-2', { owners: { secondary: 'ana' }, cron: '0 2 * * sat', environment: 'development' }),
    storedServer('db-1', { explicit: { Q1: { date: '2027-01-13' } } }),
  ];
  await saveInventory(ports, servers, { by: 'list', now, expected: 0 });
  const show = <T>(input: Parameters<typeof showCalendar>[2]) =>
    showCalendar(ports, defaultCalendar, input, now) as Promise<T>;
  return { ports, show };
}

/** A campaign that was started, with its windows. */
async function launched(ports: ReturnType<typeof memoryStores>, server: string): Promise<void> {
  const [start, end] = ['2026-11-28T00:00:00.000Z', '2026-11-28T03:00:00.000Z'];
  const campaign = 'production-20261128';
  const object = windowsObject([
    {
      server,
      start,
      end,
      zone: 'Europe/Berlin',
      localStart: '2026-11-28T01:00:00+01:00',
      campaign,
      reason: 'x',
    },
  ]);
  await putWindows(ports.objects, object);
  const firing: Firing = {
    schema: 1,
    campaignId: campaign,
    policy: 'production',
    quarter: '2027-Q1',
    window: { start, end, zone: 'Europe/Berlin' },
    fireAt: '2026-11-27T00:00:00.000Z',
    windowsKey: object.key,
    servers: 1,
    plannedAt: '2026-11-20T00:00:00.000Z',
    state: 'launched',
    reason: null,
    launchedAt: '2026-11-27T00:00:00.000Z',
  };
  await create(ports.records, firings, firing);
}

describe('the calendar that is stored', () => {
  test.each<[object, string[]]>([
    [{}, ['web-1', 'web-2', 'db-1']],
    [{ owner: 'ANA' }, ['web-1', 'web-2']],
    [{ owner: 'ana', environment: 'Development' }, ['web-2']],
    [{ group: 'web' }, ['web-1']],
    [{ name: 'B-1' }, ['web-1', 'db-1']],
  ])('shows the servers that %j asks for', async (filter, names) => {
    const { show } = await world();
    const shown = await show<ShownServers>({ view: 'servers', ...filter });
    expect(shown.servers.map(({ name }) => name)).toEqual(names);
    expect(shown).toMatchObject({ total: 3, saved: { by: 'list', at: now } });
  });

  test('shows the schedules of all, with where they come from, the next window, and what is wrong', async () => {
    const { ports, show } = await world();
    await setSchedule(
      ports,
      defaultCalendar,
      { server: 'web-1', rule: { kind: 'date', date: '2027-01-09' }, by: 'ana' },
      now,
    );
    const rows = await show<ScheduleRow[]>({ view: 'schedules' });
    expect(rows).toMatchObject([
      { server: 'web-1', words: 'dates Q1 2027-01-09', from: 'schedule', next: '2027-01-09T00:00:00+01:00' },
      {
        server: 'web-2',
        words: 'cron 0 2 * * sat',
        from: 'list',
        next: '2026-12-05T02:00:00+01:00',
        last: null,
      },
      { server: 'db-1', words: 'dates Q1 2027-01-13', from: 'list', conflicts: ['outside-allowed-hours'] },
    ]);
  });

  test('shows one with its last run, and how that ended when its job is known', async () => {
    const { ports, show } = await world();
    await launched(ports, 'WEB-1');
    const shown = await show<ShownSchedule>({ view: 'schedule', server: 'Web-1' });
    expect(shown).toMatchObject({
      server: 'web-1',
      from: 'policy',
      last: { campaign: 'production-20261128', localStart: '2026-11-28T01:00:00+01:00' },
    });
    expect(shown.windows.length).toBeGreaterThan(0);
    await expect(show({ view: 'schedule', server: 'web-11' })).rejects.toMatchObject({
      code: 'unknown-server',
    });
  });

  test('keeps the windows of campaigns that were started where they were', async () => {
    const { ports, show } = await world();
    await launched(ports, 'db-1');
    const { plan } = await show<ShownPlan>({ view: 'plan', quarter: 'current' });
    expect(
      plan.windows.filter(({ server }) => server === 'db-1').map(({ localStart }) => localStart),
    ).toContain('2026-11-28T01:00:00+01:00');
  });

  test('shows the plan of a quarter, and refuses what is none', async () => {
    const { show } = await world();
    const { plan, servers, policies } = await show<ShownPlan>({ view: 'plan', quarter: 'next' });
    expect([plan.quarter.id, servers, policies.length]).toEqual(['2027-Q2', 3, 3]);
    await expect(show({ view: 'plan', quarter: '2027-Q9' })).rejects.toMatchObject({ code: 'no-quarter' });
  });

  test('is exported as a list', async () => {
    const { show } = await world();
    expect(await show<string>({ view: 'csv' })).toContain('\r\nweb-2,');
  });
});
