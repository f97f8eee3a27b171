import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readZone } from '../../core/time-zone.ts';
import { windowsZoneNames, zoneNames } from '../../core/zone-names.ts';

const table = zoneNames
  .trim()
  .split('\n')
  .map((line) => line.split(' '));
const windows = windowsZoneNames
  .trim()
  .split('\n')
  .map((line) => line.split(': '));

describe('a time zone', () => {
  test.each([
    ['Europe/Berlin', 'Europe/Berlin'],
    ['europe/BERLIN', 'Europe/Berlin'],
    ['  America/New York ', 'America/New_York'],
    ['america/new_york', 'America/New_York'],
    ['US/Eastern', 'America/New_York'],
    ['Asia/Calcutta', 'Asia/Kolkata'],
    ['Asia/Kolkata', 'Asia/Kolkata'],
    ['Europe/Kiev', 'Europe/Kyiv'],
    ['America/Buenos_Aires', 'America/Argentina/Buenos_Aires'],
    ['Eastern Standard Time', 'America/New_York'],
    ['w. europe standard time', 'Europe/Berlin'],
    ['India_Standard_Time', 'Asia/Kolkata'],
    ['GMT Standard Time', 'Europe/London'],
    ['utc', 'UTC'],
    ['Etc/UTC', 'UTC'],
    ['Zulu', 'UTC'],
    ['GMT', 'Etc/GMT'],
    ['etc/gmt+5', 'Etc/GMT+5'],
    ['CET', 'Europe/Brussels'],
  ])('%j is %s', (text, zone) => {
    expect(readZone(text)).toEqual({ zone });
  });

  test('keeps the name of a place whose clocks agree with those of another', () => {
    expect(readZone('Europe/Oslo')).toEqual({ zone: 'Europe/Oslo' });
    expect(readZone('Africa/Accra')).toEqual({ zone: 'Africa/Accra' });
  });

  test.each(['+05:30', '-0500', 'UTC+2', 'GMT-03:00', 'utc -8', '+5', '5', '−03:00', '(UTC+01:00)'])(
    '%j is an offset and no zone',
    (text) => {
      expect(readZone(text)).toMatchObject({ problem: expect.stringContaining('is an offset'), near: [] });
    },
  );

  test.each([
    ['Europe/Brelin', 'Europe/Berlin'],
    ['Amerika/New_York', 'America/New_York'],
    ['Berlin', 'Europe/Berlin'],
    ['new york', 'America/New_York'],
    ['Eastern Standart Time', 'America/New_York'],
    ['EDT', 'America/New_York?'],
    ['pst', 'America/Los_Angeles?'],
    ['BST', 'Europe/London?'],
    ['IST', 'Asia/Kolkata or Europe/Dublin or Asia/Jerusalem?'],
    ['Oslo', 'Europe/Oslo?'],
  ])('%j is unknown, with %s as near match', (text, near) => {
    const reading = readZone(text);
    expect(reading).toMatchObject({ problem: expect.stringContaining(`did you mean ${near}`) });
  });

  test('no zone is guessed from letters that are near to its short name', () => {
    for (const text of ['ECT', 'XYZ', 'GST'])
      expect(readZone(text)).toMatchObject({
        near: [],
        problem: expect.stringContaining('write a name like'),
      });
  });

  test('a Windows display name is told where its name is', () => {
    expect(readZone('(UTC-05:00) Eastern Time (US & Canada)')).toMatchObject({
      problem: expect.stringContaining('tzutil /g'),
    });
  });

  test.each([
    ['EST', 'America/New_York', 'America/Panama'],
    ['mst', 'America/Denver', 'America/Phoenix'],
  ])('%s is refused, as people and IANA mean different clocks by it', (text, ...near) => {
    expect(readZone(text)).toMatchObject({ problem: expect.stringContaining('two ways'), near });
  });

  test.each(['', '   ', 'constructor', '__proto__', 'PST', 'Mars/Olympus_Mons'])('%j is no zone', (text) => {
    expect(readZone(text)).toHaveProperty('problem');
  });

  test('every name of the table keeps the same clocks as the zone that it is read as', () => {
    const instants = Array.from({ length: 36 }, (_, month) => Date.UTC(2025, month, 1));
    const names = table.flatMap(([zone = '', ...aliases]) => aliases.map((alias) => ({ zone, alias })));
    expect(names.length).toBeGreaterThan(100);
    for (const { zone, alias } of names) {
      expect({ alias, shows: instants.map(clock(alias)) }).toEqual({
        alias,
        shows: instants.map(clock(zone)),
      });
    }
  });

  test('what comes out goes in again, and this Node knows it', () => {
    for (const [zone = ''] of [...table, ...windows.map(([, zone = '']) => [zone])]) {
      expect(readZone(zone)).toEqual({ zone });
      expect(() => new Intl.DateTimeFormat('en', { timeZone: zone })).not.toThrow();
    }
  });

  test('every zone of this Node is known', () => {
    for (const zone of Intl.supportedValuesOf('timeZone')) expect(readZone(zone)).toHaveProperty('zone');
  });

  test('no text makes it throw, and a problem is always worded', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        const reading = readZone(text);
        expect('zone' in reading || reading.problem.length > 10).toBe(true);
      }),
    );
  });
});

function clock(timeZone: string): (millis: number) => string {
  const format = new Intl.DateTimeFormat('en', { timeZone, dateStyle: 'short', timeStyle: 'short' });
  return (millis) => format.format(millis);
}
