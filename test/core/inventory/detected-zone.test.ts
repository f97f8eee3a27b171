import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  compareZone,
  detectZone,
  type ZoneMethod,
  zoneMethods,
  zoneReportSchema,
} from '../../../core/inventory/detected-zone.ts';

const at = '2027-01-09T02:00:00.000Z';
const detect = (readings: Partial<Record<ZoneMethod, string>>, when = at) =>
  detectZone(
    zoneReportSchema.parse({
      schema: 1,
      at: when,
      readings: Object.entries(readings).map(([method, value]) => ({ method, value })),
    }),
  );

describe('the time zone that a server says it has', () => {
  test.each([
    ['timedatectl', 'Europe/Berlin', 'Europe/Berlin'],
    ['timedatectl', 'Timezone=US/Eastern', 'America/New_York'],
    ['timedatectl', '       Time zone: Asia/Calcutta (IST, +0530)', 'Asia/Kolkata'],
    ['etc-timezone', 'Etc/UTC\n', 'UTC'],
    ['localtime-link', '/usr/share/zoneinfo/America/Argentina/Salta', 'America/Argentina/Salta'],
    ['localtime-link', '../usr/share/zoneinfo/posix/Europe/Kiev', 'Europe/Kyiv'],
  ] as const)('is read from %s: %j', (method, value, zone) => {
    expect(detect({ [method]: value }).best).toEqual({ method, kind: 'zone', zone });
  });

  test.each([
    ['snmp', 'HOST-RESOURCES-MIB::hrSystemDate.0 = STRING: 2027-1-9,3:0:0.0,+1:0', '+01:00'],
    ['snmp', '2027-1-9,7:30:0.0,+5:30', '+05:30'],
    ['snmp', '.1.3.6.1.2.1.25.1.2.0 = Hex-STRING: 07 EB 01 09 03 00 00 00 2D 05 00 ', '-05:00'],
    ['date', 'CET+0100', '+01:00'],
    ['date', 'UTC-0000', '+00:00'],
    ['date', '+03+0300', '+03:00'],
  ] as const)('is only an offset from %s: %j', (method, value, offset) => {
    expect(detect({ [method]: value }).best).toEqual({ method, kind: 'offset', offset });
  });

  test.each([
    ['timedatectl', 'n/a'],
    ['localtime-link', '/etc/my-zone'],
    ['etc-timezone', 'EST'],
    ['etc-timezone', '+01:00'],
    ['snmp', '2027-1-9,3:0:0.0'],
    ['snmp', 'Hex-STRING: 07 EB 01 09 03 00 00 00'],
    ['snmp', 'No Such Object available on this agent at this OID'],
    ['date', 'CET+9900'],
  ] as const)('is not read from %s: %j', (method, value) => {
    const { best, answers } = detect({ [method]: value });
    expect(best).toBeUndefined();
    expect(answers).toMatchObject([{ method, kind: 'unreadable' }]);
  });

  test('is the first zone in the order of methods, while offsets are kept beside it', () => {
    const { best, answers, disagreements } = detect({
      date: 'CET+0100',
      'localtime-link': '/usr/share/zoneinfo/Europe/Berlin',
      'etc-timezone': 'Europe/Berlin',
      snmp: '2027-1-9,3:0:0.0,+1:0',
    });
    expect(best).toEqual({ method: 'etc-timezone', kind: 'zone', zone: 'Europe/Berlin' });
    expect(answers.map(({ method }) => method)).toEqual(['snmp', 'etc-timezone', 'localtime-link', 'date']);
    expect(disagreements).toEqual([]);
  });

  test('is never guessed from an offset, even if all offsets agree', () => {
    expect(detect({ snmp: '2027-1-9,3:0:0.0,+1:0', date: 'CET+0100' }).best).toMatchObject({
      kind: 'offset',
    });
  });

  test('contradictions of the server are told', () => {
    const { disagreements } = detect({
      timedatectl: 'Europe/Berlin',
      'etc-timezone': 'Europe/Paris',
      date: 'EST-0500',
    });
    expect(disagreements).toEqual([
      'timedatectl says Europe/Berlin, etc-timezone says Europe/Paris',
      'timedatectl says Europe/Berlin, date says -05:00',
    ]);
  });

  test('an offset is judged by the season', () => {
    const july = '2027-07-09T02:00:00.000Z';
    expect(detect({ timedatectl: 'Europe/Berlin', date: 'CEST+0200' }, july).disagreements).toEqual([]);
    expect(detect({ timedatectl: 'Europe/Berlin', date: 'CET+0100' }, july).disagreements).toHaveLength(1);
  });

  test('nothing that a server prints makes it throw', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...zoneMethods),
        fc.string({ unit: 'binary', maxLength: 300 }),
        (method, value) => {
          expect(detect({ [method]: value }).answers).toHaveLength(1);
        },
      ),
    );
  });
});

describe('compared with what is recorded', () => {
  test.each([
    [{ timedatectl: 'Europe/Berlin' }, 'Europe/Berlin', 'same'],
    [{ timedatectl: 'Europe/Paris' }, 'Europe/Berlin', 'differs'],
    [{ date: 'CET+0100' }, 'Europe/Berlin', 'possible'],
    [{ date: 'EST-0500' }, 'Europe/Berlin', 'differs'],
    [{}, 'Europe/Berlin', 'unknown'],
  ] as const)('%j against %s: %s', (readings, recorded, verdict) => {
    const comparison = compareZone(recorded, detect(readings), at);
    expect(comparison.verdict).toBe(verdict);
    expect(comparison.words).toContain(recorded);
  });
});
