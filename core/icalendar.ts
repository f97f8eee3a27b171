/** Owns iCalendar (RFC 5545): windows become the text that calendars subscribe to. */
import { type CalendarZone, calendarZone, utcText } from './icalendar-zone.ts';
import { type Instant, isBefore } from './instant.ts';

export interface CalendarEvent {
  /** The same for as long as the event lives, wherever it moves. */
  readonly uid: string;
  /** Grows whenever time or status change, so that calendars take the later word. */
  readonly sequence: number;
  /** When it was last changed. */
  readonly changed: Instant;
  readonly cancelled: boolean;
  readonly start: Instant;
  /** Exclusive. */
  readonly end: Instant;
  /** IANA name. */
  readonly zone: string;
  readonly summary: string;
  readonly description: string;
  readonly categories: readonly string[];
}

const longestLine = 75;

/** By IANA name. */
export type CalendarZones = ReadonlyMap<string, CalendarZone>;

/** What calendars must be told of zones, once for all feeds that are made of these events. */
export function calendarZones(
  events: Iterable<Pick<CalendarEvent, 'zone' | 'start' | 'end'>>,
): CalendarZones {
  const spans = new Map<string, { readonly from: Instant; readonly to: Instant }>();
  for (const { zone, start, end } of events) {
    const { from, to } = spans.get(zone) ?? { from: start, to: end };
    spans.set(zone, { from: isBefore(start, from) ? start : from, to: isBefore(to, end) ? end : to });
  }
  // UTC needs no description: its moments end in Z.
  spans.delete('UTC');
  return new Map([...spans].map(([zone, { from, to }]) => [zone, calendarZone(zone, from, to)]));
}

/**
 * @param name what calendars call the feed
 * @param known zones of these events and perhaps of others
 */
export function icalendar(
  name: string,
  events: readonly CalendarEvent[],
  known: CalendarZones = calendarZones(events),
): string {
  const used = new Set(events.map(({ zone }) => zone));
  const zones = new Map([...known].filter(([zone]) => used.has(zone)));
  const lines = [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//Quarterdeck//Patch calendar//EN',
    'CALSCALE:GREGORIAN',
    'METHOD:PUBLISH',
    `NAME:${escaped(name)}`,
    // For calendars that do not know RFC 7986.
    `X-WR-CALNAME:${escaped(name)}`,
    'REFRESH-INTERVAL;VALUE=DURATION:PT1H',
    'X-PUBLISHED-TTL:PT1H',
    ...[...zones.values()].flatMap((zone) => zone.lines),
    ...events.flatMap((event) => vevent(event, zones.get(event.zone))),
    'END:VCALENDAR',
  ];
  return lines.map((line) => `${folded(line)}\r\n`).join('');
}

function vevent(event: CalendarEvent, zone: CalendarZone | undefined): string[] {
  const timeOf = zone?.timeOf ?? ((instant: Instant) => `:${utcText(instant)}`);
  const categories = event.categories.filter((category) => kept(category).trim() !== '');
  return [
    'BEGIN:VEVENT',
    `UID:${escaped(event.uid)}`,
    // With METHOD this is when the event was written, and it was written when it was changed.
    `DTSTAMP:${utcText(event.changed)}`,
    `LAST-MODIFIED:${utcText(event.changed)}`,
    `SEQUENCE:${event.sequence}`,
    `DTSTART${timeOf(event.start)}`,
    `DTEND${timeOf(event.end)}`,
    `STATUS:${event.cancelled ? 'CANCELLED' : 'CONFIRMED'}`,
    // The server is busy then, the person who reads the calendar is not.
    'TRANSP:TRANSPARENT',
    `SUMMARY:${escaped(event.summary)}`,
    ...(event.description === '' ? [] : [`DESCRIPTION:${escaped(event.description)}`]),
    ...(categories.length === 0 ? [] : [`CATEGORIES:${categories.map(escaped).join(',')}`]),
    'END:VEVENT',
  ];
}

/** A TEXT value: what would end it is escaped, what no calendar may hold is dropped. */
function escaped(text: string): string {
  if (/^[ !-+\-./0-:<-[\]-~]*$/.test(text)) return text;
  return kept(text)
    .replaceAll(/[\\;,]/g, (character) => `\\${character}`)
    .replaceAll('\n', '\\n');
}

/** What a calendar may hold of a text. */
function kept(text: string): string {
  if (/^[ -~]*$/.test(text)) return text;
  return text
    .replaceAll(/\r\n?|[\u0085\u2028\u2029]/g, '\n')
    .replaceAll(/(?![\n\t])\p{Cc}/gu, '')
    .replaceAll(/\p{Surrogate}/gu, '\uFFFD');
}

/** Cut into lines of at most 75 octets, each but the first after a space, and never within a character. */
function folded(line: string): string {
  if (line.length * 3 <= longestLine) return line;
  if (/^[\x20-\x7e]*$/.test(line)) return foldedAscii(line);
  let text = '';
  let octets = 0;
  for (const character of line) {
    const size = Buffer.byteLength(character);
    if (octets + size > longestLine) {
      text += '\r\n ';
      octets = 1;
    }
    text += character;
    octets += size;
  }
  return text;
}

function foldedAscii(line: string): string {
  if (line.length <= longestLine) return line;
  let text = line.slice(0, longestLine);
  for (let at = longestLine; at < line.length; at += longestLine - 1) {
    text += `\r\n ${line.slice(at, at + longestLine - 1)}`;
  }
  return text;
}
