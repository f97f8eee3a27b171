import { describe, expect, test } from 'vitest';
import { dayOfSerial, readDate, readTime } from '../../../core/inventory/patch-date.ts';

describe('a date of a server list', () => {
  test.each([
    ['2027-01-09', { date: '2027-01-09' }],
    ['2027/1/9', { date: '2027-01-09' }],
    ['2027-01-09 00:00:00', { date: '2027-01-09' }],
    ['2027-01-09T02:30', { date: '2027-01-09', time: '02:30' }],
    ['46396', { date: '2027-01-09' }],
    ['46396.0', { date: '2027-01-09' }],
    ['46396.104166667', { date: '2027-01-09', time: '02:30' }],
    ['25/03/2027', { date: '2027-03-25' }],
    ['25/03/2027 02:30', { date: '2027-03-25', time: '02:30' }],
    ['3/25/2027 2:30:00 PM', { date: '2027-03-25', time: '14:30' }],
    ['03/25/2027', { date: '2027-03-25' }],
    ['25.03.2027', { date: '2027-03-25' }],
    ['5/5/2027', { date: '2027-05-05' }],
    ['9 Jan 2027', { date: '2027-01-09' }],
    ['09-Jan-2027', { date: '2027-01-09' }],
    ['January 9, 2027', { date: '2027-01-09' }],
    ['29 February 2028', { date: '2028-02-29' }],
  ])('%j is read', (text, reading) => {
    expect(readDate(text)).toEqual(reading);
  });

  test.each(['03/07/2027', '3-7-2027', '03.07.2027', '12/11/2027', '03/07/2027 02:00'])(
    '%j can be read in two ways',
    (text) => {
      expect(readDate(text)).toHaveProperty('problem', expect.stringContaining('in two ways'));
    },
  );

  test('of an ambiguous date both readings are offered', () => {
    expect(readDate('03/07/2027')).toEqual({
      problem: '"03/07/2027" can be read in two ways: write 2027-07-03 or 2027-03-07',
    });
  });

  test.each([
    '2027-02-29',
    '2027-13-01',
    '31/02/2027',
    '13/13/2027',
    '03/07/27',
    '25/03/27',
    '2027',
    '9',
    '20270109',
    '60',
    '0',
    '-46396',
    '46396.5003',
    '1999-12-31',
    '2100-01-01',
    '2027-01-09T02:30Z',
    '2027-01-09 02:30+01:00',
    '2027-01-09 25:00',
    'Juneteenth 9, 2027',
    '9 Foo 2027',
    'TBD',
    'N/A',
    '=DATE(2027;1;9)',
    '٢٠٢٧-٠١-٠٩',
  ])('%j is refused', (text) => {
    expect(readDate(text)).toHaveProperty('problem', expect.stringMatching(/: (write|dates|windows)/));
  });

  test('a day of Excel is that of its 1900 system, with the day that never was', () => {
    expect([1, 59, 60, 61, 36526, 45658, 2_958_465, 2_958_466].map(dayOfSerial)).toEqual([
      '1900-01-01',
      '1900-02-28',
      undefined,
      '1900-03-01',
      '2000-01-01',
      '2025-01-01',
      '9999-12-31',
      undefined,
    ]);
  });
});

describe('a time of a server list', () => {
  test.each([
    ['02:00', '02:00'],
    ['2:05', '02:05'],
    ['23:59:00', '23:59'],
    ['2:30 AM', '02:30'],
    ['2:30pm', '14:30'],
    ['2 p.m.', '14:00'],
    ['12:00 AM', '00:00'],
    ['12:15 am', '00:15'],
    ['12:30 PM', '12:30'],
    ['12 pm', '12:00'],
    ['0.104166667', '02:30'],
    ['0.0833', '02:00'],
    ['.5', '12:00'],
    ['0', '00:00'],
  ])('%j is %s', (text, time) => {
    expect(readTime(text)).toEqual({ time });
  });

  test.each([
    '24:00',
    '14:30 PM',
    '0:30 AM',
    '13 am',
    '0230',
    '230',
    '2',
    '2.5',
    '1',
    '02:60',
    '02:30:15',
    '0.1045',
    '0.99999',
    'midnight',
    '2:30 XM',
  ])('%j is refused', (text) => {
    expect(readTime(text)).toHaveProperty('problem', expect.stringMatching(/:/));
  });
});
