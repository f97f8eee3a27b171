import { describe, expect, test } from 'vitest';
import { planningCalendar } from '../../../core/calendar/planning-calendar.ts';
import { campaignKey, campaigns, load } from '../../../core/entities.ts';
import type { Firing } from '../../../core/firing.ts';
import { plusSeconds } from '../../../core/instant.ts';
import { readFeed } from '../../../core/use-cases/publish-feeds.ts';
import { type ShownPlan, type ShownSchedule, showCalendar } from '../../../core/use-cases/show-calendar.ts';
import { type PlannedFleet, plannedFleet, settingsOf, storedServer } from '../../support/planned-fleet.ts';

const laneOf = (mode: string, calendar: object = {}) =>
  settingsOf({
    policies: {
      production: {
        schema: 1,
        name: 'production',
        mode,
        calendar: { cadence: 'ad-hoc', securityWithinDays: 14, ...calendar },
      },
    },
  });

const startOf = ({ window }: Pick<Firing, 'window'>) => window.start.slice(0, 10);

/** Each day at four in the morning a planning, and each schedule at its moment. */
async function live(fleet: PlannedFleet, until: string): Promise<void> {
  while (fleet.now() < until) {
    const next = plusSeconds(fleet.now(), 86_400);
    for (const { at, input } of [...fleet.schedules.values()].toSorted((a, b) => (a.at < b.at ? -1 : 1))) {
      if (at > next) continue;
      fleet.sleepUntil(at);
      await fleet.launch(input as Firing);
      await fleet.ports.schedules.delete((input as Firing).campaignId);
    }
    fleet.sleepUntil(next);
    await fleet.plan();
  }
}

describe('windows of the security lane', () => {
  test('are scheduled, and started with security updates alone', async () => {
    const fleet = await plannedFleet([storedServer(1)], laneOf('all'));
    await fleet.plan();
    const [firing, second] = (await fleet.firings()) as [Firing, Firing];
    expect(firing).toMatchObject({ lane: 'security', policy: 'production', state: 'expected' });
    expect([startOf(firing), startOf(second)]).toEqual(['2026-11-27', '2026-12-11']);
    expect(fleet.schedules.get(firing.campaignId)?.at).toBe(firing.fireAt);
    fleet.sleepUntil(firing.fireAt);
    expect(await fleet.launch(firing)).toMatchObject({ started: true });
    const campaign = await load(fleet.ports.records, campaigns, campaignKey(firing.campaignId));
    expect(campaign.policy).toMatchObject({ name: 'production', mode: 'security' });
    expect(campaign.window).toEqual(firing.window);
  });

  test.each(['scan', 'security'])('are started as the policy has it when that is %s', async (mode) => {
    const fleet = await plannedFleet([storedServer(1)], laneOf(mode));
    await fleet.plan();
    const [firing] = (await fleet.firings()) as [Firing];
    fleet.sleepUntil(firing.fireAt);
    await fleet.launch(firing);
    const campaign = await load(fleet.ports.records, campaigns, campaignKey(firing.campaignId));
    expect(campaign.policy.mode).toBe(mode);
  });

  test('that were started are neither moved nor taken for the window of the quarter', async () => {
    const dated = storedServer(1, { explicit: { Q1: { date: '2026-12-19', approval: 'approved' } } });
    const fleet = await plannedFleet([dated], laneOf('all', { cadence: 'quarterly' }));
    await fleet.plan();
    const before = (await fleet.firings()).map(startOf);
    expect(before).toEqual([
      '2026-11-27',
      '2026-12-11',
      '2026-12-18',
      '2027-01-01',
      '2027-01-15',
      '2027-01-29',
    ]);
    await live(fleet, '2026-12-05T04:00:00.000Z');
    expect(fleet.started).toHaveLength(1);
    expect((await fleet.firings()).map(startOf)).toEqual(before);
    // The date is taken away: what was started is not what the quarter asks for.
    await fleet.inventory([storedServer(1)]);
    const { quarters } = await fleet.plan();
    const campaignsOf = quarters[0]?.plan.campaigns ?? [];
    expect(campaignsOf.filter(({ lane }) => lane === undefined)).toHaveLength(1);
    expect(campaignsOf.find(({ id }) => id === fleet.started[0])).toMatchObject({ lane: 'security' });
  });

  test('go on over the border of two quarters, in plans, and in what people are shown', async () => {
    const fleet = await plannedFleet([storedServer(1)], laneOf('all'));
    const calendar = planningCalendar(fleet.settings.calendar, fleet.settings.policies);
    await fleet.plan();
    // Weeks before, the next quarter goes on from what is only planned of this one.
    expect((await fleet.firings('2027-Q2')).map(startOf)[0]).toBe('2027-02-05');
    const ahead = (await showCalendar(
      fleet.ports,
      calendar,
      { view: 'plan', quarter: 'next' },
      fleet.now(),
    )) as ShownPlan;
    expect(ahead.plan.windows[0]?.start.slice(0, 10)).toBe('2027-02-05');
    await live(fleet, '2027-02-03T04:00:00.000Z');
    const all = [...(await fleet.firings('2027-Q1')), ...(await fleet.firings('2027-Q2'))];
    const starts = all.filter(({ state }) => state !== 'withdrawn').map(startOf);
    const gaps = starts.slice(1).map((start, index) => Date.parse(start) - Date.parse(starts[index] ?? ''));
    expect(starts.slice(0, 7)).toEqual([
      '2026-11-27',
      '2026-12-11',
      '2026-12-25',
      '2027-01-08',
      '2027-01-22',
      '2027-02-05',
      '2027-02-19',
    ]);
    expect(Math.max(...gaps) / 86_400_000).toBe(14);
    const shown = (await showCalendar(
      fleet.ports,
      calendar,
      { view: 'schedule', server: 'web-1' },
      fleet.now(),
    )) as ShownSchedule;
    expect(shown.windows.map(({ start }) => start.slice(0, 10)).slice(0, 2)).toEqual([
      '2027-02-05',
      '2027-02-19',
    ]);
    expect(shown.security).toBe(
      'a window at least every 14 days; updates that come out now are installed from 2027-02-06T00:00:00+01:00',
    );
  });

  test('are in the feeds, with their reason', async () => {
    const fleet = await plannedFleet([storedServer(1)], laneOf('all'));
    await fleet.plan();
    const feed = (await readFeed(fleet.ports, { kind: 'fleet' })).replaceAll('\r\n ', '');
    expect(feed).toContain('DTSTART;TZID=Europe/Berlin:20261212T000000');
    expect(feed).toContain('security lane: at most 14 days since 2026-11-28');
  });

  test('are looked for by the check: one without its schedule, and one that did not start', async () => {
    const fleet = await plannedFleet([storedServer(1)], laneOf('all'));
    await fleet.plan();
    const [first, second] = (await fleet.firings()) as [Firing, Firing];
    await fleet.ports.schedules.delete(first.campaignId);
    await fleet.ports.schedules.delete(second.campaignId);
    fleet.sleepUntil(plusSeconds(first.fireAt, 3600));
    expect(await fleet.check()).toMatchObject({
      startedLate: [first.campaignId],
      unscheduled: [second.campaignId],
    });
  });

  test('are not prepared while the one before is under way, when a date is set near to them', async () => {
    const fleet = await plannedFleet([storedServer(1)], laneOf('all', { cadence: 'quarterly' }));
    await live(fleet, '2026-11-27T04:00:00.000Z');
    const dated = storedServer(1, { explicit: { Q1: { date: '2026-12-13', approval: 'approved' } } });
    await fleet.inventory([dated]);
    await fleet.plan();
    const open = (await fleet.firings()).filter(({ state }) => state !== 'withdrawn');
    expect(open.map(startOf).slice(0, 3)).toEqual(['2026-11-27', '2026-12-05', '2026-12-12']);
  });
});
