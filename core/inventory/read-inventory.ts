/** Owns the import of a server list: CSV text to servers, with everything that is wrong said at once. */
import type { Instant } from '../instant.ts';
import { defaultQuarters, type QuarterCalendar } from '../quarter.ts';
import { readZone, type ZoneReading } from '../time-zone.ts';
import { type Columns, type Field, knownHeaders, nearHeader, readHeaders } from './columns.ts';
import { type CsvCells, cellsOf, cellText, delimiters, quoted } from './csv-text.ts';
import type { InventoryServer } from './inventory-server.ts';
import { pastQuarters } from './past-dates.ts';
import { type CellProblem, type RowQuestions, readRow } from './read-row.ts';

export interface InventoryOptions {
  readonly now: Instant;
  /** The default quarters without it. */
  readonly quarters?: QuarterCalendar;
  /** Take the rows that are right and list the others; else nothing is taken unless all is right. */
  readonly skipBadRows?: boolean;
}

export interface InventoryError extends CellProblem {
  /** As spreadsheets count: the headers are row 1. */
  readonly row: number;
}

interface SkippedRow {
  readonly row: number;
  /** The server's name as it is written, if it has one. */
  readonly name: string;
  readonly errors: readonly InventoryError[];
}

export interface Inventory {
  /** Empty when there are errors. */
  readonly servers: readonly InventoryServer[];
  /** In the order of the file. Of `skipBadRows` only those are left after which nobody knows what other rows say. */
  readonly errors: readonly InventoryError[];
  readonly skipped: readonly SkippedRow[];
  /** Headers that are kept but mean nothing to us, with the one that was perhaps meant. */
  readonly unknownColumns: readonly { readonly header: string; readonly near?: string }[];
  /** What the list says something of, even if a cell is empty. */
  readonly fields: ReadonlySet<Field>;
}

export function readInventory(text: string, options: InventoryOptions): Inventory {
  const { rows, malformed } = parse(text);
  const columns = readHeaders((rows[0] ?? []).map(cellText));
  const unknownColumns = columns.unknown.map(({ header }) => ({ header, ...nearHeader(header) }));
  const fatal = [
    ...columns.problems,
    ...(malformed.has(0) ? [{ column: '', message: malformed.get(0) as string }] : []),
  ];
  if (fatal.length > 0) {
    return {
      servers: [],
      errors: fatal.map((problem) => ({ row: 1, ...problem })),
      skipped: [],
      unknownColumns,
      fields: new Set(),
    };
  }

  const fields = new Set(columns.at.keys());
  const questions = questionsFor(options);
  const seen = new Map<string, number>();
  const servers: InventoryServer[] = [];
  const bad: SkippedRow[] = [];
  // Where a quote ran over line ends nobody knows which rows are in it, so they can not be listed as skipped either.
  const swallowing: InventoryError[] = [];
  for (let index = 1; index < rows.length; index++) {
    const cells = rows[index] as readonly string[];
    if (cells.every((cell) => cell.trim() === '')) continue;
    const row = index + 1;
    const quotes = malformed.get(index);
    if (quotes !== undefined && cells.some((cell) => cell.includes('\n'))) {
      const message = `${quotes}, since this row may have swallowed those after it`;
      swallowing.push({ row, column: '', message });
      continue;
    }
    const { server, problems } = readRow(cells, row, columns, questions);
    const all = [
      ...(quotes === undefined ? [] : [{ column: '', message: quotes }]),
      ...problems,
      ...duplicates(seen, row, cells, columns),
    ];
    if (server && all.length === 0) servers.push(server);
    else
      bad.push({
        row,
        name: cellOf(cells, columns, 'name'),
        errors: all.map((problem) => ({ row, ...problem })),
      });
  }
  if (options.skipBadRows) {
    const known = swallowing.length === 0 ? servers : [];
    return { servers: known, errors: swallowing, skipped: bad, unknownColumns, fields };
  }
  const errors = [...bad.flatMap((row) => row.errors), ...swallowing].toSorted((a, b) => a.row - b.row);
  return { servers: errors.length > 0 ? [] : servers, errors, skipped: [], unknownColumns, fields };
}

/** Spreadsheets write `;` or tabs in many countries: taken is what makes most headers known. */
function parse(written: string): CsvCells {
  // By this line Excel is told the delimiter; it shows the headers as row 1 all the same.
  const text = written.replace(/^"?sep=[;,|\t]"?(\r\n?|\n)/i, '');
  const known = delimiters.map((delimiter) => ({
    delimiter,
    known: knownHeaders(cellsOf(text, delimiter, 1).rows[0] ?? []),
  }));
  const best = known.reduce((most, next) => (next.known > most.known ? next : most));
  return cellsOf(text, best.delimiter);
}

/** A row is a duplicate of the first that has its name or instance id, even if that one is wrong elsewhere. */
function duplicates(
  seen: Map<string, number>,
  row: number,
  cells: readonly string[],
  columns: Columns,
): CellProblem[] {
  return (['name', 'instanceId'] as const).flatMap((field) => {
    const text = cellOf(cells, columns, field);
    const key = `${field} ${text.toLowerCase()}`;
    const first = seen.get(key);
    if (text === '') return [];
    if (first === undefined) {
      seen.set(key, row);
      return [];
    }
    const column = columns.written[columns.at.get(field) as number] as string;
    return [
      { column, message: `${quoted(text)} is in row ${first} already: remove one row, or tell them apart` },
    ];
  });
}

function cellOf(cells: readonly string[], columns: Columns, field: 'name' | 'instanceId'): string {
  return cellText(cells[columns.at.get(field) ?? -1] ?? '');
}

/** Comparing with every zone takes a millisecond; a file in which all are wrong has made its point after a hundred. */
const zonesWithNearMatches = 100;

function questionsFor({ now, quarters = defaultQuarters }: InventoryOptions): RowQuestions {
  const zones = new Map<string, ZoneReading>();
  let unknown = 0;
  return {
    zoneOf(text) {
      const known = zones.get(text);
      if (known) return known;
      const reading = readZone(text, { suggest: unknown < zonesWithNearMatches });
      if ('problem' in reading) unknown += 1;
      zones.set(text, reading);
      return reading;
    },
    pastQuarterOf: pastQuarters(now, quarters),
  };
}
