/**
 * Owns `npm run zone-names`: writes core/zone-names.ts from the unpacked npm packages cldr-bcp47 and cldr-core.
 *
 *     npm pack cldr-bcp47@48.2.0 cldr-core@48.2.0, unpack both, then
 *     npm run zone-names -- <folder of cldr-bcp47> <folder of cldr-core>
 *
 * They are read by hand once a year and are no dependency: 20 MB for two files.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';

const [bcp47 = '', core = ''] = process.argv.slice(2);
const version = z.object({ version: z.string() }).parse(json(bcp47, 'package.json')).version;

const entrySchema = z.object({
  _alias: z.string().optional(),
  _iana: z.string().optional(),
  _preferred: z.string().optional(),
});
const { tz } = z
  .object({ keyword: z.object({ u: z.object({ tz: z.record(z.string(), z.unknown()) }) }) })
  .parse(json(bcp47, 'bcp47/timezone.json')).keyword.u;
const entries = new Map(
  Object.entries(tz)
    .filter(([code]) => !code.startsWith('_') && code !== 'unk')
    .map(([code, entry]) => [code, entrySchema.parse(entry)]),
);

const aliases = new Map<string, string[]>();
const canonicalOf = new Map<string, string>();
for (const entry of entries.values()) {
  const place = entry._preferred === undefined ? entry : entries.get(entry._preferred);
  const canonical = nameOf(place?._iana ?? place?._alias?.split(' ')[0]);
  const names = (entry._alias ?? '').split(' ').filter((name) => name !== '' && name !== canonical);
  aliases.set(canonical, [...(aliases.get(canonical) ?? []), ...names]);
  for (const name of [canonical, ...names]) canonicalOf.set(name, canonical);
}

const { mapTimezones } = z
  .object({
    supplemental: z.object({
      windowsZones: z.object({
        mapTimezones: z.array(
          z.object({
            mapZone: z.object({ _other: z.string(), _type: z.string(), _territory: z.string() }),
          }),
        ),
      }),
    }),
  })
  .parse(json(core, 'supplemental/windowsZones.json')).supplemental.windowsZones;
// 001 is the world: what a name stands for when nothing says in which country the machine is.
const windows = mapTimezones
  .filter(({ mapZone }) => mapZone._territory === '001' && !/^UTC/.test(mapZone._other))
  .map(({ mapZone }) => `${mapZone._other}: ${canonicalOf.get(mapZone._type)}`);

const zones = [...aliases].map(([canonical, others]) => [canonical, ...others.toSorted()].join(' '));
writeFileSync(
  join(import.meta.dirname, '../../core/zone-names.ts'),
  `/**
 * Holds the names of time zones. Written by \`npm run zone-names\` from Unicode CLDR ${version} (Unicode-3.0 licence),
 * the npm packages cldr-bcp47 (bcp47/timezone.json) and cldr-core (supplemental/windowsZones.json).
 */

/** A zone to a line: its name in IANA's zone.tab, then the other names that IANA ever gave the place. */
export const zoneNames = \`
${zones.toSorted().join('\n')}
\`;

/** A time zone of Windows to a line, and the zone that it stands for where no country is known. */
export const windowsZoneNames = \`
${windows.toSorted().join('\n')}
\`;
`,
);

function json(folder: string, file: string): unknown {
  return JSON.parse(readFileSync(join(folder, file), 'utf8'));
}

/** CLDR says Etc/UTC; ECMA-402, ICU and the people who write it in a list say UTC. */
function nameOf(name: string | undefined): string {
  if (name === undefined) throw new Error('a zone of CLDR has no name: its format has changed');
  return name === 'Etc/UTC' ? 'UTC' : name;
}
