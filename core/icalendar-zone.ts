/** Owns VTIMEZONE: a zone's clocks as calendars are told them, from the changes that the zone really makes. */
import { IANAZone } from 'luxon';
import { type Instant, instantOf, millisOf } from './instant.ts';

interface Transition {
  /** Milliseconds since 1970 at which the clocks change. */
  readonly at: number;
  /** Minutes ahead of UTC. */
  readonly from: number;
  readonly to: number;
}

const day = 86_400_000;
const year = 366 * day;
const minute = 60_000;
/** No zone keeps a change for less: the shortest, for Ramadan, last four weeks. */
const step = 7 * day;

export interface CalendarZone {
  /** The VTIMEZONE, unfolded. */
  readonly lines: readonly string[];
  /** A moment on the clock of the zone, `;TZID=Europe/Berlin:20270109T020000`, ready to follow a property's name. */
  readonly timeOf: (instant: Instant) => string;
}

/**
 * What calendars need for moments from `from` to `to`: each change of the clocks is written down as it is, since rules
 * that repeat would promise what no government has.
 *
 * @param zone IANA name
 */
export function calendarZone(zone: string, from: Instant, to: Instant): CalendarZone {
  const offset = offsetIn(zone);
  const changes = transitions(offset, millisOf(from) - year, millisOf(to) + day);
  const first = changes[0]?.from ?? offset(millisOf(from));
  const usual = Math.min(first, ...changes.map((change) => change.to));
  // Servers share windows: each moment is worked out once.
  const known = new Map<Instant, string>();
  return {
    lines: [
      'BEGIN:VTIMEZONE',
      `TZID:${zone}`,
      ...observance('19700101T000000', first, first, usual),
      // The clock that is about to change shows the moment at which it does.
      ...changes.flatMap((change) =>
        observance(localText(change.at, change.from), change.from, change.to, usual),
      ),
      'END:VTIMEZONE',
    ],
    timeOf(instant) {
      let text = known.get(instant);
      if (text === undefined) {
        text = timeText(zone, instant, changes, first);
        known.set(instant, text);
      }
      return text;
    },
  };
}

function timeText(zone: string, instant: Instant, changes: readonly Transition[], first: number): string {
  const millis = millisOf(instant);
  // An hour that comes twice is its first to RFC 5545 and its second to some calendars: UTC leaves no doubt.
  const isTwice = changes.some((change) => {
    const span = (change.from - change.to) * minute;
    return millis >= change.at - span && millis < change.at + span;
  });
  if (isTwice) return `:${utcText(instant)}`;
  const last = changes.findLast(({ at }) => at <= millis);
  return `;TZID=${zone}:${localText(millis, last?.to ?? first)}`;
}

/** @returns `20270109T020000Z` */
export function utcText(instant: Instant): string {
  return `${localText(millisOf(instant), 0)}Z`;
}

function localText(millis: number, offset: number): string {
  return instantOf(millis + offset * minute)
    .slice(0, 19)
    .replaceAll(/[-:]/g, '');
}

function observance(start: string, from: number, to: number, usual: number): string[] {
  const kind = to > usual ? 'DAYLIGHT' : 'STANDARD';
  return [
    `BEGIN:${kind}`,
    `DTSTART:${start}`,
    `TZOFFSETFROM:${offsetText(from)}`,
    `TZOFFSETTO:${offsetText(to)}`,
    // As tzdata names what has no name of its own; what ICU calls it differs between releases.
    `TZNAME:${offsetText(to)}`,
    `END:${kind}`,
  ];
}

function offsetText(minutes: number): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}${two(size % 60)}`;
}

function transitions(offset: (millis: number) => number, from: number, to: number): Transition[] {
  const found: Transition[] = [];
  for (let start = from; start < to; start += step) {
    const next = Math.min(start + step, to);
    if (offset(start) !== offset(next)) found.push(changeBetween(offset, start, next));
  }
  return found;
}

/** Minutes ahead of UTC at a moment. */
function offsetIn(zone: string): (millis: number) => number {
  const clocks = IANAZone.create(zone);
  if (!clocks.isValid) throw new Error(`no clocks for ${zone}: write an IANA name that this Node knows`);
  return (millis) => Math.round(clocks.offset(millis));
}

function changeBetween(offset: (millis: number) => number, start: number, end: number): Transition {
  let [before, after] = [Math.floor(start / 1000), Math.ceil(end / 1000)];
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (offset(middle * 1000) === offset(start)) before = middle;
    else after = middle;
  }
  return { at: after * 1000, from: offset(start), to: offset(after * 1000) };
}
