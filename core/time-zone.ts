/** Owns the names of time zones: whatever people, servers and Windows call a zone becomes the one name we keep. */
import { nearMatches } from './near-match.ts';
import { windowsZoneNames, zoneNames } from './zone-names.ts';

export type ZoneReading =
  | { readonly zone: string }
  /** `problem` says what is wrong with the text, and what to write instead. */
  | { readonly problem: string; readonly near: readonly string[] };

/** Letters in any case, and underscores for spaces, are one name to people. */
const spelling = (text: string) =>
  text
    .trim()
    .toLowerCase()
    .replaceAll(/[\s_]+/g, '_');

const lines = (table: string) => table.trim().split('\n');
const zones = lines(zoneNames).map((line) => line.split(' '));
const zoneOf = new Map<string, string>([
  ...zones.flatMap(([canonical = '', ...aliases]) =>
    [canonical, ...aliases].map((name): [string, string] => [spelling(name), canonical]),
  ),
  ...lines(windowsZoneNames).map((line): [string, string] => {
    const [name = '', canonical = ''] = line.split(': ');
    return [spelling(name), canonical];
  }),
]);
const spellings = [...zoneOf.keys()];

const longestName = Math.max(...spellings.map((name) => name.length));

/**
 * IANA keeps these names as fixed offsets in places that few have in mind: EST is Panama, which never moves its clocks.
 * People write them for zones that do, and would be patched an hour off for half of the year.
 */
const meantOtherwise: Readonly<Record<string, readonly string[]>> = {
  est: ['America/New_York', 'America/Panama'],
  mst: ['America/Denver', 'America/Phoenix'],
};

/** What people write for the clocks of a season. Three letters are near to many names, and a guess would be a wrong one. */
const abbreviations: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    z: ['UTC'],
    edt: ['America/New_York'],
    cst: ['America/Chicago', 'Asia/Shanghai'],
    cdt: ['America/Chicago'],
    mdt: ['America/Denver'],
    pst: ['America/Los_Angeles'],
    pdt: ['America/Los_Angeles'],
    brt: ['America/Sao_Paulo'],
    bst: ['Europe/London'],
    ist: ['Asia/Kolkata', 'Europe/Dublin', 'Asia/Jerusalem'],
    cest: ['Europe/Berlin', 'Europe/Paris'],
    eest: ['Europe/Athens', 'Europe/Helsinki'],
    msk: ['Europe/Moscow'],
    sgt: ['Asia/Singapore'],
    hkt: ['Asia/Hong_Kong'],
    jst: ['Asia/Tokyo'],
    kst: ['Asia/Seoul'],
    aest: ['Australia/Sydney', 'Australia/Brisbane'],
    aedt: ['Australia/Sydney'],
    nzst: ['Pacific/Auckland'],
    nzdt: ['Pacific/Auckland'],
  }),
);

/**
 * The zone that a name stands for, as IANA's zone.tab writes it (a place keeps its own name though its clocks agree
 * with those of another), or `UTC`. Takes IANA names of any age and Windows names, in any case, with spaces or
 * underscores. The answer comes from our own table: ICU says Asia/Calcutta on one Node and Asia/Kolkata on another.
 *
 * @param text `america/new york`, `US/Eastern`, `Eastern Standard Time`
 * @param suggest whether to look for near matches, which takes a millisecond
 */
export function readZone(text: string, { suggest = true } = {}): ZoneReading {
  const spelt = spelling(text);
  const meant = meantOtherwise[spelt];
  if (meant && Object.hasOwn(meantOtherwise, spelt)) {
    return {
      problem: `${quoted(text)} is read in two ways: write ${meant[0]} for clocks that change in summer, ${meant[1]} for clocks that do not`,
      near: meant,
    };
  }
  const zone = zoneOf.get(spelt);
  return zone === undefined ? unknown(text, spelt, suggest) : { zone };
}

function unknown(text: string, spelt: string, suggest: boolean): ZoneReading {
  if (spelt === '') return { problem: 'no time zone: write a name like Europe/Berlin', near: [] };
  if (/^\(?(utc|gmt|z)?_?[+−-]?\d{1,2}(:?\d\d){0,2}\)?$/.test(spelt)) {
    return {
      problem: `${quoted(text)} is an offset and no time zone, it does not say when clocks change: write a name like Europe/Berlin`,
      near: [],
    };
  }
  if (/^\((utc|gmt)/.test(spelt)) {
    return {
      problem: `${quoted(text)} is how Windows shows a zone: write its name, as tzutil /g prints it`,
      near: [],
    };
  }
  const near = suggest ? nearZones(spelt) : [];
  const instead = near.length > 0 ? `did you mean ${near.join(' or ')}?` : 'write a name like Europe/Berlin';
  return { problem: `${quoted(text)} is not a time zone: ${instead}`, near };
}

function nearZones(spelt: string): string[] {
  // Nobody misspells a name by so much, and comparing what is longer than any takes time.
  if (spelt.length > 1.5 * longestName) return [];
  const places = spellings.filter((name) => name.endsWith(`/${spelt}`));
  if (places.length === 0 && /^[a-z]{1,4}$/.test(spelt)) return [...(abbreviations.get(spelt) ?? [])];
  const found = places.length > 0 ? places : nearMatches(spelt, spellings, 1 / 4);
  return [...new Set(found.map((name) => zoneOf.get(name) as string))].slice(0, 3);
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
