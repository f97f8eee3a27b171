/** Owns the calendar of a quarter as people see it in a terminal: a line for each week, a column for each environment. */
import type { CalendarPolicy } from '../../core/calendar/calendar-policy.ts';
import { dayNumber, dayText, weekdayOf } from '../../core/calendar/civil-day.ts';
import type { Conflict, Lane, PlannedWindow, QuarterPlan } from '../../core/calendar/quarter-plan.ts';
import { visibleText } from '../local/report/visible-text.ts';
import { clipText, type Paint, padText, textWidth, wrapText } from '../local/terminal-text.ts';

export interface CalendarOptions {
  readonly columns: number;
  readonly paint: Paint;
  /** A column each, in this order. */
  readonly policies: readonly CalendarPolicy[];
  /** What is closed on a day, in words, for the environment. */
  readonly closedOn: (day: number, environment: string) => string | undefined;
  readonly reasons: boolean;
}

const widestCell = 40;
/** Of what is closed, less would say nothing. */
const narrowestClosed = 12;
const weekColumn = 'week of     ';
/** Conflicts of a kind beyond these tell a person nothing new. */
const shownOfKind = 20;

export function quarterCalendar(plan: QuarterPlan, options: CalendarOptions): string {
  const lines = [
    ...headline(plan, options),
    '',
    ...weeks(plan, options),
    ...(options.reasons ? ['', ...reasons(plan.windows, options)] : []),
    ...conflictLines(plan.conflicts, options),
  ];
  return `${lines.join('\n')}\n`;
}

function headline(
  { quarter, windows, campaigns, conflicts }: QuarterPlan,
  options: CalendarOptions,
): string[] {
  const { columns, paint } = options;
  const servers = new Set(windows.map(({ server }) => server)).size;
  const name = quarter.name === `Q${quarter.number}` ? quarter.id : `${quarter.id} (${quarter.name})`;
  const words = `${quarter.firstDay} to ${quarter.lastDay}: ${count(servers, 'server')} in ${count(windows.length, 'window')}, ${count(campaigns.length, 'campaign')}, ${count(conflicts.length, 'conflict')}.`;
  const zones = groupBy(windows, ({ zone }) => zone);
  const most = [...zones]
    .map(([zone, own]) => [zone, new Set(own.map(({ server }) => server)).size] as const)
    .toSorted((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  const named = most.slice(0, 4).map(([zone, of]) => `${zone} (${of})`);
  const others = most.length > 4 ? ` and ${most.length - 4} more` : '';
  const where = `Days are those of each server's own zone: ${named.join(', ')}${others}.`;
  return [
    paint('strong', clipText(name, columns)),
    ...wrapText(words, columns),
    ...(windows.length > 0 ? wrapText(where, columns) : []),
    ...options.policies.flatMap((policy) => wrapText(ruleWords(policy), columns)),
  ];
}

/** `production: quarterly, Sat Sun 00:00-04:00` */
function ruleWords({ name, cadence, days, hours, daysBefore, securityWithinDays }: CalendarPolicy): string {
  const when = days.length === 7 ? 'any day' : days.map((day) => capital(day.slice(0, 3))).join(' ');
  const before = daysBefore ? `, ${daysBefore.days} days before ${daysBefore.environment}` : '';
  const security = securityWithinDays ? `, security at least every ${count(securityWithinDays, 'day')}` : '';
  return `${name}: ${cadence}${before}, ${when} ${hours.from}-${hours.to}${security}`;
}

function capital(word: string): string {
  return `${word.charAt(0).toUpperCase()}${word.slice(1)}`;
}

function weeks(plan: QuarterPlan, options: CalendarOptions): string[] {
  const { columns, paint, closedOn } = options;
  const environments = options.policies.map(({ name }) => name);
  const { quarter, windows } = plan;
  const campaigns = new Map(plan.campaigns.map(({ id, policy, lane }) => [id, { policy, lane }]));
  const counts = new Map<string, number>();
  for (const { campaign, localStart } of windows) {
    const { policy, lane = '' } = campaigns.get(campaign) ?? {};
    const key = `${policy} ${localStart.slice(0, 10)}${lane}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const [first, last] = [dayNumber(quarter.firstDay), dayNumber(quarter.lastDay)];
  const monday = first - ((((first + 3) % 7) + 7) % 7);
  const rows: { week: string; cells: { text: string; closed: boolean }[] }[] = [];
  for (let week = monday; week <= last; week += 7) {
    const days = Array.from({ length: 7 }, (_, index) => week + index).filter(
      (day) => day >= first && day <= last,
    );
    const cells = environments.map((environment) => {
      const used = days.flatMap((day) =>
        (['', 'security'] as const).flatMap((lane) => {
          const servers = counts.get(`${environment} ${dayText(day)}${lane}`);
          return servers === undefined ? [] : [{ day: shortDay(day), servers, lane }];
        }),
      );
      if (used.length > 0) return { text: brief(used), closed: false };
      const reasons = new Set(
        days.map((day) => closedOn(day, environment)).filter((reason) => reason !== undefined),
      );
      return { text: [...reasons].join(', '), closed: true };
    });
    rows.push({ week: dayText(week), cells });
  }
  const lines: string[] = [];
  const widthsOf = (widestClosed: number) =>
    environments.map((name, column) =>
      Math.max(
        textWidth(name),
        ...rows.map(({ cells }) => {
          const { text, closed } = cells[column] as { text: string; closed: boolean };
          return Math.min(textWidth(text), closed ? widestClosed : widestCell);
        }),
      ),
    );
  const [wished, needed] = [widthsOf(widestCell), widthsOf(narrowestClosed)];
  const room = columns - weekColumn.length;
  for (const block of blocks(needed, room)) {
    if (lines.length > 0) lines.push('');
    const widths = fitting(block, wished, needed, room);
    const cut = (column: number) => widths[block.indexOf(column)] as number;
    const heads = block.map((column) => padText(environments[column] as string, cut(column)));
    lines.push(paint('strong', `${weekColumn}${heads.join('  ')}`.trimEnd()));
    for (const { week, cells } of rows) {
      const texts = block.map((column) => {
        const { text, closed } = cells[column] as { text: string; closed: boolean };
        const padded = padText(text === '' ? '·' : text, cut(column));
        return closed ? paint('faint', padded) : padded;
      });
      lines.push(`${padText(week, weekColumn.length)}${texts.join('  ')}`.trimEnd());
    }
  }
  return lines;
}

interface Used {
  readonly day: string;
  readonly servers: number;
  readonly lane: Lane | '';
}

/** Each day with its servers, or where that is too much for a column, the first and the last with all servers. */
function brief(used: readonly Used[]): string {
  const all = used.map(({ day, servers, lane }) => `${day}: ${servers} ${lane}`.trimEnd()).join(', ');
  if (all.length <= widestCell) return all;
  const sum = used.reduce((total, { servers }) => total + servers, 0);
  return `${used[0]?.day} to ${used.at(-1)?.day}: ${sum}`;
}

/** The widths of a block: words for what is closed give way, the longest first. */
function fitting(
  block: readonly number[],
  wished: readonly number[],
  needed: readonly number[],
  room: number,
): number[] {
  const widths = block.map((column) => wished[column] as number);
  const over = widths.reduce((sum, width) => sum + width + 2, -2) - room;
  for (let left = over; left > 0; left--) {
    const spare = widths.map((width, at) => (width > (needed[block[at] as number] as number) ? width : 0));
    const widest = Math.max(...spare);
    if (widest === 0) return widths.map((width) => Math.min(width, room));
    widths[spare.indexOf(widest)] = widest - 1;
  }
  return widths;
}

/** Columns that stand beside each other; at least one in each block. */
function blocks(widths: readonly number[], room: number): number[][] {
  const all: number[][] = [];
  let left = 0;
  for (const [column, width] of widths.entries()) {
    if (all.length === 0 || width + 2 > left) {
      all.push([]);
      left = room + 2;
    }
    all.at(-1)?.push(column);
    left -= width + 2;
  }
  return all;
}

function reasons(windows: readonly PlannedWindow[], { columns, paint }: CalendarOptions): string[] {
  return windows.flatMap(({ server, localStart, zone, reason }) => [
    clipText(`${localStart.slice(0, 16).replace('T', ' ')} ${zone}  ${visibleText(server)}`, columns),
    ...wrapText(visibleText(reason), columns - 4).map((line) => paint('faint', `    ${line}`)),
  ]);
}

function conflictLines(conflicts: readonly Conflict[], { columns, paint }: CalendarOptions): string[] {
  const kinds = [...groupBy(conflicts, ({ code }) => code)].toSorted((a, b) => b[1].length - a[1].length);
  return kinds.flatMap(([code, all]) => [
    '',
    paint('bad', `${count(all.length, 'conflict')}: ${code.replaceAll('-', ' ')}`),
    ...all
      .slice(0, shownOfKind)
      .flatMap(({ server, message }) =>
        wrapText(visibleText(`${server}: ${message}`), columns - 4).map(
          (line, index) => `${index === 0 ? '  ' : '    '}${line}`,
        ),
      ),
    ...(all.length > shownOfKind ? [`  and ${all.length - shownOfKind} more: --json lists all`] : []),
  ]);
}

function groupBy<T, K>(all: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of all) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}

function shortDay(day: number): string {
  return `${capital(weekdayOf(day).slice(0, 3))} ${Number(dayText(day).slice(8))}`;
}

function count(number: number, noun: string): string {
  return `${number.toLocaleString('en-US')} ${noun}${number === 1 ? '' : 's'}`;
}
