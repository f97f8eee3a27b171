import fc from 'fast-check';
import { DateTime } from 'luxon';
import { describe, expect, it } from 'vitest';
import { calendarPolicies } from '../../../core/calendar/calendar-policy.ts';
import { type PlanInput, planQuarter } from '../../../core/calendar/plan-quarter.ts';
import type { PlannedWindow } from '../../../core/calendar/quarter-plan.ts';
import type { ServerToPlan } from '../../../core/calendar/server-to-plan.ts';
import { isInQuarter, parseQuarter } from '../../../core/quarter.ts';

// Refused, so that the hours hold for what people set too.
const { policies } = calendarPolicies({
  production: { explicitDates: 'refuse', serversPerWindow: 4 },
  uat: { explicitDates: 'refuse' },
  development: { explicitDates: 'refuse', hours: { from: '22:00', to: '03:00' }, windowMinutes: 120 },
  monthly: {
    explicitDates: 'refuse',
    cadence: 'monthly',
    nth: { week: 2, weekday: 'tuesday', offsetDays: 4 },
  },
});

const zones = [
  'America/New_York',
  'Europe/Berlin',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Pacific/Pago_Pago',
  'America/Santiago',
  'Africa/Casablanca',
];

const quarters = ['2027-Q1', '2027-Q2', '2027-Q3', '2027-Q4'].map((id) => parseQuarter(id));

const days = fc.integer({ min: 0, max: 100 });

const inputs: fc.Arbitrary<PlanInput> = fc.constantFrom(...quarters).chain((quarter) => {
  const first = DateTime.fromISO(quarter.firstDay, { zone: 'UTC' });
  const dayText = (days: number) => first.plus({ days }).toISODate() as string;
  const column = `Q${quarter.number}` as 'Q1';
  const server = (index: number) =>
    fc.record(
      {
        name: fc.constant(`server-${index}`),
        environment: fc.constantFrom(...policies.keys()),
        zone: fc.constantFrom(...zones),
        active: fc.constantFrom(true, true, true, false),
        hostGroup: fc.constantFrom('web', 'shop'),
        haGroup: fc.constantFrom('ha-1', 'ha-2', 'ha-3', ''),
        dependsOn: fc.array(
          fc.integer({ min: 0, max: 20 }).map((other) => `server-${other}`),
          { maxLength: 1 },
        ),
        explicit: fc.oneof(
          { weight: 2, arbitrary: fc.constant({}) },
          fc
            .record({ date: days.map(dayText), time: fc.constantFrom('00:00', '01:30', '02:30', '23:00') })
            .map((given) => ({ [column]: given })),
        ),
        cron: fc.constantFrom('', '', '', '30 2 * * sun', '0 1 13 * fri'),
      },
      { requiredKeys: ['name', 'environment', 'zone', 'active'] },
    );
  return fc.record({
    quarter: fc.constant(quarter),
    policies: fc.constant(policies),
    servers: fc
      .integer({ min: 1, max: 24 })
      .chain((count) => fc.tuple(...Array.from({ length: count }, (_, i) => server(i)))),
    freezes: fc.array(
      fc.tuple(days, fc.integer({ min: 0, max: 5 })).map(([from, more]) => ({
        from: dayText(from),
        to: dayText(from + more),
        zone: 'UTC',
        reason: 'audit',
      })),
      { maxLength: 3 },
    ),
    now: fc.integer({ min: -40, max: 60 }).map((day) => `${dayText(day)}T09:00:00.000Z`),
  });
});

const windowsOf = (windows: readonly PlannedWindow[], name: string) =>
  windows.filter(({ server }) => server === name);

describe('every plan', () => {
  it('keeps to quarter, hours, freezes, HA groups, dependencies and numbers', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const { windows, campaigns, conflicts } = planQuarter(input);
        const byName = new Map(input.servers.map((server) => [server.name, server]));
        for (const window of windows) {
          const server = byName.get(window.server) as ServerToPlan;
          const policy = policies.get(server.environment) as NonNullable<ReturnType<typeof policies.get>>;
          const start = DateTime.fromISO(window.start, { zone: server.zone });
          const end = DateTime.fromISO(window.end, { zone: server.zone });
          expect(server.active).toBe(true);
          expect(window.start > input.now).toBe(true);
          expect(isInQuarter(input.quarter, start.toISODate() as string)).toBe(true);
          expect(window.localStart).toBe(start.toISO({ suppressMilliseconds: true }));
          // Whatever the clocks do, the window lies between two readings of them.
          const opened = start.hour < 12 && policy.hours.from > '12:00' ? start.minus({ days: 1 }) : start;
          expect(policy.days).toContain(opened.setLocale('en').weekdayLong?.toLowerCase());
          const closes = policy.hours.to < policy.hours.from ? opened.plus({ days: 1 }) : opened;
          const day = closes.toISODate() as string;
          expect(`${opened.toISODate()} ${policy.hours.from}` <= start.toFormat('yyyy-MM-dd HH:mm')).toBe(
            true,
          );
          expect(end.toFormat('yyyy-MM-dd HH:mm') <= `${day} ${policy.hours.to}`).toBe(true);
          const minutes = end.diff(start, 'minutes').minutes;
          expect(minutes).toBeGreaterThanOrEqual(policy.shortestMinutes);
          expect(minutes).toBeLessThanOrEqual(policy.windowMinutes);
          for (const freeze of input.freezes ?? []) {
            const [from, to] = [`${freeze.from}T00:00:00.000Z`, `${freeze.to}T24:00:00.000Z`];
            expect(window.end <= from || window.start >= to).toBe(true);
          }
        }
        for (const group of ['ha-1', 'ha-2', 'ha-3']) {
          const members = windows.filter(({ server }) => byName.get(server)?.haGroup === group);
          const overlaps = members.flatMap((a, index) =>
            members
              .slice(index + 1)
              .filter((b) => a.server !== b.server && a.start < b.end && b.start < a.end),
          );
          expect(overlaps).toEqual([]);
        }
        for (const server of input.servers) {
          const own = windowsOf(windows, server.name);
          for (const other of server.dependsOn ?? []) {
            for (const [index, { end }] of windowsOf(windows, other).entries()) {
              const mine = own[index];
              if (mine) expect(end <= mine.start).toBe(true);
            }
          }
          // Nobody is forgotten: a window, or the reason why there is none.
          const told = conflicts.some((conflict) => conflict.server === server.name);
          if (server.active && !server.cron) expect(own.length > 0 || told).toBe(true);
        }
        for (const campaign of campaigns) {
          const members = windows.filter((window) => window.campaign === campaign.id);
          expect(members).toHaveLength(campaign.servers);
          expect(campaign.servers).toBeLessThanOrEqual(
            policies.get(campaign.policy)?.serversPerWindow ?? 1e9,
          );
          for (const { server, start, end, zone } of members) {
            expect({ start, end, zone }).toEqual({
              start: campaign.start,
              end: campaign.end,
              zone: campaign.zone,
            });
            expect(byName.get(server)?.environment).toBe(campaign.policy);
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  it('is the same whatever the order of the servers', () => {
    fc.assert(
      fc.property(inputs, fc.infiniteStream(fc.integer()), (input, stream) => {
        const keys = new Map(input.servers.map((server) => [server, stream.next().value as number]));
        const servers = input.servers.toSorted((a, b) => (keys.get(a) as number) - (keys.get(b) as number));
        expect(planQuarter({ ...input, servers })).toEqual(planQuarter(input));
      }),
      { numRuns: 30 },
    );
  });
});

describe('a small change', () => {
  const quarter = parseQuarter('2027-Q1');
  const now = '2026-10-01T00:00:00.000Z';
  const small = calendarPolicies({ production: { serversPerWindow: 10 } }).policies;
  const fleet = (count: number): ServerToPlan[] =>
    Array.from({ length: count }, (_, index) => ({
      name: `web-${index}`,
      environment: 'production',
      zone: 'Europe/Berlin',
      active: true,
    }));
  const base = { quarter, now, policies: small };

  function moved(before: PlanInput, after: PlanInput): number {
    const starts = new Map(planQuarter(after).windows.map(({ server, start }) => [server, start]));
    return planQuarter(before).windows.filter(
      ({ server, start }) => starts.has(server) && starts.get(server) !== start,
    ).length;
  }

  it('of one server moves at most one for each window', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 200 }), fc.nat(), (count, which) => {
        const servers = fleet(count);
        const without = servers.toSpliced(which % count, 1);
        const windows = Math.ceil(count / 10);
        expect(moved({ ...base, servers }, { ...base, servers: without })).toBeLessThanOrEqual(windows);
        expect(moved({ ...base, servers: without }, { ...base, servers })).toBeLessThanOrEqual(windows);
      }),
      { numRuns: 25 },
    );
  });

  it('of the freezes moves only those whose window is frozen', () => {
    fc.assert(
      fc.property(fc.integer({ min: 10, max: 150 }), fc.integer({ min: 1, max: 30 }), (count, day) => {
        const servers = fleet(count);
        const date = `2026-11-${String(day).padStart(2, '0')}`;
        const frozen = planQuarter({ ...base, servers }).windows.filter(({ localStart }) =>
          localStart.startsWith(date),
        );
        const freezes = [{ from: date, to: date, reason: 'audit' }];
        expect(moved({ ...base, servers }, { ...base, servers, freezes })).toBe(frozen.length);
      }),
      { numRuns: 25 },
    );
  });
});
