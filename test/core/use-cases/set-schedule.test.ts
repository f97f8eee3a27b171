import { describe, expect, it } from 'vitest';
import type * as z from 'zod';
import { defaultCalendar } from '../../../core/calendar/planning-calendar.ts';
import { Refused } from '../../../core/calls.ts';
import { listSchedules } from '../../../core/entities.ts';
import type { StoredServer } from '../../../core/inventory/stored-server.ts';
import { setSchedule, type setScheduleInput } from '../../../core/use-cases/set-schedule.ts';
import { loadInventory, saveInventory } from '../../../core/use-cases/stored-inventory.ts';
import { memoryStores, storedServer } from '../../support/stored-fleet.ts';

type Input = z.input<typeof setScheduleInput>;

const now = '2026-12-01T12:00:00.000Z';
const saturdays: Input['rule'] = { kind: 'cron', expression: '0 2 * * sat' };
const sundays: Input['rule'] = { kind: 'cron', expression: '0 2 * * sun' };

async function world(server: Partial<StoredServer> = {}, at = now) {
  const ports = memoryStores();
  await saveInventory(ports, [storedServer('web-1', server), storedServer('db-1')], {
    by: 'list',
    now: at,
    expected: 0,
  });
  const set = (rule: Input['rule'], more: Partial<Input> = {}, when = at) =>
    setSchedule(ports, defaultCalendar, { server: 'web-1', rule, by: 'anna', ...more }, when);
  const stored = async () => (await listSchedules(ports.records)).map(({ rule }) => rule);
  return { ports, set, stored };
}

describe('a schedule', () => {
  it('is told with its next runs and windows', async () => {
    const { set } = await world();
    const { schedule, before } = await set(saturdays);
    expect(before).toBe("the policy's default");
    expect(schedule).toMatchObject({
      words: 'cron 0 2 * * sat',
      from: 'schedule',
      set: { by: 'anna', at: now },
    });
    expect(schedule.runs.map(({ localStart }) => localStart)).toEqual([
      '2026-12-05T02:00:00+01:00',
      '2026-12-12T02:00:00+01:00',
      '2026-12-19T02:00:00+01:00',
      '2026-12-26T02:00:00+01:00',
      '2027-01-02T02:00:00+01:00',
    ]);
    expect(schedule.windows[0]?.localStart).toBe('2026-12-05T02:00:00+01:00');
    expect(schedule.remarks).toEqual([]);
  });

  it('of day of month and weekday says that either counts', async () => {
    const { set } = await world();
    const { schedule } = await set({ kind: 'cron', expression: '0 2 13 * sat' });
    expect(schedule.remarks[0]).toContain('on the days of either');
    expect(schedule.runs.map(({ localStart }) => localStart.slice(0, 10))).toEqual([
      '2026-12-05',
      '2026-12-12',
      '2026-12-13',
      '2026-12-19',
      '2026-12-26',
    ]);
  });

  it('is the one of its server: a second is refused, naming the first', async () => {
    const { set, stored } = await world();
    await set(saturdays);
    const second = set(sundays, { server: 'WEB-1', by: 'bob' });
    await expect(second).rejects.toThrow(Refused);
    await expect(second).rejects.toThrow(`cron 0 2 * * sat, set by anna at ${now}`);
    expect(await stored()).toEqual([saturdays]);
  });

  it('of two people at once is of one of them', async () => {
    const { set, stored } = await world();
    const both = await Promise.allSettled([set(saturdays), set(sundays)]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(await stored()).toHaveLength(1);
  });

  it('may be said twice, within the lead time, too', async () => {
    const { set, stored } = await world();
    await set(saturdays);
    const friday = '2026-12-04T12:00:00.000Z';
    expect(await set(saturdays, {}, friday)).toMatchObject({ affected: [] });
    expect(await stored()).toHaveLength(1);
  });

  it('is changed when that is asked for', async () => {
    const { set, stored } = await world();
    await set(saturdays);
    expect(await set(sundays, { change: true })).toMatchObject({ before: 'cron 0 2 * * sat', affected: [] });
    expect(await stored()).toEqual([sundays]);
  });

  it('inside the lead time of a campaign is changed by force only, and says what it affects', async () => {
    const { set, stored } = await world();
    await set(saturdays);
    const friday = '2026-12-04T12:00:00.000Z';
    const change = set(sundays, { change: true }, friday);
    await expect(change).rejects.toMatchObject({ code: 'lead-time' });
    await expect(change).rejects.toThrow(
      '(2026-12-05 02:00 in Europe/Berlin); wait for their end, or --force',
    );
    await expect(set(null, {}, friday)).rejects.toMatchObject({ code: 'lead-time' });
    expect(await stored()).toEqual([saturdays]);
    const { affected } = await set(sundays, { change: true, force: true }, friday);
    expect(affected.map(({ localStart }) => localStart)).toEqual(['2026-12-05T02:00:00+01:00']);
    expect(await stored()).toEqual([sundays]);
  });

  it('that was taken away holds no more, and leaves room for another', async () => {
    const { set, stored } = await world();
    await set(saturdays);
    const { schedule, before } = await set(null);
    expect([before, schedule.from, schedule.words]).toEqual([
      'cron 0 2 * * sat',
      'policy',
      "the policy's default",
    ]);
    expect(await stored()).toEqual([]);
    await set(sundays, { by: 'bob' });
    expect(await stored()).toEqual([sundays]);
    await set(null);
    await expect(set(null)).rejects.toMatchObject({ code: 'no-schedule' });
  });

  it.each([
    ['0 25 * * *', '"25" as hour'],
    ['0 2,4 * * *', 'runs 2 times a day'],
  ])('by the cron expression %s is refused', async (expression, message) => {
    const { set, stored } = await world();
    const refused = set({ kind: 'cron', expression });
    await expect(refused).rejects.toMatchObject({ code: 'invalid-schedule' });
    await expect(refused).rejects.toThrow(message);
    expect(await stored()).toEqual([]);
  });

  it('of a server that is not there is refused, with the name that was perhaps meant', async () => {
    const { set } = await world();
    await expect(set(saturdays, { server: 'web1' })).rejects.toThrow('did you mean web-1?');
  });
});

describe('a date', () => {
  it('is that of its own quarter, and stays when another quarter gets one', async () => {
    const { set, stored } = await world();
    await set({ kind: 'date', date: '2027-01-09', time: '02:00' });
    const { schedule } = await set({ kind: 'date', date: '2027-03-13' });
    expect(await stored()).toEqual([
      { kind: 'dates', dates: { Q1: { date: '2027-01-09', time: '02:00' }, Q2: { date: '2027-03-13' } } },
    ]);
    expect(schedule.windows.map(({ localStart }) => localStart)).toEqual([
      '2027-01-09T02:00:00+01:00',
      '2027-03-13T00:00:00+01:00',
    ]);
    await expect(set({ kind: 'date', date: '2027-03-20' })).rejects.toThrow('Q1 2027-01-09, Q2 2027-03-13');
  });

  it('that is outside of the policy is told as a conflict, and none once it is approved', async () => {
    const { set } = await world();
    const { schedule } = await set({ kind: 'date', date: '2027-01-13' });
    expect(schedule.conflicts.map(({ code }) => code)).toEqual(['outside-allowed-hours']);
    const again = await set({ kind: 'date', date: '2027-01-13', approval: 'Approved' }, { change: true });
    expect(again.schedule.conflicts).toEqual([]);
  });

  it('that is past is refused', async () => {
    const { set } = await world();
    await expect(set({ kind: 'date', date: '2026-11-28' })).rejects.toMatchObject({ code: 'past-date' });
  });
});

describe('a server with dates in the server list', () => {
  const listed = { explicit: { Q1: { date: '2027-01-09' }, Q2: { date: '2027-03-13' } } };

  it('has a schedule already', async () => {
    const { set } = await world(listed);
    await expect(set(saturdays)).rejects.toThrow('dates Q1 2027-01-09, Q2 2027-03-13, from the server list');
  });

  it('gets another when that is asked for, and its dates leave the list', async () => {
    const { ports, set, stored } = await world(listed);
    const { schedule } = await set(saturdays, { change: true });
    expect(schedule.conflicts).toEqual([]);
    expect(await stored()).toEqual([saturdays]);
    expect((await loadInventory(ports)).servers.map(({ explicit }) => explicit)).toEqual([{}, {}]);
  });

  it('keeps the dates of other quarters when one is changed', async () => {
    const { set, stored } = await world(listed);
    await set({ kind: 'date', date: '2027-01-16' }, { change: true });
    expect(await stored()).toEqual([
      { kind: 'dates', dates: { Q1: { date: '2027-01-16' }, Q2: { date: '2027-03-13' } } },
    ]);
  });

  it('has none once they are history', async () => {
    const { set, stored } = await world({ explicit: { Q4: { date: '2026-09-05' } } });
    await set(saturdays);
    expect(await stored()).toEqual([saturdays]);
  });
});
