/** Owns `quarterdeck servers`: the inventory in and out. */
import { type Backend, Refused } from '../../core/calls.ts';
import { CsvTextError } from '../../core/inventory/csv-text.ts';
import { withFacts } from '../../core/inventory/server-facts.ts';
import type { SeenServer } from '../../core/inventory/sync-servers.ts';
import { inventoryCsv } from '../../core/inventory/write-inventory.ts';
import type { ImportReport } from '../../core/use-cases/import-servers.ts';
import type { ShownServers } from '../../core/use-cases/show-calendar.ts';
import type { SyncReport } from '../../core/use-cases/sync-inventory.ts';
import { visibleText } from '../local/report/visible-text.ts';
import { painter, wrapText } from '../local/terminal-text.ts';
import type { ExportArguments, ImportArguments, ListArguments } from './asked.ts';
import { dryRunText, importText, isNothingLeft, syncText } from './inventory-text.ts';
import { tableLines } from './table.ts';
import { exitCodes, type World, withBackend } from './world.ts';

/** Rows that a terminal shows before somebody asks for all. */
const shownRows = 50;

export async function runImport(asked: ImportArguments, world: World): Promise<number> {
  const csv = listOf(asked.file, world);
  const { replace, skipBadRows, dryRun, force, by = world.user } = asked;
  const report = await withBackend(asked, world, async (backend) => {
    const input = { csv, by, replace, skipBadRows, dryRun, force };
    const answer = (await backend.call('import-servers', input)) as ImportReport;
    if (answer.saved) await planAgain(backend, world);
    return answer;
  });
  const { errors, skipped, affected } = report;
  const isRefused = errors.length > 0 || isNothingLeft(report) || (affected.length > 0 && !force && !dryRun);
  if (asked.json) world.out(`${JSON.stringify(report)}\n`);
  else {
    for (const { name, errors: own } of skipped) {
      for (const error of own)
        world.note(rowText(asked.file, error, `skipped ${visibleText(name) || 'a row'}: `));
    }
    for (const error of errors) world.note(rowText(asked.file, error));
    const text = dryRun ? dryRunText(report, replace) : importText(report, { replace, force });
    if (isRefused) world.note(text);
    else world.out(text);
  }
  return isRefused ? exitCodes.refused : exitCodes.done;
}

export async function runExport(asked: ExportArguments, world: World): Promise<number> {
  const csv = (await withBackend(asked, world, (backend) =>
    backend.call('show-calendar', { view: 'csv' }),
  )) as string;
  if (asked.json) world.out(`${JSON.stringify({ csv })}\n`);
  else if (asked.file === undefined) world.out(csv);
  else {
    world.writeText(asked.file, csv);
    world.note(`wrote ${asked.file}\n`);
  }
  return exitCodes.done;
}

export async function runServerList(asked: ListArguments, world: World): Promise<number> {
  const shown = (await withBackend(asked, world, (backend) =>
    backend.call('show-calendar', { view: 'servers', ...asked.filter }),
  )) as ShownServers;
  if (asked.json) {
    world.out(`${JSON.stringify(shown)}\n`);
    return exitCodes.done;
  }
  const { servers, total, saved } = shown;
  if (total === 0) {
    world.out('There are no servers yet: quarterdeck servers import FILE takes a list.\n');
    return exitCodes.done;
  }
  const most = asked.all ? servers.length : shownRows;
  const rows = servers
    .slice(0, most)
    .map(({ name, environment, zone, hostGroup, owners, instanceId, active }) => [
      name,
      environment,
      zone,
      hostGroup ?? '',
      owners.primary ?? owners.secondary ?? '',
      instanceId ?? '',
      active ? '' : 'inactive',
    ]);
  const heads = ['SERVER', 'ENVIRONMENT', 'ZONE', 'GROUP', 'OWNER', 'INSTANCE', ''];
  const lines = tableLines(heads, rows, { columns: world.columns, paint: painter(world.colour) });
  if (servers.length > most) lines.push(`and ${servers.length - most} more: --all shows them`);
  const changed = saved ? `, changed by ${visibleText(saved.by)} at ${saved.at}` : '';
  const of = servers.length === total ? '' : `${servers.length} of `;
  lines.push('', ...wrapText(`${of}${total} servers${changed}`, world.columns));
  world.out(`${lines.join('\n')}\n`);
  return exitCodes.done;
}

export async function runSync(asked: ExportArguments, world: World): Promise<number> {
  const report = await withBackend(asked, world, async (backend) => {
    const answer = (await backend.call('sync-servers', {})) as SyncReport;
    if (answer.saved) await planAgain(backend, world);
    return answer;
  });
  if (asked.json) world.out(`${JSON.stringify(report)}\n`);
  else world.out(syncText(report, world.columns));
  if (asked.file !== undefined) {
    world.writeText(asked.file, inventoryCsv(report.found.map(asServer)));
    world.note(
      `wrote ${report.found.length} servers to ${asked.file}: complete what is empty, and import it\n`,
    );
  }
  return report.unread.length > 0 ? exitCodes.refused : exitCodes.done;
}

/** What was changed is stored; that the plan could not follow at once is told, and mended by the plan of the day. */
export async function planAgain(backend: Backend, world: World): Promise<void> {
  try {
    await backend.call('plan-schedules', {});
  } catch (error) {
    world.note(`stored, and not planned yet: ${visibleText((error as Error).message)}\n`);
  }
}

/** A row for somebody to complete: what AWS does not know is empty. */
function asServer({ instanceId, account, region, name, facts }: SeenServer) {
  const empty = { environment: '', zone: '', active: true, explicit: {}, history: [], owners: {}, extra: {} };
  return withFacts({ name: name ?? instanceId, ...empty, instanceId, account, region }, facts);
}

/** @throws Refused */
function listOf(file: string, world: World): string {
  try {
    return world.readList(file);
  } catch (error) {
    const message = (error as Error).message;
    const why = error instanceof CsvTextError ? message : `can not be read: ${message}`;
    throw new Refused('unreadable', `${JSON.stringify(file)} ${why}`);
  }
}

export function rowText(
  file: string,
  { row, column, message }: { readonly row: number; readonly column: string; readonly message: string },
  before = '',
): string {
  const place = column === '' ? `row ${row}` : `row ${row}, ${visibleText(column)}`;
  return `${before}${file}: ${place}: ${visibleText(message)}\n`;
}
