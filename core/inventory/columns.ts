/** Owns the columns of server lists: which header means what, however it is spelt. */
import { nearMatches } from '../near-match.ts';

/** In the order of the export. */
export const headers = {
  name: 'Server Name',
  hostGroup: 'Host Group',
  operatingSystem: 'Operating System',
  environment: 'Environment',
  zone: 'Server Timezone',
  location: 'Location',
  primaryOwner: 'Primary Owner',
  secondaryOwner: 'Secondary Owner',
  'Q1 date': 'Q1 Patch Date',
  'Q1 time': 'Q1 Patch Time',
  'Q1 approval': 'Q1 Approval Status',
  'Q2 date': 'Q2 Patch Date',
  'Q2 time': 'Q2 Patch Time',
  'Q2 approval': 'Q2 Approval Status',
  'Q3 date': 'Q3 Patch Date',
  'Q3 time': 'Q3 Patch Time',
  'Q3 approval': 'Q3 Approval Status',
  'Q4 date': 'Q4 Patch Date',
  'Q4 time': 'Q4 Patch Time',
  'Q4 approval': 'Q4 Approval Status',
  currentQuarterStatus: 'Current Quarter Patching Status',
  active: 'Active Status',
  instanceId: 'Instance Id',
  account: 'Account',
  region: 'Region',
  haGroup: 'HA Group',
  cron: 'Cron Schedule',
  dependsOn: 'Depends On',
  metal: 'Metal',
} as const;
export type Field = keyof typeof headers;

export const fields = Object.keys(headers) as Field[];
const required: readonly Field[] = ['name', 'environment', 'zone'];

/** Case, spaces, underscores and dashes tell no two headers apart. */
const spelling = (header: string) => header.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '');

const fieldOf = new Map<string, Field>([
  ...fields.map((field): [string, Field] => [spelling(headers[field]), field]),
  ['timezone', 'zone'],
  ['accountid', 'account'],
  ['cron', 'cron'],
  ['baremetal', 'metal'],
]);

export interface Columns {
  /** Where the cells of a field are. */
  readonly at: ReadonlyMap<Field, number>;
  /** Headers as they are written, by their place; a column that we know, one that we keep, or none (empty). */
  readonly written: readonly string[];
  readonly unknown: readonly { readonly header: string; readonly at: number }[];
  readonly problems: readonly { readonly column: string; readonly message: string }[];
}

/** @param written the cells of the first row, trimmed */
export function readHeaders(written: readonly string[]): Columns {
  const at = new Map<Field, number>();
  const unknown = new Map<string, number>();
  const problems: { column: string; message: string }[] = [];
  for (const [index, header] of written.entries()) {
    if (header === '') continue;
    const field = fieldOf.get(spelling(header));
    const first = field === undefined ? unknown.get(header) : at.get(field);
    if (first !== undefined) {
      const message = `columns ${first + 1} and ${index + 1} are both ${JSON.stringify(headers[field as Field] ?? header)}: rename or remove one`;
      problems.push({ column: header, message });
    } else if (field === undefined) unknown.set(header, index);
    else at.set(field, index);
  }
  for (const field of required.filter((needed) => !at.has(needed))) {
    problems.push({ column: headers[field], message: `there is no column ${headers[field]}: add it` });
  }
  const kept = [...unknown].map(([header, index]) => ({ header, at: index }));
  return { at, written, unknown: kept, problems };
}

/** How many headers of a row we know: by that the delimiter is found. */
export function knownHeaders(written: readonly string[]): number {
  return written.filter((header) => fieldOf.has(spelling(header))).length;
}

/** The header that was perhaps meant by one that we do not know. */
export function nearHeader(header: string): { near?: string } {
  if (header.length > 60) return {};
  const [meant] = nearMatches(spelling(header), [...fieldOf.keys()], 1 / 4);
  return meant === undefined ? {} : { near: headers[fieldOf.get(meant) as Field] };
}
