import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CalendarPolicyInput, calendarPolicies } from '../../../core/calendar/calendar-policy.ts';
import { dayNumber } from '../../../core/calendar/civil-day.ts';
import { type PlanInput, planQuarter } from '../../../core/calendar/plan-quarter.ts';
import type { KeptWindow, PlannedWindow, QuarterPlan } from '../../../core/calendar/quarter-plan.ts';
import { lastWindows } from '../../../core/calendar/quarters-in-turn.ts';
import type { ServerToPlan } from '../../../core/calendar/server-to-plan.ts';
import { campaignId } from '../../../core/calendar/slots.ts';
import { campaignIdSchema } from '../../../core/campaign.ts';
import { parseQuarter } from '../../../core/quarter.ts';

const zone = 'Europe/Berlin';
const quarter = parseQuarter('2027-Q1');

function policiesOf(given: Record<string, CalendarPolicyInput>) {
  const { policies, problems } = calendarPolicies(given);
  expect(problems).toEqual([]);
  return policies;
}

function server(name: string, more: Partial<ServerToPlan> = {}): ServerToPlan {
  return { name, environment: 'production', zone, active: true, ...more };
}

function plan(
  servers: readonly ServerToPlan[],
  calendar: CalendarPolicyInput = {},
  more: Partial<PlanInput> = {},
): QuarterPlan {
  const policies = policiesOf({ production: { securityWithinDays: 14, ...calendar } });
  return planQuarter({ quarter, policies, servers, now: '2026-10-01T00:00:00.000Z', ...more });
}

const ofServer = ({ windows }: QuarterPlan, name: string) =>
  windows.filter((window) => window.server === name);
const days = (made: QuarterPlan, name: string) =>
  ofServer(made, name).map(({ localStart }) => localStart.slice(0, 10));
const reasons = (made: QuarterPlan, name: string) => ofServer(made, name).map(({ reason }) => reason);
const laneOf = ({ campaigns }: QuarterPlan, id: string) => campaigns.find((one) => one.id === id)?.lane;

/** Servers of each local day. */
function counts(windows: readonly PlannedWindow[]): Map<string, number> {
  const all = new Map<string, number>();
  for (const { localStart } of windows) {
    const day = localStart.slice(0, 10);
    all.set(day, (all.get(day) ?? 0) + 1);
  }
  return all;
}

describe('the security lane', () => {
  it('has windows between those of the cadence, each as late as its days allow', () => {
    const made = plan([server('a', { explicit: { Q1: { date: '2026-12-19' } } })]);
    expect(days(made, 'a')).toEqual([
      '2026-11-14',
      '2026-11-28',
      '2026-12-12',
      '2026-12-19',
      '2027-01-02',
      '2027-01-16',
      '2027-01-30',
    ]);
    expect(reasons(made, 'a').slice(2, 5)).toEqual([
      'security lane: at most 14 days since 2026-11-28: Saturday 2026-12-12 00:00 in Europe/Berlin',
      'set for Q1: 2026-12-19',
      'security lane: at most 14 days since 2026-12-19: Saturday 2027-01-02 00:00 in Europe/Berlin',
    ]);
    expect(made.conflicts).toEqual([]);
  });

  it('has campaigns of its own, by whose names one sees it', () => {
    const made = plan([server('a', { explicit: { Q1: { date: '2026-11-14' } } }), server('b')], {
      cadence: 'ad-hoc',
    });
    const [set, lane] = ['a', 'b'].map(
      (name) =>
        ofServer(made, name).find(({ localStart }) => localStart.startsWith('2026-11-14')) as PlannedWindow,
    );
    // The window of the one is of the cadence, that of the other of the lane, at the same time.
    expect([set?.start, set?.server, lane?.server]).toEqual([lane?.start, 'a', 'b']);
    expect(lane?.campaign).toMatch(/^production-security-20261113t2300z-[0-9a-f]{10}$/);
    expect([set, lane].map((window) => laneOf(made, window?.campaign ?? ''))).toEqual([
      undefined,
      'security',
    ]);
    const longest = campaignId(
      ['p'.repeat(32), '2027-Q1', lane?.start ?? '', lane?.end ?? '', zone],
      'security',
    );
    expect(campaignIdSchema.safeParse(longest).success).toBe(true);
    expect(Object.keys(lane ?? {})).toEqual([
      'server',
      'start',
      'end',
      'zone',
      'localStart',
      'campaign',
      'reason',
    ]);
  });

  it('asks for nothing where the cadence has windows often enough, or the policy names no days', () => {
    expect(plan([server('a')], { cadence: 'weekly' }).campaigns.filter(({ lane }) => lane)).toEqual([]);
    expect(plan([server('a')], { securityWithinDays: undefined }).windows).toHaveLength(1);
  });

  it('gives windows to servers whom the cadence gives none', () => {
    expect(days(plan([server('a')], { cadence: 'ad-hoc' }), 'a')).toHaveLength(6);
    const mended = plan([server('a', { explicit: { Q1: { date: '2026-12-02', time: '05:00' } } })]);
    expect(mended.conflicts.map(({ code }) => code)).toEqual(['outside-allowed-hours']);
    expect(days(mended, 'a')).toHaveLength(6);
  });

  it('gives no windows to servers whose quarter was not approved', () => {
    const made = plan([
      server('a', { explicit: { Q1: { date: '2026-12-19', approval: 'Rejected' } } }),
      server('b', { explicit: { Q1: { date: '2026-12-19', approval: 'Approved' } } }),
    ]);
    expect(ofServer(made, 'a')).toEqual([]);
    expect(made.conflicts).toMatchObject([{ server: 'a', code: 'not-approved' }]);
    expect(ofServer(made, 'b').length).toBeGreaterThan(1);
  });

  it('goes on from what was before the quarter', () => {
    const before = new Map([
      ['a', { localStart: '2026-10-24T00:00:00+02:00', end: '2026-10-24T02:00:00.000Z' }],
    ]);
    expect(days(plan([server('A')], { cadence: 'ad-hoc' }, { before }), 'A')[0]).toBe('2026-11-07');
  });

  it('leaves what is due in the next quarter to it, if that has a window in time', () => {
    const made = plan([server('a')], { cadence: 'ad-hoc' });
    expect(days(made, 'a').at(-1)).toBe('2027-01-23');
    const next = (more: Partial<PlanInput>) =>
      plan([server('a')], { cadence: 'ad-hoc' }, { quarter: parseQuarter('2027-Q2'), ...more });
    expect(days(next({ before: lastWindows(made) }), 'a')[0]).toBe('2027-02-06');
    // The first weekends of February are frozen: the last of January must do.
    const freezes = [{ from: '2027-02-01', to: '2027-02-12', reason: 'sale' }];
    const early = plan([server('a')], { cadence: 'ad-hoc' }, { freezes });
    expect(days(early, 'a').slice(-2)).toEqual(['2027-01-23', '2027-01-31']);
    const after = next({ freezes, before: lastWindows(early) });
    expect([days(after, 'a')[0], early.conflicts, after.conflicts]).toEqual(['2027-02-14', [], []]);
    // Where that has none, it is the next quarter that says so.
    const longer = [{ from: '2027-02-01', to: '2027-02-19', reason: 'sale' }];
    const before = plan([server('a')], { cadence: 'ad-hoc' }, { freezes: longer });
    const late = next({ freezes: longer, before: lastWindows(before) });
    expect([days(before, 'a').at(-1), before.conflicts]).toEqual(['2027-01-31', []]);
    expect([days(late, 'a')[0], late.conflicts.map(({ code }) => code)]).toEqual(['2027-02-20', ['no-room']]);
  });

  it('is in no freeze and on no holiday, and says what it went round', () => {
    const made = plan(
      [server('a', { explicit: { Q1: { date: '2026-11-07' } } })],
      {},
      {
        freezes: [{ from: '2026-11-21', to: '2026-11-21', reason: 'sale' }],
        holidays: [{ date: '2026-12-05', name: 'St Nicholas' }],
      },
    );
    expect(days(made, 'a').slice(0, 3)).toEqual(['2026-11-07', '2026-11-15', '2026-11-29']);
    expect(reasons(made, 'a')[1]).toBe(
      'security lane: at most 14 days since 2026-11-07: Sunday 2026-11-15 00:00 in Europe/Berlin; not later, ' +
        'as on Saturday 2026-11-21 00:00 in Europe/Berlin freeze "sale"',
    );
  });

  it('says where it has no room, and takes the next window there is', () => {
    const freezes = [{ from: '2026-12-11', to: '2027-01-08', reason: 'year end' }];
    const made = plan([server('a')], { cadence: 'ad-hoc' }, { freezes });
    expect(days(made, 'a').slice(2, 5)).toEqual(['2026-12-06', '2027-01-09', '2027-01-23']);
    expect(made.conflicts).toEqual([
      {
        server: 'a',
        code: 'no-room',
        message:
          'security lane: no allowed window is left within 14 days of 2026-12-06, the next is on Saturday 2027-01-09 ' +
          '00:00 in Europe/Berlin: on Sunday 2026-12-20 00:00 in Europe/Berlin freeze "year end"',
      },
    ]);
    expect(reasons(made, 'a')[3]).toMatch(/^security lane: more than 14 days since 2026-12-06: Saturday/);
  });

  it('keeps members of an HA group apart, and those who depend on each other in their order', () => {
    const made = plan(
      [server('a', { haGroup: 'db' }), server('b', { haGroup: 'db' }), server('c', { dependsOn: ['a'] })],
      { cadence: 'ad-hoc' },
    );
    const [a, b, c] = ['a', 'b', 'c'].map((name) => days(made, name));
    expect(a?.filter((day) => b?.includes(day))).toEqual([]);
    expect(a?.filter((day) => c?.includes(day))).toEqual([]);
    expect(a?.[0] && c?.[0] && a[0] < c[0]).toBe(true);
    expect(made.conflicts).toEqual([]);
  });

  it('does not take what another depends on while that has its window', () => {
    const late = { explicit: { Q1: { date: '2026-11-14' } }, dependsOn: ['a'] };
    const made = plan([server('a'), server('b', late)], { cadence: 'ad-hoc' });
    expect([days(made, 'a')[0], days(made, 'b')[0]]).toEqual(['2026-11-08', '2026-11-14']);
    const early = { explicit: { Q1: { date: '2026-11-08' } }, dependsOn: ['a'] };
    expect(days(plan([server('a'), server('b', early)], { cadence: 'ad-hoc' }), 'a')[0]).toBe('2026-11-07');
    // One that is set too early is its own affair, but for the window itself.
    const first = { explicit: { Q1: { date: '2026-11-01' } }, dependsOn: ['a'] };
    const freezes = [{ from: '2026-11-02', to: '2026-11-08', reason: 'sale' }];
    const free = plan([server('a'), server('b', first)], { cadence: 'ad-hoc' }, { freezes });
    expect(days(free, 'a')[0]).toBe('2026-11-14');
    const before = [{ from: '2026-11-01', to: '2026-11-07', reason: 'sale' }];
    const beside = plan([server('a'), server('b', early)], { cadence: 'ad-hoc' }, { freezes: before });
    expect(days(beside, 'a')[0]).toBe('2026-11-14');
  });

  it('counts the servers of the cadence when it fills a window', () => {
    const dated = { explicit: { Q1: { date: '2026-11-14' } } };
    const made = plan([server('a', dated), server('b', dated), server('c'), server('d')], {
      serversPerWindow: 2,
      cadence: 'ad-hoc',
    });
    expect(Math.max(...counts(made.windows).values())).toBe(2);
    expect(days(made, 'c')[0]).toBe('2026-11-08');
  });

  it('does not prepare a campaign while the one before is under way', () => {
    const made = plan([server('a', { explicit: { Q1: { date: '2026-11-22' } } })], {
      leadTimeHours: 48,
      cadence: 'ad-hoc',
    });
    // 14 November would be latest for the first; the Saturday before a Sunday would be too near to it.
    expect(days(made, 'a').slice(0, 3)).toEqual(['2026-11-14', '2026-11-22', '2026-12-06']);
    const near = plan([server('a', { explicit: { Q1: { date: '2026-11-15' } } })], {
      leadTimeHours: 48,
      securityWithinDays: 13,
    });
    expect(days(near, 'a').slice(0, 2)).toEqual(['2026-11-08', '2026-11-15']);
  });

  it('spreads servers that have no window yet, as the cadence does', () => {
    const servers = Array.from({ length: 1200 }, (_, index) => server(`web-${index}`));
    const made = plan(servers, { cadence: 'ad-hoc' });
    expect([...counts(made.windows.slice(0, 1200))]).toEqual([
      ['2026-11-07', 200],
      ['2026-11-08', 500],
      ['2026-11-14', 500],
    ]);
  });
});

describe('as time passes', () => {
  /** Plans each day, and keeps what is due: as the calendar on AWS does. */
  function live(
    from: string,
    daysLong: number,
    servers: readonly ServerToPlan[],
    input: CalendarPolicyInput,
  ) {
    const kept: KeptWindow[] = [];
    let moved = 0;
    let ahead = new Set<string>();
    let last: QuarterPlan | undefined;
    for (let day = 0; day < daysLong; day++) {
      const now = new Date(Date.parse(from) + day * 86_400_000).toISOString() as PlanInput['now'];
      // The lead time is a day: campaigns of the plan of yesterday that were due since then have been started.
      const due = new Date(Date.parse(now) + 86_400_000).toISOString();
      const known = new Set(kept.map(({ campaign }) => campaign));
      for (const window of last?.windows ?? []) {
        if (window.start > due || known.has(window.campaign)) continue;
        const lane = laneOf(last as QuarterPlan, window.campaign);
        kept.push({ ...window, ...(lane && { lane }) });
      }
      last = plan(servers, input, { now, kept });
      const next = new Set(last.windows.map(({ server: name, start }) => `${name} ${start}`));
      moved += [...ahead].filter((window) => !next.has(window)).length;
      ahead = next;
    }
    return { kept, moved, last: last as QuarterPlan };
  }

  it('windows stay where they are, and campaigns that were started count for what follows', () => {
    const servers = Array.from({ length: 4 }, (_, index) => server(`web-${index}`));
    const { kept, moved } = live('2026-10-28T04:10:00.000Z', 95, servers, { serversPerWindow: 2 });
    expect(moved).toBe(0);
    for (const { name } of servers) {
      const own = kept.filter((window) => window.server === name).map(({ localStart }) => localStart);
      expect(own.filter((_, index) => index > 0).length).toBeGreaterThanOrEqual(5);
      expect(widestGap(own)).toBeLessThanOrEqual(14);
    }
    // A window of the lane that was started is not the one of the quarter.
    expect(kept.filter(({ lane }) => lane === undefined)).toHaveLength(4);
  });

  const started = (name: string, day: string): KeptWindow => ({
    server: name,
    start: `${day}T23:00:00.000Z`,
    end: `${day}T23:30:00.000Z`,
    zone,
    localStart: `${dayAfter(day)}T00:00:00+01:00`,
    campaign: `production-security-${day}`,
    reason: 'security lane',
    lane: 'security',
  });
  const dayAfter = (day: string) => new Date(Date.parse(day) + 86_400_000).toISOString().slice(0, 10);

  it('the window of the quarter does not fall upon one of the lane that was started', () => {
    const now = '2026-12-03T00:00:00.000Z';
    const first = (kept: readonly KeptWindow[]) =>
      ofServer(plan([server('a')], {}, { now, kept }), 'a').filter(
        ({ reason }) => !reason.startsWith('security lane'),
      )[0]?.localStart;
    expect(first([])).toBe('2026-12-05T00:00:00+01:00');
    expect(first([started('a', '2026-12-04')])).toBe('2026-12-06T00:00:00+01:00');
    const dated = server('a', { explicit: { Q1: { date: '2026-12-05' } } });
    const refused = plan([dated], {}, { now, kept: [started('a', '2026-12-04')] });
    expect(refused.conflicts).toMatchObject([
      { code: 'no-room', message: expect.stringContaining('has been started for then') },
    ]);
  });

  it('environments that come before others hold up their cadence, and not their lane', () => {
    const policies = policiesOf({
      production: { securityWithinDays: 14 },
      uat: { securityWithinDays: 14 },
    });
    const servers = [server('a'), server('u', { environment: 'uat' })];
    const now = '2026-11-20T00:00:00.000Z';
    const made = planQuarter({ quarter, policies, servers, now, kept: [started('u', '2026-11-13')] });
    // That uat had a window of the lane is not its rehearsal of the quarter.
    expect(
      ofServer(made, 'a').map(({ localStart, reason }) => [localStart.slice(0, 10), reason.slice(0, 10)]),
    ).toEqual([
      ['2026-11-22', 'security l'],
      ...days(made, 'a')
        .slice(1)
        .map((day, index) => [day, index === 0 ? 'production' : 'security l']),
    ]);
    expect((days(made, 'a')[1] ?? '') >= '2026-11-29').toBe(true);
  });

  it('a server that comes in the middle of a quarter has the first window there is', () => {
    const made = plan([server('a')], { cadence: 'ad-hoc' }, { now: '2026-12-09T10:00:00.000Z' });
    expect(days(made, 'a').slice(0, 2)).toEqual(['2026-12-12', '2026-12-26']);
    expect(reasons(made, 'a')[0]).toMatch(
      /^security lane: no window is known of the 14 days before: Saturday/,
    );
    expect(made.conflicts).toEqual([]);
    // The first may be that of the cadence.
    const dated = server('a', { explicit: { Q1: { date: '2026-12-12' } } });
    const regular = plan([dated], {}, { now: '2026-12-09T10:00:00.000Z' });
    expect(days(regular, 'a').slice(0, 2)).toEqual(['2026-12-12', '2026-12-26']);
    expect(regular.conflicts).toEqual([]);
  });
});

function widestGap(starts: readonly string[]): number {
  const numbers = starts.map((start) => dayNumber(start.slice(0, 10)));
  return Math.max(0, ...numbers.slice(1).map((day, index) => day - (numbers[index] as number)));
}

describe('every plan with a lane', () => {
  const zones = ['America/New_York', 'Europe/Berlin', 'Australia/Lord_Howe', 'Pacific/Apia'];
  const inputs = fc.record({
    within: fc.integer({ min: 3, max: 30 }),
    cadence: fc.constantFrom('quarterly', 'monthly', 'weekly', 'ad-hoc'),
    serversPerWindow: fc.constantFrom(undefined, 2, 5),
    leadTimeHours: fc.constantFrom(0, 24, 48),
    now: fc.integer({ min: -30, max: 60 }),
    freezes: fc.array(fc.tuple(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 20 })), {
      maxLength: 3,
    }),
    servers: fc.array(
      fc.record({
        zone: fc.constantFrom(...zones),
        haGroup: fc.constantFrom('', '', 'ha-1', 'ha-2'),
        date: fc.constantFrom(undefined, 5, 23, 44),
        dependsOn: fc.constantFrom(-1, -1, -1, 0, 1),
      }),
      { minLength: 1, maxLength: 12 },
    ),
  });
  const dayText = (offset: number) =>
    new Date(Date.parse('2026-11-01T00:00:00Z') + offset * 86_400_000).toISOString().slice(0, 10);
  const make = ({
    within,
    now,
    freezes,
    servers,
    ...calendar
  }: typeof inputs extends fc.Arbitrary<infer T> ? T : never) => {
    const { serversPerWindow, ...rest } = calendar;
    const policies = policiesOf({
      production: {
        ...rest,
        days: ['tuesday', 'saturday', 'sunday'],
        securityWithinDays: within,
        explicitDates: 'honour',
        ...(serversPerWindow && { serversPerWindow }),
      },
    });
    return {
      quarter,
      policies,
      now: `${dayText(now)}T09:00:00.000Z`,
      freezes: freezes.map(([from, more]) => ({
        from: dayText(from),
        to: dayText(from + more),
        zone: 'UTC',
        reason: 'audit',
      })),
      servers: servers.map(({ date, dependsOn, ...own }, index) =>
        server(`server-${index}`, {
          ...own,
          ...(date !== undefined && { explicit: { Q1: { date: dayText(date), time: '01:00' } } }),
          ...(dependsOn >= 0 && dependsOn < index && { dependsOn: [`server-${dependsOn}`] }),
        }),
      ),
    } satisfies PlanInput;
  };

  it('leaves no more days between two windows than the policy says, or reports it', () => {
    fc.assert(
      fc.property(inputs, (given) => {
        const input = make(given);
        const { windows, campaigns, conflicts } = planQuarter(input);
        const lanes = new Set(campaigns.filter(({ lane }) => lane).map(({ id }) => id));
        for (const { name, haGroup, dependsOn = [] } of input.servers) {
          const own = windows.filter((window) => window.server === name);
          const told = conflicts.some(
            (conflict) => conflict.server === name && conflict.message.startsWith('security lane'),
          );
          if (!told) {
            expect(widestGap(own.map(({ localStart }) => localStart))).toBeLessThanOrEqual(given.within);
            const lastDay = dayNumber(own.at(-1)?.localStart.slice(0, 10) ?? quarter.firstDay);
            expect(dayNumber(quarter.lastDay) - lastDay).toBeLessThan(Math.max(given.within, 9) + 9);
          }
          for (const [index, window] of own.entries()) {
            if (!lanes.has(window.campaign)) continue;
            const lead = given.leadTimeHours * 3_600_000;
            expect(Date.parse(window.start)).toBeGreaterThanOrEqual(Date.parse(input.now) + lead);
            const [before, after] = [own[index - 1], own[index + 1]];
            if (before)
              expect(Date.parse(window.start) - Date.parse(before.end)).toBeGreaterThanOrEqual(lead);
            if (after) expect(Date.parse(after.start) - Date.parse(window.end)).toBeGreaterThanOrEqual(lead);
            for (const { from, to } of input.freezes) {
              expect(window.end <= `${from}T00:00:00.000Z` || window.start >= `${to}T24:00:00.000Z`).toBe(
                true,
              );
            }
            const beside = windows.filter(
              (other) =>
                other.server !== name &&
                (dependsOn.includes(other.server) ||
                  (haGroup !== '' &&
                    input.servers.find((one) => one.name === other.server)?.haGroup === haGroup)),
            );
            expect(beside.filter(({ start, end }) => start < window.end && window.start < end)).toEqual([]);
          }
        }
        for (const { start, zone: at, lane } of campaigns.filter((one) => one.lane)) {
          const full = windows.filter((window) => window.start === start && window.zone === at);
          const end = campaigns.find(
            (one) => one.start === start && one.lane === lane && one.zone === at,
          )?.end;
          const seats = full.filter((window) => window.end === end);
          expect(seats.length).toBeLessThanOrEqual(given.serversPerWindow ?? 1e9);
        }
      }),
      { numRuns: 150 },
    );
  }, 60_000);

  it('is the same whatever the order of the servers', () => {
    fc.assert(
      fc.property(inputs, (given) => {
        const input = make(given);
        expect(planQuarter({ ...input, servers: input.servers.toReversed() })).toEqual(planQuarter(input));
      }),
      { numRuns: 40 },
    );
  });

  it('differs little where a server more is planned', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 80 }), fc.nat(), (count, which) => {
        const servers = Array.from({ length: count }, (_, index) => server(`web-${index}`));
        const calendar = { serversPerWindow: 10, cadence: 'ad-hoc' } as const;
        const starts = (all: readonly ServerToPlan[]) =>
          new Set(plan(all, calendar).windows.map(({ server: name, start }) => `${name} ${start}`));
        const gone = servers[which % count] as ServerToPlan;
        const all = starts(servers);
        const without = starts(servers.filter((one) => one !== gone));
        const moved = [...all].filter((one) => !one.startsWith(`${gone.name} `) && !without.has(one));
        // A seat that becomes free is taken by one who was moved to another: at most one for each window.
        expect(moved.length).toBeLessThanOrEqual(26);
      }),
      { numRuns: 25 },
    );
  });
});
