import { Cron as Reference } from 'croner';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextRuns, parseCron } from '../../../core/calendar/cron.ts';
import { localIso } from '../../../core/calendar/local-time.ts';
import { createZoneClock } from '../../../core/calendar/zone-clock.ts';

const utc = createZoneClock('UTC');
const newYork = createZoneClock('America/New_York');

function runs(text: string, clock = utc, after = '2027-01-01T00:00:00Z', count = 5): string[] {
  return nextRuns(parseCron(text), clock, Date.parse(after), count).map(({ at }) => localIso(clock, at));
}

describe('cron', () => {
  it('runs on the days of either when day of month and weekday are both given', () => {
    expect(parseCron('0 2 13 * fri').eitherDay).toBe(true);
    expect(runs('0 2 13 * fri')).toEqual([
      '2027-01-01T02:00:00+00:00',
      '2027-01-08T02:00:00+00:00',
      '2027-01-13T02:00:00+00:00',
      '2027-01-15T02:00:00+00:00',
      '2027-01-22T02:00:00+00:00',
    ]);
    expect(parseCron('0 2 * * fri').eitherDay).toBe(false);
  });

  it('knows names in any case, and Sunday as 0 and 7', () => {
    const sundays = runs('0 2 * * 0');
    expect(runs('0 2 * * 7')).toEqual(sundays);
    expect(runs('0 2 * * SUN')).toEqual(sundays);
    expect(runs('0 2 1 JAN,jul *')).toEqual(runs('0 2 1 1,7 *'));
    expect(runs('0 2 * * 5-7')).toEqual(runs('0 2 * * fri,sat,sun'));
  });

  it('runs once where the time does not exist or comes twice', () => {
    expect(runs('30 2 * * sun', newYork, '2027-03-08T00:00:00Z', 2)).toEqual([
      '2027-03-14T03:00:00-04:00',
      '2027-03-21T02:30:00-04:00',
    ]);
    expect(runs('30 1 * * sun', newYork, '2027-11-02T00:00:00Z', 2)).toEqual([
      '2027-11-07T01:30:00-04:00',
      '2027-11-14T01:30:00-05:00',
    ]);
    // 02:00, 02:30 and 03:00 are one moment on that day.
    expect(runs('0,30 2,3 14 3 *', newYork, '2027-03-14T00:00:00Z', 2)).toEqual([
      '2027-03-14T03:00:00-04:00',
      '2027-03-14T03:30:00-04:00',
    ]);
  });

  it('waits for days that come seldom', () => {
    expect(runs('0 0 29 2 *', utc, '2096-03-01T00:00:00Z', 1)).toEqual(['2104-02-29T00:00:00+00:00']);
  });

  it.each([
    ['', 'has no fields'],
    ['0 2 * *', 'has 4 fields'],
    ['0 2 * * * *', 'has 6 fields'],
    ['60 2 * * *', '"60" as minute: write 0 to 59'],
    ['0 24 * * *', '"24" as hour'],
    ['0 2 0 * *', '"0" as day of month: write 1 to 31'],
    ['0 2 * 13 *', '"13" as month: write 1 to 12, or jan'],
    ['0 2 * * 8', '"8" as weekday: write 0 to 7, or sun'],
    ['0 2 * * fri#2', '"fri#2" as weekday'],
    ['0 2 L * *', '"L" as day of month'],
    ['0 2 ? * *', '"?" as day of month'],
    ['*/0 2 * * *', 'for steps'],
    ['5/10 2 * * *', 'step on one minute'],
    ['30-10 2 * * *', 'write it rising'],
    ['1-2-3 2 * * *', 'write it rising'],
    ['1, 2 * * *', '"" as minute'],
    ['@daily', 'has 1 field:'],
    ['0 0 30 2 *', 'no month that it names has a day 30'],
    ['0 0 31 2,4,6,9,11 *', 'never runs'],
    ['0 0 30,31 feb */2', 'never runs'],
    ['-1 2 * * *', '"" as minute'],
    ['1e1 2 * * *', '"1e1" as minute'],
  ])('%j is refused: %s', (text, problem) => {
    expect(() => parseCron(text)).toThrow(problem);
  });

  it('agrees with croner', () => {
    const number = (min: number, max: number) => fc.integer({ min, max });
    const field = (min: number, max: number) => {
      const item = fc.oneof(
        number(min, max).map(String),
        fc.tuple(number(min, max), number(min, max)).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
        fc
          .tuple(number(min, max), number(min, max), number(1, 5))
          .map(([a, b, step]) => `${Math.min(a, b)}-${Math.max(a, b)}/${step}`),
      );
      const list = fc.array(item, { minLength: 1, maxLength: 3 }).map((items) => items.join(','));
      return fc.oneof(fc.constant('*'), list);
    };
    const expression = fc
      .tuple(field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 7))
      .map((fields) => fields.join(' '));
    const after = fc.date({ min: new Date('2020-01-01'), max: new Date('2040-01-01'), noInvalidDate: true });
    fc.assert(
      fc.property(expression, after, (text, date) => {
        const theirs = new Reference(text, { timezone: 'UTC' }).nextRuns(5, date).map((run) => run.getTime());
        // croner counts whole seconds: what lies within the first second is later for us only.
        const start = Math.floor(date.getTime() / 1000) * 1000;
        const ours = nextRuns(parseCron(text), utc, start).map(({ at }) => at);
        expect(ours).toEqual(theirs);
      }),
      { numRuns: 300 },
    );
  });

  it('answers any text with runs or a reason', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9*,/ -]{1,30}$/)), (text) => {
        try {
          expect(nextRuns(parseCron(text), utc, 0).length).toBeLessThanOrEqual(5);
        } catch (error) {
          expect((error as Error).name).toBe('CronError');
        }
      }),
      { numRuns: 300 },
    );
  });
});
