import { describe, expect, it } from 'vitest';
import { createMemoryRecords } from '../../../apps/local/memory-records.ts';
import type { ScheduleRule } from '../../../core/calendar/schedule.ts';
import { load, scheduleKey, schedules } from '../../../core/entities.ts';
import { ScheduleRefused, setSchedule } from '../../../core/use-cases/set-schedule.ts';

const now = '2026-12-04T12:00:00.000Z';
const saturdays: ScheduleRule = { kind: 'cron', expression: '0 2 * * sat' };
const sundays: ScheduleRule = { kind: 'cron', expression: '0 2 * * sun' };
const tonight = {
  start: '2026-12-05T01:00:00.000Z',
  end: '2026-12-05T03:00:00.000Z',
  localStart: '2026-12-05T02:00:00+01:00',
  zone: 'Europe/Berlin',
  campaign: 'production-20261205',
};
const nextYear = { ...tonight, start: '2027-01-05T01:00:00.000Z', end: '2027-01-05T03:00:00.000Z' };

function world() {
  const records = createMemoryRecords();
  const set = (rule: ScheduleRule, more: Partial<Parameters<typeof setSchedule>[1]> = {}) =>
    setSchedule(
      { records },
      { server: 'web-1', rule, by: 'anna', leadTimeHours: 24, planned: [], ...more },
      now,
    );
  const stored = async () => (await load(records, schedules, scheduleKey('web-1'))).rule;
  return { set, stored };
}

describe('a schedule', () => {
  it('is the one of its server: a second is refused, naming the first', async () => {
    const { set, stored } = world();
    await set(saturdays);
    const second = set(sundays, { server: 'WEB-1', by: 'bob' });
    await expect(second).rejects.toThrow(ScheduleRefused);
    await expect(second).rejects.toThrow('cron 0 2 * * sat, set by anna at 2026-12-04T12:00:00.000Z');
    expect(await stored()).toEqual(saturdays);
  });

  it('of two people at once is of one of them', async () => {
    const { set } = world();
    const both = await Promise.allSettled([set(saturdays), set(sundays)]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });

  it('may be said twice', async () => {
    const { set } = world();
    await set(saturdays);
    expect(await set(saturdays)).toEqual([]);
  });

  it('is changed when that is asked for', async () => {
    const { set, stored } = world();
    await set(saturdays);
    expect(await set(sundays, { change: true, planned: [nextYear] })).toEqual([]);
    expect(await stored()).toEqual(sundays);
  });

  it('inside the lead time of a campaign is changed by force only, and says what it affects', async () => {
    const { set, stored } = world();
    await set(saturdays);
    const change = { change: true, planned: [tonight, nextYear] };
    await expect(set(sundays, change)).rejects.toThrow(
      'production-20261205 (2026-12-05T02:00:00+01:00 in Europe/Berlin); wait for their end, or use --force',
    );
    expect(await stored()).toEqual(saturdays);
    expect(await set(sundays, { ...change, force: true })).toEqual([tonight]);
    expect(await stored()).toEqual(sundays);
  });

  it('by a wrong cron expression is refused', async () => {
    await expect(world().set({ kind: 'cron', expression: '0 25 * * *' })).rejects.toThrow('"25" as hour');
  });
});
