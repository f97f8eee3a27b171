import * as fc from 'fast-check';
import ICAL from 'ical.js';
import { DateTime } from 'luxon';
import { describe, expect, test } from 'vitest';
import { type CalendarEvent, icalendar } from '../../core/icalendar.ts';

const event = (over: Partial<CalendarEvent> = {}): CalendarEvent => ({
  uid: 'a1@quarterdeck',
  sequence: 0,
  changed: '2026-11-21T05:00:00.000Z',
  cancelled: false,
  start: '2027-01-09T01:00:00.000Z',
  end: '2027-01-09T03:00:00.000Z',
  zone: 'Europe/Berlin',
  summary: 'Patching of web-01',
  description: 'first Saturday of the quarter',
  categories: ['production'],
  ...over,
});

/** What another implementation reads, with the zones of the text itself and no others. */
function readBack(text: string) {
  const calendar = new ICAL.Component(ICAL.parse(text));
  return calendar.getAllSubcomponents('vevent').map((component) => {
    const [start, end] = ['dtstart', 'dtend'].map((name) => {
      const time = component.getFirstPropertyValue(name) as ICAL.Time;
      const id = component.getFirstProperty(name)?.getParameter('tzid');
      const zones = calendar.getAllSubcomponents('vtimezone');
      const zone = zones.find((candidate) => candidate.getFirstPropertyValue('tzid') === id);
      if (id !== undefined && zone === undefined) throw new Error(`no VTIMEZONE for ${String(id)}`);
      if (zone) time.zone = new ICAL.Timezone(zone);
      return new Date(time.toUnixTime() * 1000).toISOString();
    });
    const text = (name: string) => component.getFirstPropertyValue(name) as string | null;
    return {
      start,
      end,
      uid: text('uid'),
      status: text('status'),
      summary: text('summary'),
      description: text('description'),
      categories: component.getFirstProperty('categories')?.getValues(),
    };
  });
}

describe('a calendar', () => {
  test('is the text that RFC 5545 asks for', () => {
    expect(icalendar('Patching, all', [event()])).toBe(
      [
        'BEGIN:VCALENDAR',
        'VERSION:2.0',
        'PRODID:-//Quarterdeck//Patch calendar//EN',
        'CALSCALE:GREGORIAN',
        'METHOD:PUBLISH',
        'NAME:Patching\\, all',
        'X-WR-CALNAME:Patching\\, all',
        'REFRESH-INTERVAL;VALUE=DURATION:PT1H',
        'X-PUBLISHED-TTL:PT1H',
        'BEGIN:VTIMEZONE',
        'TZID:Europe/Berlin',
        'BEGIN:STANDARD',
        'DTSTART:19700101T000000',
        'TZOFFSETFROM:+0100',
        'TZOFFSETTO:+0100',
        'TZNAME:+0100',
        'END:STANDARD',
        'BEGIN:DAYLIGHT',
        'DTSTART:20260329T020000',
        'TZOFFSETFROM:+0100',
        'TZOFFSETTO:+0200',
        'TZNAME:+0200',
        'END:DAYLIGHT',
        'BEGIN:STANDARD',
        'DTSTART:20261025T030000',
        'TZOFFSETFROM:+0200',
        'TZOFFSETTO:+0100',
        'TZNAME:+0100',
        'END:STANDARD',
        'END:VTIMEZONE',
        'BEGIN:VEVENT',
        'UID:a1@quarterdeck',
        'DTSTAMP:20261121T050000Z',
        'LAST-MODIFIED:20261121T050000Z',
        'SEQUENCE:0',
        'DTSTART;TZID=Europe/Berlin:20270109T020000',
        'DTEND;TZID=Europe/Berlin:20270109T040000',
        'STATUS:CONFIRMED',
        'TRANSP:TRANSPARENT',
        'SUMMARY:Patching of web-01',
        'DESCRIPTION:first Saturday of the quarter',
        'CATEGORIES:production',
        'END:VEVENT',
        'END:VCALENDAR',
        '',
      ].join('\r\n'),
    );
  });

  test('a window that is called off is sent as cancelled', () => {
    const text = icalendar('x', [event({ cancelled: true, sequence: 2 })]);
    expect(text).toContain('\r\nSTATUS:CANCELLED\r\n');
    expect(text).toContain('\r\nSEQUENCE:2\r\n');
  });

  test('UTC needs no zone', () => {
    const text = icalendar('x', [event({ zone: 'UTC' })]);
    expect(text).not.toContain('VTIMEZONE');
    expect(text).toContain('DTSTART:20270109T010000Z');
  });

  test('an hour that comes twice is written in UTC, since calendars differ in which they take', () => {
    // Berlin puts its clocks back at 01:00 UTC on 31 October 2027.
    const text = icalendar('x', [
      event({ start: '2027-10-31T00:30:00.000Z', end: '2027-10-31T01:30:00.000Z' }),
    ]);
    expect(text).toContain('DTSTART:20271031T003000Z');
    expect(text).toContain('DTEND:20271031T013000Z');
    expect(readBack(text)).toMatchObject([
      { start: '2027-10-31T00:30:00.000Z', end: '2027-10-31T01:30:00.000Z' },
    ]);
    const beside = icalendar('x', [
      event({ start: '2027-10-30T23:59:00.000Z', end: '2027-10-31T02:00:00.000Z' }),
    ]);
    expect(beside).toContain('DTSTART;TZID=Europe/Berlin:20271031T015900');
    expect(beside).toContain('DTEND;TZID=Europe/Berlin:20271031T030000');
    const edges = icalendar('x', [
      event({ start: '2027-10-31T00:00:00.000Z', end: '2027-10-31T01:59:59.999Z' }),
    ]);
    expect(edges).toContain('DTSTART:20271031T000000Z');
    expect(edges).toContain('DTEND:20271031T015959Z');
  });

  test.each([
    ['America/New_York', '2027-03-14T06:30:00.000Z'],
    ['America/New_York', '2027-03-14T07:00:00.000Z'],
    ['America/New_York', '2027-11-07T06:15:00.000Z'],
    ['Australia/Lord_Howe', '2027-04-03T15:10:00.000Z'],
    ['Australia/Lord_Howe', '2027-10-02T15:30:00.000Z'],
    ['Asia/Kathmandu', '2027-05-01T00:00:00.000Z'],
    ['Pacific/Kiritimati', '2027-05-01T00:00:00.000Z'],
    ['Pacific/Apia', '2011-12-30T10:30:00.000Z'],
    ['Africa/Casablanca', '2026-03-01T02:30:00.000Z'],
    ['Europe/Dublin', '2027-07-01T02:00:00.000Z'],
    ['America/Sao_Paulo', '2027-01-10T03:00:00.000Z'],
  ])('another implementation finds the moment in %s at %s', (zone, start) => {
    const end = DateTime.fromISO(start, { zone: 'utc' }).plus({ hours: 2 }).toJSDate().toISOString();
    expect(readBack(icalendar('x', [event({ zone, start, end })]))).toMatchObject([{ start, end }]);
  });

  test('another implementation finds every moment of every zone', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            zone: fc.constantFrom(...Intl.supportedValuesOf('timeZone')),
            minute: fc.integer({ min: 0, max: 3 * 366 * 1440 }),
            minutes: fc.integer({ min: 1, max: 3000 }),
          }),
          { minLength: 1, maxLength: 4 },
        ),
        (moments) => {
          const at = (minute: number) => new Date(Date.UTC(2026, 0, 1) + minute * 60_000).toISOString();
          const events = moments.map(({ zone, minute, minutes }, index) =>
            event({ uid: `${index}`, zone, start: at(minute), end: at(minute + minutes) }),
          );
          const found = readBack(icalendar('x', events)).map(({ start, end }) => ({ start, end }));
          expect(found).toEqual(events.map(({ start, end }) => ({ start, end })));
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('hostile text', () => {
  test.each([
    'a\r\nEND:VEVENT\r\nBEGIN:VEVENT',
    'x\nATTACH:file:///etc/passwd',
    'semi;colon, comma\\ back\\n slash',
    '\u2028END:VCALENDAR\u0085',
    '\u0000\u0007\u001b[31m',
    '\ud800 half a character',
    '👩‍👩‍👧‍👦'.repeat(40),
    ':;TZID=x',
  ])('%j stays within its property', (text) => {
    const feed = icalendar(text, [event({ summary: text, description: text, categories: [text] }), event()]);
    const names = feed
      .replaceAll('\r\n ', '')
      .split('\r\n')
      .map((line) => line.split(/[:;]/)[0]);
    expect(names).toEqual(
      icalendar('x', [event(), event()])
        .split('\r\n')
        .map((line) => line.split(/[:;]/)[0]),
    );
  });

  test.each(['a', 'é', '€', '👩'])('lines of %s fold at 75 octets and come back whole', (letter) => {
    const summary = letter.repeat(200);
    const feed = icalendar('x', [event({ summary })]);
    const sizes = feed.split('\r\n').map((line) => Buffer.byteLength(line));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(75);
    expect(Math.max(...sizes)).toBeGreaterThan(75 - Buffer.byteLength(letter));
    expect(readBack(feed)).toMatchObject([{ summary }]);
  });

  test('a category of which nothing is left is none', () => {
    expect(readBack(icalendar('x', [event({ categories: ['a', '\u0000', '\u0085', 'b'] })]))).toMatchObject([
      { categories: ['a', 'b'] },
    ]);
  });

  test('any text comes out of another implementation as it went in, and lines stay short', () => {
    const text = fc
      .string({ unit: 'binary', maxLength: 300 })
      .map((any) => any.replaceAll(/[a-m]/g, (c) => '\r\n\\;,:" n\u2028\t'.charAt(c.charCodeAt(0) - 97)));
    // The other one takes a comma after an escaped backslash for an escaped comma, which RFC 5545 (3.3.11) does not.
    const category = text.map((any) => (plain(any).endsWith('\\') ? `${any}.` : any));
    fc.assert(
      fc.property(text, text, fc.array(category, { maxLength: 3 }), (summary, description, categories) => {
        const feed = icalendar(summary, [event({ summary, description, categories })]);
        for (const line of feed.split('\r\n')) {
          expect(Buffer.byteLength(line)).toBeLessThanOrEqual(75);
          expect(line).not.toMatch(/(?!\t)\p{Cc}/u);
        }
        const [read] = readBack(feed);
        expect(readBack(feed)).toHaveLength(1);
        expect(read?.summary ?? '').toBe(plain(summary));
        expect(read?.description ?? '').toBe(plain(description));
        expect(read?.categories ?? []).toEqual(categories.map(plain).filter((each) => each.trim() !== ''));
      }),
      { numRuns: 200 },
    );
  });
});

/** What is left of a text when its line ends are one kind and what no calendar may hold is gone. */
function plain(text: string): string {
  return text
    .replaceAll(/\r\n?|[\u0085\u2028\u2029]/g, '\n')
    .replaceAll(/(?![\n\t])\p{Cc}/gu, '')
    .replaceAll(/\p{Surrogate}/gu, '\uFFFD');
}
