import { describe, expect, it } from 'vitest';
import { type CalendarPolicyInput, calendarPolicies } from '../../../core/calendar/calendar-policy.ts';
import { type PlanInput, planQuarter } from '../../../core/calendar/plan-quarter.ts';
import type { QuarterPlan } from '../../../core/calendar/quarter-plan.ts';
import type { ServerToPlan } from '../../../core/calendar/server-to-plan.ts';
import { parseQuarter } from '../../../core/quarter.ts';

const zone = 'Europe/Berlin';

function policiesOf(given: Record<string, CalendarPolicyInput | undefined>) {
  const { policies, problems } = calendarPolicies(given);
  expect(problems).toEqual([]);
  return policies;
}

const defaults = policiesOf({ production: undefined, uat: undefined, development: undefined });

function server(name: string, more: Partial<ServerToPlan> = {}): ServerToPlan {
  return { name, environment: 'production', zone, active: true, ...more };
}

function plan(servers: readonly ServerToPlan[], more: Partial<PlanInput> = {}): QuarterPlan {
  const now = '2026-10-01T00:00:00.000Z';
  return planQuarter({ quarter: parseQuarter('2027-Q1'), policies: defaults, servers, now, ...more });
}

function starts({ windows }: QuarterPlan, name: string): string[] {
  return windows.filter((window) => window.server === name).map(({ localStart }) => localStart.slice(0, 16));
}

function reasonOf({ windows }: QuarterPlan, name: string): string {
  return windows.find((window) => window.server === name)?.reason ?? 'no window';
}

function codes({ conflicts }: QuarterPlan, name: string): string[] {
  return conflicts.filter((conflict) => conflict.server === name).map(({ code }) => code);
}

const set = (date: string, time?: string, approval?: string): Partial<ServerToPlan> => ({
  explicit: { Q1: { date, ...(time && { time }), ...(approval && { approval }) } },
});

describe('a date that a person set', () => {
  it('is the window, to the end of the allowed hours', () => {
    const made = plan([server('a', set('2026-12-05', '01:00'))]);
    expect(made.windows).toEqual([
      {
        server: 'a',
        start: '2026-12-05T00:00:00.000Z',
        end: '2026-12-05T03:00:00.000Z',
        zone,
        localStart: '2026-12-05T01:00:00+01:00',
        campaign: expect.stringMatching(/^production-20261205t0000z-[0-9a-f]{10}$/),
        reason: 'set for Q1: 2026-12-05 01:00; ends at 04:00, after 3 h, with the allowed hours',
      },
    ]);
    expect(made.conflicts).toEqual([]);
  });

  it('without a time is at the first allowed hour', () => {
    expect(starts(plan([server('a', set('2026-12-05'))]), 'a')).toEqual(['2026-12-05T00:00']);
  });

  it('says in the plan what daylight saving time did to it', () => {
    const made = plan(
      [server('a', { zone: 'America/New_York', explicit: { Q2: { date: '2027-03-14', time: '02:30' } } })],
      { quarter: parseQuarter('2027-Q2') },
    );
    expect(made.windows[0]).toMatchObject({
      start: '2027-03-14T07:00:00.000Z',
      end: '2027-03-14T08:00:00.000Z',
      localStart: '2027-03-14T03:00:00-04:00',
    });
    expect(reasonOf(made, 'a')).toContain(
      '02:30 does not exist on 2027-03-14 in America/New_York: moved to 03:00',
    );
  });

  it.each([
    ['2026-12-02', '01:00', 'outside-allowed-hours', 'wednesday is none of its days'],
    ['2026-12-05', '05:00', 'outside-allowed-hours', '05:00 is not within 00:00 to 04:00'],
    ['2026-12-05', '03:30', 'window-too-short', 'leaves 30 min of at least 1 h'],
    ['2027-02-06', '01:00', 'wrong-quarter', 'is in 2027-Q2 and not in 2027-Q1'],
    ['2026-12-19', '01:00', 'in-freeze', 'overlaps the freeze "year end"'],
  ])('%s %s is refused as %s', (date, time, code, message) => {
    const freezes = [{ from: '2026-12-18', to: '2027-01-03', reason: 'year end' }];
    const made = plan([server('a', set(date, time))], { freezes });
    expect(made.windows).toEqual([]);
    expect(made.conflicts).toEqual([{ server: 'a', code, message: expect.stringContaining(message) }]);
  });

  it('that is past is refused, and one of a past quarter is history', () => {
    const now = '2026-12-10T00:00:00.000Z';
    const past = plan([server('a', set('2026-12-05', '01:00')), server('b', set('2025-12-06', '01:00'))], {
      now,
    });
    expect(codes(past, 'a')).toEqual(['past-date']);
    expect(codes(past, 'b')).toEqual([]);
    expect(reasonOf(past, 'b')).toContain('production is patched quarterly');
  });

  it('of the same quarter a year before is no word about this one', () => {
    const made = (date: string) =>
      plan([server('a', set(date))], { quarter: parseQuarter('2028-Q1'), now: '2026-11-20T00:00:00.000Z' });
    expect(reasonOf(made('2027-01-09'), 'a')).toContain('production is patched quarterly');
    expect(made('2027-01-09').conflicts).toEqual([]);
    expect(codes(made('2027-02-06'), 'a')).toEqual(['wrong-quarter']);
    expect(codes(made('2029-01-06'), 'a')).toEqual(['wrong-quarter']);
  });

  it('in the column of another quarter is refused', () => {
    const made = plan([server('a', { explicit: { Q2: { date: '2026-12-05' } } })]);
    expect(made.conflicts).toEqual([
      {
        server: 'a',
        code: 'wrong-quarter',
        message: 'the date of Q2, 2026-12-05, is in 2027-Q1: move it to Q1',
      },
    ]);
  });

  it('outside of the policy is honoured, approved or refused as the policy says', () => {
    const made = (explicitDates: 'honour' | 'approval' | 'refuse', approval?: string) =>
      plan([server('a', set('2026-12-02', '05:00', approval))], {
        policies: policiesOf({ production: { explicitDates } }),
      });
    expect(reasonOf(made('honour'), 'a')).toMatch(/outside the allowed hours of production: .*, honoured$/);
    expect(reasonOf(made('approval', 'Approved'), 'a')).toMatch(/, approved$/);
    // Outside of the hours there is no local end: the window has its whole length.
    expect(made('approval', 'Approved').windows[0]?.end).toBe('2026-12-02T08:00:00.000Z');
    expect(codes(made('approval', 'Pending'), 'a')).toEqual(['outside-allowed-hours']);
    expect(codes(made('approval'), 'a')).toEqual(['outside-allowed-hours']);
    expect(codes(made('refuse', 'Approved'), 'a')).toEqual(['outside-allowed-hours']);
    expect(codes(made('honour', 'Rejected'), 'a')).toEqual(['not-approved']);
  });

  it('that was turned down before it was written is no leave to patch by the policy', () => {
    const explicit = { Q1: { approval: 'Rejected' }, Q2: { date: '2027-02-06' } };
    const made = plan([
      server('a', { explicit: { Q1: { approval: 'Rejected' } } }),
      server('b', { explicit }),
      server('c', { explicit: { Q1: { approval: 'Pending' }, Q2: { approval: 'Rejected' } } }),
    ]);
    expect(made.windows.map((window) => window.server)).toEqual(['c']);
    expect(codes(made, 'a')).toEqual(['not-approved']);
    expect(codes(made, 'b')).toEqual(['not-approved']);
    expect(made.conflicts[0]?.message).toMatch(/^Q1 was not approved and has no date/);
  });

  it('on a day that the policy has not ends with the allowed hours all the same', () => {
    const made = (date: string, time: string, hours: { from: string; to: string }) =>
      plan([server('a', set(date, time))], {
        policies: policiesOf({ production: { explicitDates: 'honour', hours } }),
      });
    const day = made('2026-12-02', '01:30', { from: '00:00', to: '04:00' });
    expect(day.windows[0]?.end).toBe('2026-12-02T03:00:00.000Z');
    expect(reasonOf(day, 'a')).toMatch(/ends at 04:00, .*wednesday is none of its days.*, honoured$/);
    const night = made('2026-12-02', '01:30', { from: '22:00', to: '04:00' });
    expect(night.windows[0]?.end).toBe('2026-12-02T03:00:00.000Z');
    expect(codes(made('2026-12-02', '03:30', { from: '00:00', to: '04:00' }), 'a')).toEqual([
      'window-too-short',
    ]);
  });

  it('after midnight is within hours that began on the evening before', () => {
    const policies = policiesOf({
      production: { days: ['saturday'], hours: { from: '22:00', to: '04:00' } },
    });
    const made = plan([server('a', set('2026-12-06', '01:00')), server('b', set('2026-12-05', '01:00'))], {
      policies,
    });
    expect(made.windows.map(({ server: name, end }) => [name, end])).toEqual([
      ['a', '2026-12-06T03:00:00.000Z'],
    ]);
    expect(codes(made, 'b')).toEqual(['outside-allowed-hours']);
    expect(made.conflicts[0]?.message).toContain('the hours began on friday, which is none of its days');
  });

  it('on a holiday is kept, and says so', () => {
    const holidays = [{ date: '12-26', name: 'Boxing Day' }];
    expect(reasonOf(plan([server('a', set('2026-12-26', '01:00'))], { holidays }), 'a')).toContain(
      'a holiday (Boxing Day), kept as the date was set',
    );
  });
});

describe('a policy', () => {
  it('leaves the first days to those that come before', () => {
    const made = plan([server('a'), server('u', { environment: 'uat' })]);
    expect(starts(made, 'a')).toEqual(['2026-11-08T00:00']);
    expect(starts(made, 'u')).toEqual(['2026-11-01T00:00']);
    expect(reasonOf(made, 'u')).toContain('7 days before the first window of production (Sunday 2026-11-08)');
  });

  it('puts a host group of uat before the production of the same host group', () => {
    const made = plan([
      server('p', { hostGroup: 'Shop', ...set('2027-01-16', '01:00') }),
      server('u', { hostGroup: 'shop', environment: 'UAT' }),
    ]);
    expect(starts(made, 'u')).toEqual(['2027-01-09T00:00']);
    expect(reasonOf(made, 'u')).toContain(
      '7 days before production of host group shop (Saturday 2027-01-16)',
    );
  });

  it('goes to an earlier day before production where one is frozen, and to none after', () => {
    const freezes = [{ from: '2027-01-09', to: '2027-01-09', reason: 'audit' }];
    const both = [
      server('p', { hostGroup: 'shop', ...set('2027-01-16', '01:00') }),
      server('u', { hostGroup: 'shop', environment: 'uat' }),
    ];
    expect(starts(plan(both, { freezes }), 'u')).toEqual(['2027-01-08T00:00']);
    const late = plan(both, { now: '2027-01-10T00:00:00.000Z' });
    expect(codes(late, 'u')).toEqual(['no-room']);
  });

  it('leaves room for uat before production when the plan is made late, until uat has begun', () => {
    const now = '2026-11-21T00:00:00.000Z';
    const both = [server('p'), server('u', { environment: 'uat' })];
    const late = plan(both, { now });
    expect(late.conflicts).toEqual([]);
    expect([starts(late, 'u'), starts(late, 'p')]).toEqual([['2026-11-28T00:00'], ['2026-12-05T00:00']]);
    expect(reasonOf(late, 'p')).toContain('moved from Sunday 2026-11-08');
    // From then on production stays where it is: neither earlier, as uat is under way, nor later, as time passes.
    const kept = late.windows.filter((window) => window.server === 'u');
    for (const day of ['2026-11-27', '2026-11-29', '2026-12-03']) {
      expect(starts(plan(both, { now: `${day}T00:00:00.000Z`, kept }), 'p')).toEqual(['2026-12-05T00:00']);
    }
    expect(starts(plan([server('p')], { now }), 'p')).toEqual(['2026-11-28T00:00']);
  });

  it('patches weekly, and a frozen week not at all', () => {
    const freezes = [{ every: 'year' as const, from: '12-20', to: '01-03', reason: 'year end' }];
    const made = plan([server('d', { environment: 'dev' })], { freezes });
    const days = starts(made, 'd').map((start) => start.slice(0, 10));
    expect(days).toHaveLength(11);
    expect(days.filter((day) => day >= '2026-12-20' && day <= '2027-01-03')).toEqual([]);
    expect(made.conflicts).toEqual([]);
  });

  it('gives a week across the border of two quarters one window', () => {
    const policies = policiesOf({ production: { cadence: 'weekly', days: ['saturday', 'sunday'] } });
    // 31 October 2026 is a Saturday, so that its Sunday is the first day of the quarter.
    expect(starts(plan([server('a')], { policies }), 'a')[0]).toBe('2026-11-07T00:00');
  });

  it('patches monthly on the nth weekday with its offset', () => {
    const nth = { week: 2 as const, weekday: 'tuesday' as const, offsetDays: 4 };
    const policies = policiesOf({ production: { cadence: 'monthly', nth } });
    expect(starts(plan([server('a')], { policies }), 'a')).toEqual([
      '2026-11-14T00:00',
      '2026-12-12T00:00',
      '2027-01-16T00:00',
    ]);
    const last = policiesOf({
      production: { cadence: 'monthly', nth: { week: 'last', weekday: 'sunday', offsetDays: 0 } },
    });
    expect(starts(plan([server('a')], { policies: last }), 'a')).toEqual([
      '2026-11-29T00:00',
      '2026-12-27T00:00',
      '2027-01-31T00:00',
    ]);
  });

  it('moves from a holiday to the next allowed day, if it is to', () => {
    const holidays = [{ date: '2026-11-01', name: 'All Saints', zones: [zone] }];
    const made = (onHoliday: 'shift' | 'keep') =>
      plan([server('a'), server('b', { zone: 'America/New_York' })], {
        holidays,
        policies: policiesOf({ production: { onHoliday } }),
      });
    expect(starts(made('shift'), 'a')).toEqual(['2026-11-07T00:00']);
    expect(reasonOf(made('shift'), 'a')).toContain(
      'moved from Sunday 2026-11-01 00:00 in Europe/Berlin: holiday All Saints',
    );
    expect(starts(made('shift'), 'b')).toEqual(['2026-11-01T00:00']);
    expect(starts(made('keep'), 'a')).toEqual(['2026-11-01T00:00']);
  });

  it('fills windows to the number that it names, and refuses the rest', () => {
    const policies = policiesOf({
      production: { serversPerWindow: 2, cadence: 'monthly', days: ['sunday'] },
    });
    const names = Array.from({ length: 12 }, (_, index) => `s${index}`);
    const made = plan(
      names.map((name) => server(name)),
      { policies, now: '2026-11-15T12:00:00.000Z' },
    );
    for (const campaign of made.campaigns) expect(campaign.servers).toBeLessThanOrEqual(2);
    // Two Sundays are left in November, four in December, five in January.
    expect(made.windows).toHaveLength(2 * 2 + 4 * 2 + 5 * 2);
    expect(new Set(made.conflicts.map(({ code }) => code))).toEqual(new Set(['window-full']));
    expect(made.conflicts).toHaveLength(8 + 4 + 2);
  });

  it('takes the day after the lead time at the earliest', () => {
    const now = '2026-11-20T12:00:00.000Z';
    const policies = policiesOf({ production: { leadTimeHours: 48 } });
    expect(starts(plan([server('a')], { policies, now }), 'a')).toEqual(['2026-11-28T00:00']);
  });

  it('has no window in a quarter that is over, and no conflict either', () => {
    const made = plan([server('a'), server('b', set('2026-12-05'))], { now: '2027-03-01T00:00:00.000Z' });
    expect([made.windows, made.conflicts]).toEqual([[], []]);
  });

  it('says when nothing is left', () => {
    const freezes = [{ from: '2026-11-01', to: '2027-01-31', reason: 'migration' }];
    const made = plan([server('a')], { freezes });
    expect(made.conflicts).toEqual([
      {
        server: 'a',
        code: 'no-room',
        message: 'no allowed window is left in 2027-Q1: 2027-Q1: freeze "migration"',
      },
    ]);
  });

  it('tells of a week that the clocks take away, which nobody meant to leave out', () => {
    const production: CalendarPolicyInput = {
      cadence: 'weekly',
      days: ['sunday'],
      hours: { from: '02:00', to: '03:00' },
    };
    const input = { policies: policiesOf({ production }), quarter: parseQuarter('2027-Q2') };
    const freezes = [{ from: '2027-04-10', to: '2027-04-12', reason: 'fair' }];
    const made = plan([server('a', { zone: 'America/New_York' }), server('b', { zone: 'UTC' })], {
      ...input,
      freezes,
    });
    expect(starts(made, 'a')).not.toContain('2027-03-14T03:00');
    expect(starts(made, 'a')).toHaveLength(10);
    expect(made.conflicts).toEqual([
      {
        server: 'a',
        code: 'window-too-short',
        message:
          'production is patched weekly, and no allowed window is left in the week of 2027-03-08: on Sunday 2027-03-14 03:00 in America/New_York the clocks leave 0 min of it; 02:00 does not exist on 2027-03-14 in America/New_York: moved to 03:00; ends at 03:00, after 0 min, with the allowed hours',
      },
    ]);
  });

  it('says in a few words why no week is left', () => {
    const freezes = [{ from: '2026-12-20', to: '2027-01-31', reason: 'migration' }];
    const made = plan([server('d', { environment: 'dev' })], { freezes, now: '2026-12-19T12:00:00.000Z' });
    expect(made.conflicts).toEqual([
      {
        server: 'd',
        code: 'no-room',
        message:
          'no allowed window is left in 2027-Q1: the week of 2026-11-02 to the week of 2026-12-14: it has begun; the week of 2026-12-21 to the week of 2027-01-25: freeze "migration"',
      },
    ]);
  });

  it('that is ad hoc gives only what people set', () => {
    const policies = policiesOf({ production: { cadence: 'ad-hoc' } });
    const made = plan([server('a'), server('b', set('2026-12-05'))], { policies });
    expect(made.windows.map((window) => window.server)).toEqual(['b']);
    expect(made.conflicts).toEqual([]);
  });

  it('must be there for an environment', () => {
    expect(plan([server('a', { environment: 'staging' })]).conflicts[0]).toMatchObject({
      code: 'no-policy',
      message: expect.stringContaining('"staging"'),
    });
  });
});

describe('an HA group', () => {
  it('is never patched at once, by the policy', () => {
    const made = plan([server('a', { haGroup: 'db' }), server('b', { haGroup: 'db' })]);
    expect(made.windows.map(({ localStart }) => localStart.slice(0, 10)).toSorted()).toEqual([
      '2026-11-08',
      '2026-11-14',
    ]);
    expect(made.windows.map(({ reason }) => reason).join()).toContain('of HA group db is patched then');
  });

  it('is never patched at once, by dates that people set, also across zones', () => {
    const made = plan([
      server('a', { haGroup: 'db', ...set('2026-12-06', '02:00') }),
      server('b', { haGroup: 'db', zone: 'America/New_York', ...set('2026-12-05', '21:00', 'Approved') }),
    ]);
    expect(codes(made, 'b')).toEqual(['same-ha-group']);
    expect(starts(made, 'a')).toHaveLength(1);
  });

  it('is one group however its letters are written, in whatever order the servers come', () => {
    const servers = [
      server('a', { haGroup: 'db', ...set('2026-12-05') }),
      server('b', { haGroup: 'DB', ...set('2026-12-05', '02:00') }),
      server('c'),
    ];
    const haGroups = { Db: ['a', 'c'] };
    const made = plan(servers, { haGroups });
    expect(codes(made, 'b')).toEqual(['same-ha-group']);
    expect(made.conflicts[0]?.message).toContain('a of HA group DB is patched then');
    expect(plan(servers.toReversed(), { haGroups })).toEqual(made);
  });

  it('is each that a cell names', () => {
    const made = plan([
      server('a', { haGroup: 'orders; search', ...set('2026-12-05') }),
      server('b', { haGroup: 'search', ...set('2026-12-05') }),
      server('c', { haGroup: 'Orders', ...set('2026-12-05') }),
    ]);
    expect(made.windows.map((window) => window.server)).toEqual(['a']);
    expect([codes(made, 'b'), codes(made, 'c')]).toEqual([['same-ha-group'], ['same-ha-group']]);
  });

  it('may be listed by names, and a name that is no server is told', () => {
    const made = plan([server('A'), server('b')], { haGroups: { db: ['a', 'B', 'c'] } });
    expect(new Set(made.windows.map(({ start }) => start)).size).toBe(2);
    expect(codes(made, 'c')).toEqual(['unknown-server']);
  });

  it('is not a host group', () => {
    const made = plan([server('a', { hostGroup: 'db' }), server('b', { hostGroup: 'db' })]);
    expect(new Set(made.windows.map(({ start }) => start)).size).toBe(1);
  });
});

describe('a dependency', () => {
  it('is patched before', () => {
    const made = plan([server('app', { dependsOn: ['DB'] }), server('db')]);
    expect(starts(made, 'db')).toEqual(['2026-11-08T00:00']);
    expect(starts(made, 'app')).toEqual(['2026-11-14T00:00']);
  });

  it('is placed before a date that was set, where there is room', () => {
    const made = plan([server('app', { dependsOn: ['db'], ...set('2026-11-14') }), server('db')]);
    expect(starts(made, 'db')).toEqual(['2026-11-08T00:00']);
    const tight = plan([server('app', { dependsOn: ['db'], ...set('2026-11-01') }), server('db')]);
    expect(starts(tight, 'db')).toEqual(['2026-11-08T00:00']);
    expect(tight.conflicts).toEqual([
      {
        server: 'app',
        code: 'dependency-broken',
        message: expect.stringContaining('before the end of the window of db'),
      },
    ]);
  });

  it('that comes later, is unknown, or depends in turn is refused', () => {
    const made = plan([
      server('late', { dependsOn: ['db'], ...set('2026-11-14') }),
      server('db', set('2026-11-21')),
      server('lost', { dependsOn: ['nobody'] }),
      server('x', { dependsOn: ['y'] }),
      server('y', { dependsOn: ['x'] }),
      server('z', { dependsOn: ['lost'] }),
    ]);
    for (const name of ['late', 'lost', 'x', 'y', 'z'])
      expect(codes(made, name)).toEqual(['dependency-broken']);
    expect(made.windows.map((window) => window.server)).toEqual(['db']);
  });

  it('names the circle to those in it alone, and to others that they stand behind one', () => {
    const made = plan([
      server('x', { dependsOn: ['y'] }),
      server('y', { dependsOn: ['x'] }),
      server('behind', { dependsOn: ['y', 'free'] }),
      server('further', { dependsOn: ['behind'] }),
      server('free'),
    ]);
    const told = (name: string) => made.conflicts.find((conflict) => conflict.server === name)?.message;
    expect(told('x')).toBe('depends on y, and in the end on itself: break the circle');
    expect(told('y')).toContain('and in the end on itself');
    expect(told('behind')).toBe(
      'depends on y, free, and in the end on servers that depend on each other: break their circle',
    );
    expect(told('further')).toContain('on servers that depend on each other');
    expect(made.windows.map((window) => window.server)).toEqual(['free']);
  });
});

describe('a schedule', () => {
  it('by cron runs on the local clock, and says when the days are either', () => {
    const made = plan([server('a', { cron: '0 2 14 * sun' })], {
      policies: policiesOf({ production: { days: ['saturday', 'sunday', 'monday', 'thursday'] } }),
    });
    expect(starts(made, 'a').slice(0, 3)).toEqual([
      '2026-11-01T02:00',
      '2026-11-08T02:00',
      '2026-11-14T02:00',
    ]);
    expect(reasonOf(made, 'a')).toContain('(either the day of month or the weekday)');
    expect(made.conflicts).toEqual([]);
  });

  it('by cron tells once what is wrong with how many of its runs', () => {
    const made = plan([
      server('a', { cron: '0 2 * * fri,sat' }),
      server('b', { cron: '0 */2 * * *' }),
      server('c', { cron: 'x' }),
      server('d', { cron: '0 2 30 feb *' }),
    ]);
    expect(codes(made, 'a')).toEqual(['outside-allowed-hours']);
    expect(made.conflicts[0]?.message).toContain('13 of 26 runs are left out');
    expect(made.conflicts[0]?.message).toMatch(
      /: change the expression, or set a date, which can be approved$/,
    );
    expect(starts(made, 'a')).toHaveLength(13);
    expect(codes(made, 'b')).toEqual(['invalid-schedule']);
    expect(codes(made, 'c')).toEqual(['invalid-schedule']);
    expect(codes(made, 'd')).toEqual(['invalid-schedule']);
  });

  it('is one: a second is refused, and the first is named', () => {
    const rule = { kind: 'cron' as const, expression: '0 1 * * sat' };
    const made = plan(
      [server('a', { cron: '0 2 * * sat', ...set('2026-12-05') }), server('b', { cron: '0 2 * * sat' })],
      {
        schedules: [{ server: 'B', rule }],
      },
    );
    expect(made.windows).toEqual([]);
    expect(codes(made, 'a')).toEqual(['second-schedule']);
    expect(made.conflicts[1]?.message).toContain('has a schedule already, cron 0 1 * * sat');
  });

  it('that is stored holds', () => {
    const dates = { Q1: { date: '2026-12-05', time: '00:30' } };
    const made = plan([server('a')], { schedules: [{ server: 'a', rule: { kind: 'dates', dates } }] });
    expect(starts(made, 'a')).toEqual(['2026-12-05T00:30']);
  });
});

describe('a plan', () => {
  it('refuses servers that are listed twice, as nobody knows which line holds', () => {
    const made = plan([server('a'), server('A', { zone: 'Asia/Tokyo' })]);
    expect(made.windows).toEqual([]);
    expect(made.conflicts.map(({ code }) => code)).toEqual(['duplicate-server']);
  });

  it('leaves inactive servers out', () => {
    const made = plan([server('a', { active: false })]);
    expect([made.windows, made.conflicts]).toEqual([[], []]);
  });

  it('keeps what has begun, and plans nothing twice', () => {
    const before = plan([
      server('a'),
      server('d', { environment: 'dev' }),
      server('b', set('2026-11-14', '01:00')),
    ]);
    const now = '2026-11-19T00:00:00.000Z';
    const kept = before.windows.filter(({ start }) => start < now);
    const after = plan(
      [server('a'), server('d', { environment: 'dev' }), server('b', set('2026-11-14', '01:00'))],
      { now, kept },
    );
    expect(after.conflicts).toEqual([]);
    const timesOf = (made: QuarterPlan) => made.windows.map(({ server: name, start }) => `${name} ${start}`);
    expect(timesOf(after)).toEqual(timesOf(before));
  });

  it('counts the servers of each campaign', () => {
    const made = plan([server('a'), server('b'), server('c', { zone: 'Asia/Tokyo' })]);
    expect(made.campaigns.map(({ servers, zone: where }) => [where, servers])).toEqual([
      ['Asia/Tokyo', 1],
      [zone, 2],
    ]);
  });
});
