import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quartersOf, teamCalendarSchema } from '../../core/calendar/team-calendar.ts';
import {
  defaultQuarters,
  isInQuarter,
  nextQuarter,
  parseQuarter,
  previousQuarter,
  type QuarterCalendar,
  quarterOf,
  quarterOfDay,
} from '../../core/quarter.ts';

function calendarOf(input: unknown): QuarterCalendar {
  const quarters = quartersOf(teamCalendarSchema.parse(input));
  if ('problem' in quarters) throw new Error(quarters.problem);
  return quarters.calendar;
}

function problemOf(input: unknown): string {
  const quarters = quartersOf(teamCalendarSchema.parse(input));
  return 'problem' in quarters ? quarters.problem : 'none';
}

const uneven = [
  { name: 'Winter', months: ['december', 'january'] },
  { name: 'Spring', months: ['february', 'march', 'april', 'may'] },
  { name: 'Summer', months: ['june', 'july', 'august', 'september'] },
  { name: 'Autumn', months: [10, 11] },
];

describe('quarters', () => {
  it.each([
    ['2026-11-01', '2027-Q1'],
    ['2027-01-31', '2027-Q1'],
    ['2027-02-01', '2027-Q2'],
    ['2027-05-01', '2027-Q3'],
    ['2027-08-01', '2027-Q4'],
    ['2027-10-31', '2027-Q4'],
    ['2027-11-01', '2028-Q1'],
  ])('%s is in %s by default', (day, id) => {
    expect(quarterOfDay(day).id).toBe(id);
  });

  it('begin in October where the team says so', () => {
    const calendar = calendarOf({ firstMonth: 'october' });
    expect(parseQuarter('2027-Q1', calendar)).toMatchObject({
      firstDay: '2026-10-01',
      lastDay: '2026-12-31',
    });
    expect(quarterOfDay('2027-09-30', calendar).id).toBe('2027-Q4');
  });

  it('take the year in which the cycle starts where the team says so', () => {
    const calendar = calendarOf({ quarterYear: 'cycle-start' });
    expect(quarterOfDay('2026-11-01', calendar).id).toBe('2026-Q1');
    expect(quarterOfDay('2027-10-31', calendar).id).toBe('2026-Q4');
    expect(parseQuarter('2026-Q1', calendar).firstDay).toBe('2026-11-01');
  });

  it.each(['cycle-end', 'cycle-start'])('of a calendar year are of that year by %s', (quarterYear) => {
    const calendar = calendarOf({ firstMonth: 1, quarterYear });
    expect(quarterOfDay('2027-01-01', calendar)).toMatchObject({ id: '2027-Q1', lastDay: '2027-03-31' });
    expect(quarterOfDay('2027-12-31', calendar).id).toBe('2027-Q4');
  });

  it('have the lengths and names of the team', () => {
    const calendar = calendarOf({ quarters: uneven });
    expect(quarterOfDay('2027-05-31', calendar)).toEqual({
      id: '2027-Q2',
      name: 'Spring',
      year: 2027,
      number: 2,
      firstDay: '2027-02-01',
      lastDay: '2027-05-31',
    });
    expect(parseQuarter('2027-spring', calendar).id).toBe('2027-Q2');
    expect(parseQuarter('2027-q2', calendar).id).toBe('2027-Q2');
  });

  it('end on 29 February in leap years', () => {
    expect(parseQuarter('2028-Q1', calendarOf({ firstMonth: 12 })).lastDay).toBe('2028-02-29');
  });

  it('belong to the local day of the start', () => {
    expect(quarterOf('2026-11-01T03:00:00.000Z', 'America/New_York')).toBe('2026-Q4');
    expect(quarterOf('2026-11-01T03:00:00.000Z', 'Europe/Berlin')).toBe('2027-Q1');
  });

  it.each([
    ['2027-Q5', 'they are Q1, Q2, Q3, Q4, write one like 2027-Q1'],
    ['Q1 2027', 'write one like'],
    ['', 'write one like 2027-Q1'],
  ])('%j is refused', (text, mend) => {
    expect(() => parseQuarter(text)).toThrow(mend);
  });

  it('refuse gaps, overlaps and disorder, with the months named', () => {
    const [winter, spring, summer, autumn] = uneven;
    expect(problemOf({ quarters: [winter, spring, summer, { name: 'Autumn', months: [10] }] })).toBe(
      'they leave a gap: november must be in a quarter',
    );
    expect(problemOf({ quarters: [winter, spring, summer, { name: 'Autumn', months: [9, 10, 11] }] })).toBe(
      'they overlap: september (Summer and Autumn) must be in one quarter only',
    );
    expect(problemOf({ quarters: [winter, summer, spring, autumn] })).toContain('june follows january');
    expect(problemOf({ quarters: [winter, spring, summer, { ...autumn, name: 'winter' }] })).toContain(
      'the name winter twice',
    );
    expect(problemOf({ firstMonth: 11, quarters: uneven })).toContain('begin in december');
  });

  it('follow each other without gap, whatever the calendar', () => {
    const calendars = fc.oneof(
      fc.record({
        firstMonth: fc.integer({ min: 1, max: 12 }),
        quarterYear: fc.constantFrom('cycle-end', 'cycle-start'),
      }),
      fc.constant({ quarters: uneven }),
    );
    const days = fc.date({ min: new Date('1999-01-01'), max: new Date('2099-12-31'), noInvalidDate: true });
    fc.assert(
      fc.property(calendars, days, (input, date) => {
        const calendar = calendarOf(input);
        const day = date.toISOString().slice(0, 10);
        const quarter = quarterOfDay(day, calendar);
        expect(isInQuarter(quarter, day)).toBe(true);
        expect(parseQuarter(quarter.id, calendar)).toEqual(quarter);
        const next = nextQuarter(quarter, calendar);
        expect(Date.parse(next.firstDay) - Date.parse(quarter.lastDay)).toBe(86_400_000);
        expect(previousQuarter(next, calendar)).toEqual(quarter);
        expect(next.number).toBe((quarter.number % 4) + 1);
        expect(next.year - quarter.year).toBe(quarter.number === 4 ? 1 : 0);
      }),
    );
  });

  it('are the default ones when nothing is said', () => {
    expect(calendarOf({})).toEqual(defaultQuarters);
  });
});
