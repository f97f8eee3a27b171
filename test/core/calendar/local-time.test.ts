import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dayNumber, dayText, minutesOf, timeText } from '../../../core/calendar/civil-day.ts';
import { localIso, localOf, resolveLocal } from '../../../core/calendar/local-time.ts';
import { localWindow } from '../../../core/calendar/local-window.ts';
import { createZoneClock, createZoneClocks } from '../../../core/calendar/zone-clock.ts';

function resolve(zone: string, date: string, time: string): { at: string; note: string | undefined } {
  const { at, note } = resolveLocal(createZoneClock(zone), dayNumber(date), minutesOf(time));
  return { at: new Date(at).toISOString(), note };
}

describe('a local time', () => {
  it.each([
    ['America/New_York', '2027-03-14', '02:30', '2027-03-14T07:00:00.000Z', 'moved to 03:00'],
    ['Europe/Berlin', '2027-03-28', '02:00', '2027-03-28T01:00:00.000Z', 'moved to 03:00'],
    // Half an hour: 02:15 is in the gap, 02:30 is not.
    ['Australia/Lord_Howe', '2026-10-04', '02:15', '2026-10-03T15:30:00.000Z', 'moved to 02:30'],
    ['Australia/Lord_Howe', '2026-10-04', '02:30', '2026-10-03T15:30:00.000Z', undefined],
    // Clocks go forward at midnight.
    ['America/Santiago', '2026-09-06', '00:00', '2026-09-06T04:00:00.000Z', 'moved to 01:00'],
    // Samoa crossed the date line: there was no 30 December 2011.
    ['Pacific/Apia', '2011-12-30', '02:30', '2011-12-30T10:00:00.000Z', 'moved to 2011-12-31 00:00'],
    ['Pacific/Apia', '2011-12-31', '00:00', '2011-12-30T10:00:00.000Z', undefined],
    // Brazil, Turkey and Jordan have dropped daylight saving time.
    ['America/Sao_Paulo', '2026-10-18', '00:30', '2026-10-18T03:30:00.000Z', undefined],
    ['Europe/Istanbul', '2027-03-28', '03:30', '2027-03-28T00:30:00.000Z', undefined],
    ['Pacific/Kiritimati', '2027-01-01', '00:00', '2026-12-31T10:00:00.000Z', undefined],
    ['Pacific/Pago_Pago', '2027-01-01', '00:00', '2027-01-01T11:00:00.000Z', undefined],
  ])('in %s on %s at %s is %s', (zone, date, time, at, landed) => {
    const found = resolve(zone, date, time);
    expect(found.at).toBe(at);
    if (landed === undefined) expect(found.note).toBeUndefined();
    else expect(found.note).toBe(`${time} does not exist on ${date} in ${zone}: ${landed}`);
  });

  it.each([
    ['America/New_York', '2027-11-07', '01:30', '2027-11-07T05:30:00.000Z'],
    ['Australia/Lord_Howe', '2027-04-04', '01:45', '2027-04-03T14:45:00.000Z'],
    ['Europe/London', '2027-10-31', '01:00', '2027-10-31T00:00:00.000Z'],
  ])('that comes twice in %s on %s at %s is the first, %s', (zone, date, time, at) => {
    const note = `${time} comes twice on ${date} in ${zone}: taken once, the first`;
    expect(resolve(zone, date, time)).toEqual({ at, note });
  });

  it('is what ICU says of it, in every zone', () => {
    const zones = [...Intl.supportedValuesOf('timeZone'), 'UTC'];
    const clockOf = createZoneClocks();
    const shown = new Map<string, (at: number) => string>();
    const show = (zone: string, at: number) => {
      const format = shown.get(zone) ?? icuClock(zone);
      shown.set(zone, format);
      return format(at);
    };
    const [first, last] = [dayNumber('2005-01-01'), dayNumber('2036-12-31')];
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.integer({ min: first, max: last }),
        fc.integer({ min: 0, max: 1439 }),
        fc.boolean(),
        (zone, anyDay, anyMinutes, nearChange) => {
          const clock = clockOf(zone);
          // Half of the trials hit the hours around a change, which chance alone would hardly find.
          const [change] = nearChange
            ? clock.changesBetween(anyDay * 86_400_000, (anyDay + 400) * 86_400_000)
            : [];
          const around = change && localOf(clock, change.at + (anyMinutes - 720) * 10_000);
          const { day, minutes } = around ?? { day: anyDay, minutes: anyMinutes };
          const local = `${dayText(day)} ${timeText(minutes)}`;
          const { at, note } = resolveLocal(clock, day, minutes);
          const naive = day * 86_400_000 + minutes * 60_000;
          // Every offset that any zone has had, in quarters of an hour.
          const instants = Array.from({ length: 113 }, (_, step) => naive + (step - 56) * 900_000).filter(
            (instant) => show(zone, instant) === local,
          );
          if (instants.length > 0) {
            expect(at).toBe(instants[0]);
            expect(note === undefined).toBe(instants.length === 1);
          } else {
            expect(note).toContain('does not exist');
            expect(show(zone, at) > local).toBe(true);
            expect(show(zone, at - 60_000) < local).toBe(true);
          }
          expect(localIso(clock, at).slice(0, 16).replace('T', ' ')).toBe(show(zone, at));
        },
      ),
      { numRuns: 400 },
    );
  });

  it('asks for a zone that there is', () => {
    expect(() => createZoneClock('Europe/Berln')).toThrow('no time zone Europe/Berln');
  });
});

describe('a window on the clocks of a zone', () => {
  const newYork = createZoneClock('America/New_York');
  const allowed = { length: 240, until: 240 };

  it('ends at the local end of the hours when clocks go forward meanwhile', () => {
    const { start, end, notes } = localWindow(newYork, {
      day: dayNumber('2027-03-14'),
      minutes: 0,
      ...allowed,
    });
    expect((end - start) / 3_600_000).toBe(3);
    expect(notes).toEqual(['the clocks change meanwhile: it lasts 3 h and ends at 04:00']);
  });

  it('ends after its length when clocks go back meanwhile', () => {
    const { start, end, notes } = localWindow(newYork, {
      day: dayNumber('2027-11-07'),
      minutes: 0,
      ...allowed,
    });
    expect((end - start) / 3_600_000).toBe(4);
    expect(notes).toEqual(['the clocks change meanwhile: it lasts 4 h and ends at 03:00']);
  });

  it('that was moved out of a gap still ends with the hours', () => {
    const { start, end } = localWindow(newYork, { day: dayNumber('2027-03-14'), minutes: 150, ...allowed });
    expect(localIso(newYork, start)).toBe('2027-03-14T03:00:00-04:00');
    expect(localIso(newYork, end)).toBe('2027-03-14T04:00:00-04:00');
  });

  it('may run past midnight', () => {
    const night = { day: dayNumber('2027-01-09'), minutes: 22 * 60, length: 360, until: 28 * 60 };
    const { start, end, notes } = localWindow(newYork, night);
    expect([localIso(newYork, start), localIso(newYork, end)]).toEqual([
      '2027-01-09T22:00:00-05:00',
      '2027-01-10T04:00:00-05:00',
    ]);
    expect(notes).toEqual([]);
  });
});

/** The wall clock of a zone as ICU formats it: the second opinion. */
function icuClock(zone: string): (at: number) => string {
  const format = new Intl.DateTimeFormat('en-CA', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  });
  return (at) => format.format(at).replace(', ', ' ');
}
