/** Owns what servers say of their time zone: which of their answers counts, and how it compares with what is recorded. */
import { IANAZone } from 'luxon';
import * as z from 'zod';
import { type Instant, instantSchema, millisOf } from '../instant.ts';
import { readZone } from '../time-zone.ts';

/** In the order in which they are asked and believed. */
export const zoneMethods = ['snmp', 'timedatectl', 'etc-timezone', 'localtime-link', 'date'] as const;
export type ZoneMethod = (typeof zoneMethods)[number];

/** What the detection prints on a server: what each method answered, word for word; a method that could not is left out. */
export const zoneReportSchema = z.object({
  schema: z.literal(1),
  /** Of the control plane: an offset says nothing without the moment at which it held. */
  at: instantSchema,
  readings: z
    .array(z.object({ method: z.enum(zoneMethods), value: z.string().max(300) }))
    .max(zoneMethods.length),
});
export type ZoneReport = z.infer<typeof zoneReportSchema>;

/** `possible`: an offset that the recorded zone has, as others have. */
export const zoneVerdicts = ['same', 'possible', 'differs', 'unknown'] as const;
type ZoneVerdict = (typeof zoneVerdicts)[number];

type ZoneAnswer = { readonly method: ZoneMethod } & (
  | { readonly kind: 'zone'; readonly zone: string }
  /** `+01:00`: many zones have it, so it is never taken for one. */
  | { readonly kind: 'offset'; readonly offset: string }
  | { readonly kind: 'unreadable'; readonly problem: string }
);

export interface DetectedZone {
  /** The first answer that names a zone, else the first offset; absent when nothing could be read. */
  readonly best?: Exclude<ZoneAnswer, { kind: 'unreadable' }>;
  readonly answers: readonly ZoneAnswer[];
  /** Where the server contradicts itself, in words. */
  readonly disagreements: readonly string[];
}

export function detectZone(report: ZoneReport): DetectedZone {
  const answers = report.readings
    .toSorted((a, b) => zoneMethods.indexOf(a.method) - zoneMethods.indexOf(b.method))
    .map(({ method, value }): ZoneAnswer => ({ method, ...read(method, value.trim()) }));
  const readable = answers.filter((answer) => answer.kind !== 'unreadable');
  const best = readable.find(({ kind }) => kind === 'zone') ?? readable[0];
  const disagreements = readable.flatMap((answer) => {
    if (best === undefined || answer === best || !contradicts(best, answer, report.at)) return [];
    return [`${best.method} says ${valueOfAnswer(best)}, ${answer.method} says ${valueOfAnswer(answer)}`];
  });
  return { ...(best && { best }), answers, disagreements };
}

/**
 * How a server's own zone compares with the recorded one. Nothing follows from it by itself: a person decides which is
 * right.
 *
 * @param recorded canonical IANA name
 */
export function compareZone(
  recorded: string,
  { best }: Pick<DetectedZone, 'best'>,
  at: Instant,
): { readonly verdict: ZoneVerdict; readonly words: string } {
  if (best === undefined)
    return { verdict: 'unknown', words: `the server does not say its time zone; recorded is ${recorded}` };
  const says = `the server says ${valueOfAnswer(best)} (${best.method}), recorded is ${recorded}`;
  if (best.kind === 'zone') {
    return best.zone === recorded ? { verdict: 'same', words: says } : { verdict: 'differs', words: says };
  }
  const offset = offsetAt(recorded, at);
  return offset === best.offset
    ? { verdict: 'possible', words: `${says}, which has that offset now, as other zones have` }
    : { verdict: 'differs', words: `${says}, which has ${offset} now` };
}

type Read =
  | { kind: 'zone'; zone: string }
  | { kind: 'offset'; offset: string }
  | { kind: 'unreadable'; problem: string };

function read(method: ZoneMethod, value: string): Read {
  switch (method) {
    case 'snmp':
      return offsetOfDateAndTime(value);
    case 'date':
      return offsetOfText(value, /([+-])(\d\d)(\d\d)$/.exec(value));
    case 'timedatectl':
      // `timedatectl show -p Timezone --value`, or the line of older ones: `Time zone: Europe/Berlin (CET, +0100)`.
      return zoneOfText(value.replace(/^.*Time ?zone[:=]\s*/i, '').replace(/\s*\(.*$/, ''));
    case 'etc-timezone':
      return zoneOfText(value);
    case 'localtime-link':
      return zoneOfText(value.replace(/^.*zoneinfo\/(posix\/|right\/)?/, ''));
  }
}

function zoneOfText(text: string): Read {
  const reading = readZone(text);
  return 'zone' in reading
    ? { kind: 'zone', zone: reading.zone }
    : { kind: 'unreadable', problem: reading.problem };
}

/** DateAndTime of SNMPv2-TC (RFC 2579): `2027-1-9,2:30:0.0,+1:0`, or its octets in hex, of which 8 have no offset. */
function offsetOfDateAndTime(text: string): Read {
  const octets = /(?:^|Hex-STRING:\s*)((?:[0-9a-f]{2}\s+){10}[0-9a-f]{2})$/i.exec(text)?.[1]?.split(/\s+/);
  if (octets) {
    const [sign, hours, minutes] = octets.slice(8).map((octet) => Number.parseInt(octet, 16));
    const plain = `${String.fromCharCode(sign as number)}${two(hours as number)}${two(minutes as number)}`;
    return offsetOfText(text, /^([+-])(\d\d)(\d\d)$/.exec(plain));
  }
  return offsetOfText(text, /,([+-])(\d{1,2}):(\d{1,2})$/.exec(text));
}

function offsetOfText(text: string, match: RegExpExecArray | null): Read {
  const [, sign, hours, minutes] = match ?? [];
  if (sign === undefined || Number(hours) > 14 || Number(minutes) > 59) {
    return { kind: 'unreadable', problem: `${JSON.stringify(text)} has no offset from UTC` };
  }
  return { kind: 'offset', offset: offsetText(sign, Number(hours), Number(minutes)) };
}

function contradicts(best: ZoneAnswer, other: ZoneAnswer, at: Instant): boolean {
  if (other.kind === 'zone') return best.kind !== 'zone' || best.zone !== other.zone;
  if (other.kind !== 'offset') return false;
  return other.offset !== (best.kind === 'zone' ? offsetAt(best.zone, at) : valueOfAnswer(best));
}

function valueOfAnswer(answer: ZoneAnswer): string {
  return answer.kind === 'zone' ? answer.zone : answer.kind === 'offset' ? answer.offset : answer.problem;
}

function offsetAt(zone: string, at: Instant): string {
  const minutes = IANAZone.create(zone).offset(millisOf(at));
  const size = Math.abs(minutes);
  return offsetText(minutes < 0 ? '-' : '+', Math.floor(size / 60), size % 60);
}

function offsetText(sign: string, hours: number, minutes: number): string {
  return `${hours === 0 && minutes === 0 ? '+' : sign}${two(hours)}:${two(minutes)}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
