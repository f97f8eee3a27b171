/** Owns what the clocks of a zone show: offsets and the moments at which they change, kept once they were asked for. */
import { IANAZone } from 'luxon';
import { dayMillis, minuteMillis } from './civil-day.ts';

/** A moment at which the clocks of a zone are set. Offsets are milliseconds ahead of UTC. */
interface ClockChange {
  /** Epoch milliseconds of the first moment with the new offset. */
  readonly at: number;
  readonly before: number;
  readonly after: number;
}

export interface ZoneClock {
  readonly zone: string;
  /** Milliseconds ahead of UTC. */
  offsetAt(millis: number): number;
  /** In order, from `from` to before `to`. */
  changesBetween(from: number, to: number): ClockChange[];
}

/**
 * A plan of 100,000 servers asks for offsets of a few hundred days only, so the zone is asked at each midnight of UTC
 * once, and searched where two midnights differ. Two changes within one day of UTC would go unseen; the time zone
 * database has none since 1970.
 *
 * @param zone IANA name
 */
export function createZoneClock(zone: string): ZoneClock {
  const source = IANAZone.create(zone);
  if (!source.isValid) throw new Error(`no time zone ${zone}: write it like Europe/Berlin`);
  const midnights = new Map<number, number>();
  const changes = new Map<number, ClockChange>();

  const ask = (millis: number) => source.offset(millis) * minuteMillis;
  const midnight = (day: number) => {
    let offset = midnights.get(day);
    if (offset === undefined) {
      offset = ask(day * dayMillis);
      midnights.set(day, offset);
    }
    return offset;
  };
  const changeOf = (day: number): ClockChange | undefined => {
    const before = midnight(day);
    const after = midnight(day + 1);
    if (before === after) return undefined;
    const known = changes.get(day);
    if (known) return known;
    let [low, high] = [day * dayMillis, (day + 1) * dayMillis];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (ask(middle) === before) low = middle;
      else high = middle;
    }
    const change = { at: high, before, after };
    changes.set(day, change);
    return change;
  };

  return {
    zone,
    offsetAt(millis) {
      const day = Math.floor(millis / dayMillis);
      const change = changeOf(day);
      if (change === undefined) return midnight(day);
      return millis < change.at ? change.before : change.after;
    },
    changesBetween(from, to) {
      const found: ClockChange[] = [];
      for (let day = Math.floor(from / dayMillis); day * dayMillis < to; day++) {
        const change = changeOf(day);
        if (change && change.at >= from && change.at < to) found.push(change);
      }
      return found;
    },
  };
}

/** One clock for each zone, however often it is asked for. */
export function createZoneClocks(): (zone: string) => ZoneClock {
  const clocks = new Map<string, ZoneClock>();
  return (zone) => {
    let clock = clocks.get(zone);
    if (clock === undefined) {
      clock = createZoneClock(zone);
      clocks.set(zone, clock);
    }
    return clock;
  };
}
