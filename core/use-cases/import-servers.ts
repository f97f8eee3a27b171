/** Takes a server list into the inventory: all of it or nothing, unless bad rows are to be left out. */
import * as z from 'zod';
import type { PlanningCalendar } from '../calendar/planning-calendar.ts';
import { ruleWords } from '../calendar/schedule.ts';
import { Refused } from '../calls.ts';
import type { Instant } from '../instant.ts';
import { headers } from '../inventory/columns.ts';
import type { InventoryServer } from '../inventory/inventory-server.ts';
import { withoutSchedules } from '../inventory/listed-schedules.ts';
import { type ListChange, mergeDates, mergeList, takenIds } from '../inventory/merge-list.ts';
import { type PastQuarterOf, pastQuarters, withPastDates } from '../inventory/past-dates.ts';
import { type Inventory, type InventoryError, readInventory } from '../inventory/read-inventory.ts';
import type { StoredServer } from '../inventory/stored-server.ts';
import type { Ports } from '../ports.ts';
import { type OpenWindow, openWindows, planNow } from './open-windows.ts';
import { loadFleet, type StoredFleet } from './plan-stored-quarter.ts';
import { saveInventory } from './stored-inventory.ts';

export const importServersInput = z.object({
  /** Text of the list, with its headers. */
  csv: z.string(),
  by: z.string().min(1).max(255),
  skipBadRows: z.boolean().default(false),
  /** Whether the list is all there is: servers that it does not have are taken out. */
  replace: z.boolean().default(false),
  /** Whether servers may be moved although campaigns have been prepared for them. */
  force: z.boolean().default(false),
  /** Says what would be done, and does nothing. */
  dryRun: z.boolean().default(false),
});

export interface ImportReport extends Pick<Inventory, 'errors' | 'skipped' | 'unknownColumns'> {
  /** False for a dry run, when anything is wrong, and when nothing would change. */
  readonly saved: boolean;
  /** In the inventory, after it. */
  readonly servers: number;
  /** In the list, without those that were skipped. */
  readonly listed: number;
  readonly added: readonly string[];
  /** Names of servers of which something changed. */
  readonly changed: readonly string[];
  /** The first of the changes. */
  readonly changes: readonly ListChange[];
  /** In the inventory and not in the list; taken out if the list is all there is. */
  readonly absent: readonly string[];
  /** What is in the way unless it is forced, or was affected by it. */
  readonly affected: readonly OpenWindow[];
}

/** Nobody reads more; the export shows all. */
const toldChanges = 1000;

/** Columns by which a server's windows move. */
const planningColumns: ReadonlySet<string> = new Set(
  Object.entries(headers).flatMap(([field, header]) =>
    /^Q\d|^(environment|zone|hostGroup|haGroup|active|cron|dependsOn)$/.test(field) ? [header] : [],
  ),
);

/**
 * @throws Refused
 * @throws InventoryChanged
 */
export async function importServers(
  ports: Pick<Ports, 'records' | 'objects'>,
  calendar: PlanningCalendar,
  input: z.input<typeof importServersInput>,
  now: Instant,
): Promise<ImportReport> {
  const { csv, by, skipBadRows, replace, force, dryRun } = importServersInput.parse(input);
  if (replace && skipBadRows) {
    const message =
      'a row that is skipped would take its server out: mend the rows, or list without replacing';
    throw new Refused('invalid-input', message);
  }
  const { quarters } = calendar;
  const pastQuarterOf = pastQuarters(now, quarters);
  const list = readInventory(csv, { now, quarters, skipBadRows });
  const fleet = await loadFleet(ports);
  const read = { ...list, servers: withoutSchedules(list.servers, fleet.schedules) };
  const refused = [
    ...secondSchedules(read, fleet, pastQuarterOf),
    ...(replace ? [] : takenIds(fleet.inventory.servers, read.servers)),
  ];
  const errors = skipBadRows ? read.errors : byRow([...read.errors, ...refused]);
  const skipped = skipBadRows ? byRow([...read.skipped, ...asSkipped(refused, read.servers)]) : read.skipped;
  const bad = new Set(skipped.map(({ row }) => row));
  const servers = errors.length > 0 ? [] : read.servers.filter(({ row }) => !bad.has(row));
  const stored = fleet.inventory.servers;
  const merge = mergeList(errors.length > 0 ? [] : stored, { ...read, servers }, { replace, pastQuarterOf });
  const changed = [...new Set(merge.changes.map(({ server }) => server))];
  const moved = merge.changes.filter(({ column }) => planningColumns.has(column)).map(({ server }) => server);
  const leaving = [...new Set([...moved, ...(replace ? merge.absent : [])])];
  const affected =
    errors.length > 0 || leaving.length === 0
      ? []
      : openWindows(await planNow(ports, fleet, calendar, now), calendar, leaving, now);
  const changes = merge.added.length + changed.length + (replace ? merge.absent.length : 0);
  const saved = errors.length === 0 && changes > 0 && !dryRun && (affected.length === 0 || force);
  if (saved) await saveInventory(ports, merge.servers, { by, now, expected: fleet.inventory.revision });
  return {
    saved,
    servers: saved ? merge.servers.length : fleet.inventory.servers.length,
    listed: servers.length,
    added: merge.added,
    changed,
    changes: merge.changes.slice(0, toldChanges),
    absent: merge.absent,
    affected,
    errors,
    skipped,
    unknownColumns: read.unknownColumns,
  };
}

/** A server has one schedule: who has one, set by itself, stored of a list or in the same row, gets no second. */
function secondSchedules(
  { servers, fields }: Pick<Inventory, 'servers' | 'fields'>,
  { inventory, schedules }: Pick<StoredFleet, 'inventory' | 'schedules'>,
  pastQuarterOf: PastQuarterOf,
): InventoryError[] {
  const set = new Map(schedules.map((schedule) => [schedule.server.toLowerCase(), schedule]));
  const stored = new Map(inventory.servers.map((server) => [server.name.toLowerCase(), server]));
  return servers.flatMap((row) => {
    const key = row.name.toLowerCase();
    const [schedule, before] = [set.get(key), stored.get(key)];
    const dated = datedColumn(row.explicit);
    if (row.cron === undefined && dated === undefined) return [];
    const first = schedule
      ? `${ruleWords(schedule.rule)}, set by ${schedule.by} at ${schedule.at}`
      : otherRule(row, before && withPastDates(before, pastQuarterOf), fields);
    if (first === undefined) return [];
    const column = row.cron === undefined ? `${dated} Patch Date` : headers.cron;
    const message = `${row.name} has a schedule already, ${first}: remove that one, or empty the cell`;
    return [{ row: row.row, column, message }];
  });
}

/** What a server would have besides: dates beside the cron expression of a row, or the other way round. */
function otherRule(
  row: InventoryServer,
  before: StoredServer | undefined,
  fields: Inventory['fields'],
): string | undefined {
  if (row.cron === undefined) {
    const cron = fields.has('cron') ? undefined : before?.cron;
    return cron && ruleWords({ kind: 'cron', expression: cron });
  }
  const dates = before ? mergeDates(before, row, fields).explicit : row.explicit;
  return datedColumn(dates) && ruleWords({ kind: 'dates', dates });
}

function datedColumn(dates: InventoryServer['explicit']): string | undefined {
  return Object.entries(dates).find(([, given]) => given?.date !== undefined)?.[0];
}

function asSkipped(
  refused: readonly InventoryError[],
  listed: readonly InventoryServer[],
): Inventory['skipped'] {
  const names = new Map(listed.map(({ row, name }) => [row, name]));
  return refused.map((error) => ({ row: error.row, name: names.get(error.row) ?? '', errors: [error] }));
}

function byRow<T extends { readonly row: number }>(all: readonly T[]): T[] {
  return all.toSorted((a, b) => a.row - b.row);
}
