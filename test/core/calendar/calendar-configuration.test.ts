import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { calendarPolicies } from '../../../core/calendar/calendar-policy.ts';
import { dayNumber } from '../../../core/calendar/civil-day.ts';
import { frozenSpans, holidaysIn } from '../../../core/calendar/closed-spans.ts';
import { planningCalendar } from '../../../core/calendar/planning-calendar.ts';
import type { Freeze } from '../../../core/calendar/team-calendar.ts';
import { createZoneClocks } from '../../../core/calendar/zone-clock.ts';
import { parseConfiguration, problemText } from '../../../core/configuration.ts';

const head = `schema: 1
home: { account: "111111111111", region: eu-central-1 }
`;

function problems(text: string): string[] {
  const parsed = parseConfiguration(head + text);
  return 'problems' in parsed ? parsed.problems.map((problem) => problemText('q.yaml', problem)) : [];
}

describe('the calendar of a configuration', () => {
  it('has careful defaults by the name of the environment', () => {
    const parsed = parseConfiguration(
      `${head}environments: { production: {}, uat: {}, development: {}, lab: {} }`,
    );
    if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
    const { policies, quarters } = planningCalendar(
      parsed.configuration.calendar,
      parsed.configuration.environments,
    );
    expect(quarters.quarters.map(({ months }) => months)).toEqual([
      [11, 12, 1],
      [2, 3, 4],
      [5, 6, 7],
      [8, 9, 10],
    ]);
    expect(policies.get('production')).toMatchObject({
      cadence: 'quarterly',
      days: ['saturday', 'sunday'],
      hours: { from: '00:00', to: '04:00' },
      windowMinutes: 240,
      explicitDates: 'approval',
    });
    expect(policies.get('uat')).toMatchObject({ daysBefore: { environment: 'production', days: 7 } });
    expect(policies.get('development')).toMatchObject({ cadence: 'weekly' });
    expect(policies.get('lab')).toEqual({ ...policies.get('production'), name: 'lab' });
  });

  it('lets uat follow the cadence of production, or nobody', () => {
    const follows = calendarPolicies({ production: { cadence: 'monthly' }, uat: {} });
    expect(follows.problems).toEqual([]);
    expect(follows.policies.get('uat')?.cadence).toBe('monthly');
    const said = calendarPolicies({
      production: { cadence: 'monthly' },
      uat: { daysBefore: { environment: 'production', days: 3 } },
      canary: { daysBefore: { environment: 'development', days: 1 }, days: ['monday'] },
      development: {},
    });
    expect(said.problems).toEqual([]);
    expect(said.policies.get('uat')?.cadence).toBe('monthly');
    expect(said.policies.get('canary')?.cadence).toBe('weekly');
    expect(calendarPolicies({ uat: {} }).policies.get('uat')?.daysBefore).toBeUndefined();
    const alone = calendarPolicies({
      production: {},
      uat: { daysBefore: { environment: 'production', days: 0 } },
    });
    expect(alone.policies.get('uat')?.daysBefore).toBeUndefined();
  });

  it('is what the documentation shows', () => {
    const page = readFileSync('docs/calendar.md', 'utf8');
    const blocks = page.match(/(?:^ {4}.*\n|^\n(?= {4}))+/gm) ?? [];
    const shown = blocks.filter((block) => /^ {4}(environments|calendar):$/m.test(block));
    expect(shown).toHaveLength(2);
    expect(parseConfiguration(head + shown.join('').replaceAll(/^ {4}/gm, ''))).not.toHaveProperty(
      'problems',
    );
  });

  it('may freeze what is left of a day, but not nothing', () => {
    const freeze = (from: string, to: string) =>
      problems(
        `environments: { production: {} }\ncalendar: { freezes: [{ from: ${from}, to: ${to}, reason: x }] }`,
      );
    expect(freeze('2026-12-18T18:00', '2026-12-18')).toEqual([]);
    expect(freeze('2026-12-18', '2026-12-18')).toEqual([]);
    expect(freeze('2026-12-18', '2026-12-18T06:00')).toEqual([]);
    expect(freeze('2026-12-18T18:00', '2026-12-18T18:00')).toHaveLength(1);
    expect(freeze('2026-12-18T18:00', '2026-12-17')).toHaveLength(1);
  });

  it('takes short windows without being told that they may be short', () => {
    const { policies, problems: wrong } = calendarPolicies({ production: { windowMinutes: 30 }, lab: {} });
    expect(wrong).toEqual([]);
    expect(policies.get('production')?.shortestMinutes).toBe(30);
    expect(policies.get('lab')?.shortestMinutes).toBe(60);
  });

  it('knows the zones of freezes and holidays by any of their names', () => {
    const parsed = parseConfiguration(`${head}environments: { production: {} }
calendar:
  freezes: [{ from: 2026-12-18, to: 2026-12-20, reason: audit, zone: US/Eastern }]
  holidays: [{ date: 12-25, name: Christmas, zones: [europe/berlin] }]
`);
    if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
    const { freezes, holidays } = planningCalendar(
      parsed.configuration.calendar,
      parsed.configuration.environments,
    );
    expect(freezes[0]?.zone).toBe('America/New_York');
    expect(holidays[0]?.zones).toEqual(['Europe/Berlin']);
  });

  it.each([
    [
      'hours: { from: "22:00", to: "02:00" }, windowMinutes: 300',
      'windowMinutes is 300: it is longer than the hours',
    ],
    [
      'windowMinutes: 30, shortestMinutes: 45',
      'shortestMinutes is 45: it is longer than windows, which are 30 minutes',
    ],
    ['nth: { week: 2, weekday: tuesday }', 'lands on tuesday: days are saturday, sunday'],
    ['nth: { week: 5, weekday: sunday }', 'nth.week is 5: write 4 or less'],
    ['cadence: weekly, nth: { week: 2, weekday: sunday }', 'is of a month: leave it out'],
    ['daysBefore: { environment: live, days: 7 }', 'it names live: name another environment'],
    ['daysBefore: { environment: production, days: 7 }', 'it names production: name another environment'],
    ['cadence: fortnightly', 'write quarterly or monthly or weekly or ad-hoc'],
    ['days: [Sat]', 'write sunday or monday'],
    ['hours: { from: 0, to: "04:00" }', 'hours.from is a number: put it in quotes'],
    ['hours: { from: "0:00", to: "04:00" }', 'it is not a time of day'],
    ['cadance: weekly', 'did you mean cadence?'],
  ])('refuses a policy with %s', (calendar, message) => {
    const [problem, ...others] = problems(
      `environments: { production: { calendar: { ${calendar} } }, test: {} }`,
    );
    expect(problem).toContain('q.yaml:3: environments.production.calendar');
    expect(problem).toContain(message);
    expect(others).toEqual([]);
  });

  it.each([
    ['firstMonth: 13', 'calendar.firstMonth is 13: write 12 or less'],
    ['quarters: [{ name: a, months: [1] }]', 'it must be four'],
    [
      'quarters: [{ name: a, months: [1, 2, 3] }, { name: b, months: [3, 4, 5] }, { name: c, months: [6, 7, 8] }, { name: d, months: [9, 10, 11, 12] }]',
      'they overlap: march (a and b) must be in one quarter only',
    ],
    [
      'quarters: [{ name: a, months: [1, 2, 3] }, { name: b, months: [3, 4, 5] }, { name: c, months: [7, 8, 9] }, { name: d, months: [10, 11, 12] }]',
      'they overlap: march (a and b) must be in one quarter only, and leave a gap: june must be in a quarter',
    ],
    [
      'quarters: [{ name: a, months: [1, 2, 3] }, { name: b, months: [4, 5] }, { name: c, months: [7, 8] }, { name: d, months: [9, 10, 11, 12] }]',
      'they leave a gap: june must be in a quarter',
    ],
    ['freezes: [{ from: 2026-02-30, to: 2026-03-01, reason: x }]', 'it is neither a day nor a local time'],
    [
      'freezes: [{ from: 2026-03-02, to: 2026-03-01, reason: x }]',
      'it is not after 2026-03-02: write a later day',
    ],
    ['freezes: [{ every: month, from: 0, to: 3, reason: x }]', 'it is not a day of a month'],
    ['freezes: [{ every: year, from: 12-24, to: 13-01, reason: x }]', 'it is not a day of the year'],
    ['freezes: [{ from: 2026-03-01, to: 2026-03-01 }]', 'is missing'],
    [
      'freezes: [{ from: 2026-03-01, to: 2026-03-01, reason: x, environments: [live] }]',
      'it is no environment of this file',
    ],
    ['freezes: [{ from: 2026-03-01, to: 2026-03-01, reason: x, zone: Berlin }]', 'is not a time zone'],
    ['holidays: [{ date: 12-32, name: x }]', 'it is not a day'],
    ['holidays: [{ date: 12-25, name: x, zones: [Europe/Berln] }]', 'did you mean Europe/Berlin'],
    ['haGroups: { db: [db-1] }', 'write a list of 2 or more'],
  ])('refuses %s', (calendar, message) => {
    const found = problems(`environments: { production: {} }\ncalendar: { ${calendar} }`);
    expect(found.join('\n')).toContain(message);
    expect(found[0]).toMatch(/^q.yaml:4: calendar/);
  });
});

describe('what closes days', () => {
  const days = { first: dayNumber('2026-11-01'), last: dayNumber('2027-01-31') };
  const clockOf = createZoneClocks();

  function spans(freeze: Omit<Freeze, 'reason'>, zone = 'UTC'): string[] {
    const found = frozenSpans([{ ...freeze, reason: 'x' }], 'production', zone, clockOf, days);
    return found.map(
      ({ start, end }) =>
        `${new Date(start).toISOString().slice(0, 16)} ${new Date(end).toISOString().slice(0, 16)}`,
    );
  }

  it('is by the clock of each server, or of the freeze', () => {
    const freeze = { from: '2026-12-18', to: '2026-12-18' };
    expect(spans(freeze, 'Asia/Tokyo')).toEqual(['2026-12-17T15:00 2026-12-18T15:00']);
    expect(spans({ ...freeze, zone: 'UTC' }, 'Asia/Tokyo')).toEqual(['2026-12-18T00:00 2026-12-19T00:00']);
  });

  it('may begin and end within a day', () => {
    expect(spans({ from: '2026-12-18T18:00', to: '2026-12-20T06:00' })).toEqual([
      '2026-12-18T18:00 2026-12-20T06:00',
    ]);
  });

  it('comes every year, also over New Year', () => {
    expect(spans({ every: 'year', from: '12-20', to: '01-03' })).toEqual([
      '2025-12-20T00:00 2026-01-04T00:00',
      '2026-12-20T00:00 2027-01-04T00:00',
      '2027-12-20T00:00 2028-01-04T00:00',
    ]);
    expect(spans({ every: 'year', from: '02-29', to: '02-29' })[1]).toBe('2026-02-28T00:00 2026-03-01T00:00');
  });

  it('comes every month, also over its end', () => {
    const around = spans({ every: 'month', from: -2, to: 2 });
    expect(around).toContain('2026-11-29T00:00 2026-12-03T00:00');
    expect(around).toContain('2026-12-30T00:00 2027-01-03T00:00');
    expect(spans({ every: 'month', from: 31, to: 31 })).toContain('2026-11-30T00:00 2026-12-01T00:00');
  });

  it('holds for the environments that it names', () => {
    const freeze: Freeze = { from: '2026-12-18', to: '2026-12-18', reason: 'x', environments: ['uat'] };
    expect(frozenSpans([freeze], 'production', 'UTC', clockOf, days)).toEqual([]);
    expect(frozenSpans([freeze], 'uat', 'UTC', clockOf, days)).toHaveLength(1);
  });

  it('is a holiday in the zones that have it', () => {
    const holidays = [
      { date: '12-25', name: 'Christmas' },
      { date: '2027-01-18', name: 'Martin Luther King Day', zones: ['America/New_York'] },
    ];
    expect(holidaysIn(holidays, 'Europe/Berlin', days).get(dayNumber('2026-12-25'))).toBe('Christmas');
    expect(holidaysIn(holidays, 'Europe/Berlin', days).has(dayNumber('2027-01-18'))).toBe(false);
    expect(holidaysIn(holidays, 'America/New_York', days).has(dayNumber('2027-01-18'))).toBe(true);
  });
});
