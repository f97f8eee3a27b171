/** Owns what people are told of an import and of a sync. */
import type { ListChange } from '../../core/inventory/merge-list.ts';
import type { ImportReport } from '../../core/use-cases/import-servers.ts';
import type { OpenWindow } from '../../core/use-cases/open-windows.ts';
import type { SyncReport } from '../../core/use-cases/sync-inventory.ts';
import { visibleText } from '../local/report/visible-text.ts';
import { wrapText } from '../local/terminal-text.ts';
import { localWords } from './local-times.ts';

/** Changes and names beyond these tell a person nothing new. */
const most = 20;

/** All rows were skipped: whoever asked for it did not get what the list is for. */
export function isNothingLeft({ listed, skipped }: ImportReport): boolean {
  return listed === 0 && skipped.length > 0;
}

export function importText(
  report: ImportReport,
  { replace, force }: { readonly replace: boolean; readonly force: boolean },
): string {
  const { errors, affected, saved, servers, added, changed, absent } = report;
  if (errors.length > 0) {
    return `nothing was imported: mend ${count(errors.length, 'mistake')}, or leave the rows out with --skip-bad-rows\n`;
  }
  if (isNothingLeft(report)) return nothingLeft('was imported', report);
  if (affected.length > 0 && !force) {
    return [
      'nothing was imported: campaigns have been prepared for',
      ...affectedLines(affected),
      'wait for their end, or --force it: what has been started goes on, and what has not leaves them out',
      '',
    ].join('\n');
  }
  const unknown = unknownLines(report);
  if (!saved)
    return `${[...unknown, `nothing to change: ${count(servers, 'server')} are as the list says`].join('\n')}\n`;
  return `${[
    ...unknown,
    ...changeLines(report.changes),
    ...(affected.length > 0 ? ['campaigns had been prepared for', ...affectedLines(affected)] : []),
    `imported: ${words(added.length, changed.length, replace ? absent.length : 0)}; the inventory has ${count(servers, 'server')}`,
    ...absentLines(report, replace),
  ].join('\n')}\n`;
}

function nothingLeft(done: string, { skipped }: ImportReport): string {
  return `nothing ${done}: no row is right, ${count(skipped.length, 'row')} skipped\n`;
}

export function dryRunText(report: ImportReport, replace: boolean): string {
  const { errors, added, changed, absent, affected } = report;
  if (errors.length > 0) return `nothing would be imported: mend ${count(errors.length, 'mistake')}\n`;
  if (isNothingLeft(report)) return nothingLeft('would be imported', report);
  return `${[
    ...unknownLines(report),
    ...changeLines(report.changes),
    ...(affected.length > 0
      ? ['needs --force, since campaigns have been prepared for', ...affectedLines(affected)]
      : []),
    `would import: ${words(added.length, changed.length, replace ? absent.length : 0)}`,
    ...absentLines(report, replace),
  ].join('\n')}\n`;
}

export function syncText(report: SyncReport, columns: number): string {
  const { changes, differences, found, missing, problems, unread, servers } = report;
  const paragraphs = [
    ...changes
      .slice(0, most)
      .map(
        ({ server, field, from, to }) =>
          `  ${server}: ${field} ${from === undefined ? '' : `${from} -> `}${to}`,
      ),
    ...more(changes.length),
    ...(differences.length > 0
      ? [`${count(differences.length, 'difference')}, kept as people set them:`]
      : []),
    ...differences
      .slice(0, most)
      .map(({ server, field, set, seen }) => `  ${server}: ${field} is ${set}, and AWS says ${seen}`),
    ...more(differences.length),
    ...problems.slice(0, most).map(({ server, message }) => `  ${server}: ${message}`),
    ...more(problems.length),
    ...(missing.length > 0 ? [`not seen, and as they were: ${named(missing)}`] : []),
    ...(found.length > 0
      ? [
          `not in the inventory: ${named(found.map(({ name, instanceId }) => name ?? instanceId))}; --found FILE lists them`,
        ]
      : []),
    ...unread.map(({ place, why }) => `${place} could not be read: ${why}`),
    `${count(changes.length, 'change')} in ${count(servers, 'server')}`,
  ];
  const lines = paragraphs.flatMap((line) => {
    const indent = line.startsWith('  ') ? '  ' : '';
    return wrapText(visibleText(line), columns - 4).map(
      (part, index) => `${indent}${index === 0 ? '' : '  '}${part}`,
    );
  });
  return `${lines.join('\n')}\n`;
}

function changeLines(changes: readonly ListChange[]): string[] {
  const shown = changes
    .slice(0, most)
    .map(({ server, column, from, to }) =>
      visibleText(
        `  ${server}: ${column} ${from === '' ? '(empty)' : from} -> ${to === '' ? '(empty)' : to}`,
      ),
    );
  return [...shown, ...more(changes.length)];
}

function affectedLines(affected: readonly OpenWindow[]): string[] {
  const shown = affected
    .slice(0, most)
    .map(({ server, campaign, localStart, zone }) =>
      visibleText(`  ${server}: ${localWords(localStart, zone)}, campaign ${campaign}`),
    );
  return [...shown, ...more(affected.length)];
}

function unknownLines({ unknownColumns }: ImportReport): string[] {
  return unknownColumns.map(({ header, near }) =>
    visibleText(
      `column ${header} is kept, and means nothing to a plan${near === undefined ? '' : `: did you mean ${near}?`}`,
    ),
  );
}

function absentLines({ absent }: ImportReport, replace: boolean): string[] {
  if (absent.length === 0) return [];
  return [`${replace ? 'taken out' : 'not in the list, and as they were'}: ${visibleText(named(absent))}`];
}

function words(added: number, changed: number, removed: number): string {
  const parts = [
    ...(added > 0 ? [`${added} new`] : []),
    ...(changed > 0 ? [`${changed} changed`] : []),
    ...(removed > 0 ? [`${removed} taken out`] : []),
  ];
  return parts.join(', ') || 'nothing new';
}

function named(all: readonly string[]): string {
  return `${all.slice(0, most).join(', ')}${all.length > most ? ` and ${all.length - most} more` : ''}`;
}

function more(of: number): string[] {
  return of > most ? [`  and ${of - most} more`] : [];
}

function count(number: number, noun: string): string {
  return `${number.toLocaleString('en-US')} ${noun}${number === 1 ? '' : 's'}`;
}
