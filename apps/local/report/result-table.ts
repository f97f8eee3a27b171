/** Owns the table that ends a run: one row per server, what is wrong below it, and where the report lies. */
import type { Facts } from '../../../core/outcome.ts';
import type { ReportJob } from '../../../core/report.ts';
import { type Paint, padText, painter, textWidth, wrapText } from '../terminal-text.ts';
import { backupWords } from './backup-words.ts';
import { changeOutcome, hasCome } from './change-outcome.ts';
import { durationText, workSeconds } from './durations.ts';
import type { ReportData } from './report-data.ts';
import { byUrgency, factText, factTone, isFine, stateWords, type Tone, waveText } from './state-words.ts';
import { verdictWords } from './verdict-words.ts';
import { visibleText } from './visible-text.ts';

export interface ResultTableOptions {
  /** Of the terminal. */
  readonly columns: number;
  readonly colour: boolean;
  /** Path of the report page. */
  readonly page: string;
}

/** More rows than this are scrolled past; those that need a person come first. */
const mostRows = 60;

interface Cell {
  readonly text: string;
  readonly tone?: Tone | 'faint' | undefined;
}

interface Column {
  readonly title: string;
  /** Where the terminal is narrow. */
  readonly short: string;
  readonly side?: 'right';
  readonly cell: (job: ReportJob, isNarrow: boolean) => Cell;
}

const server: Column = {
  title: 'server',
  short: 'server',
  cell: ({ server }) => ({ text: visibleText(server.name) }),
};
/** Only where they differ. */
const family: Column = {
  title: 'family',
  short: 'family',
  cell: ({ server }) => ({ text: server.family, tone: 'faint' }),
};
const columns: readonly Column[] = [
  { title: 'wave', short: 'wave', cell: ({ wave }) => ({ text: waveText(wave), tone: 'faint' }) },
  {
    title: 'state',
    short: 'state',
    cell: ({ state }) => ({ text: stateWords[state].label, tone: stateWords[state].tone }),
  },
  { title: 'installed', short: 'inst', cell: factCell('installed') },
  { title: 'reboot', short: 'reboot', cell: rebootCell },
  { title: 'healthy', short: 'well', cell: factCell('healthy') },
  { title: 'compliant', short: 'compl', cell: factCell('compliant') },
  { title: 'packages', short: 'pkgs', side: 'right', cell: packagesCell },
  { title: 'time', short: 'time', side: 'right', cell: timeCell },
];

export function resultTable(
  { report, jobs, rehearsed, backups }: Pick<ReportData, 'report' | 'jobs' | 'rehearsed' | 'backups'>,
  options: ResultTableOptions,
): string {
  const paint = painter(options.colour);
  const sorted = jobs.toSorted(byProblem);
  const verdict = verdictWords(report, jobs, rehearsed);
  const width = Math.max(40, options.columns);
  const lines = [
    ...table(sorted.slice(0, mostRows), width, paint),
    ...(sorted.length > mostRows
      ? [paint('faint', `and ${sorted.length - mostRows} more, all in the report`)]
      : []),
    '',
    ...reasonGroups(sorted.filter(({ state }) => !isFine(state)))
      .slice(0, mostRows)
      .flatMap((group) => reasonLines(group, width, paint)),
    ...wrapText(visibleText(verdict.headline), width).map((line) => paint(verdict.tone, line)),
    ...wrapText(visibleText([...verdict.details, ...backupWords(backups)].join(' ')), width),
    '',
    // Never wrapped: a path that is broken in two can not be clicked.
    `Report: ${options.page}`,
  ];
  return `${lines.join('\n')}\n`;
}

/** Problems first, then wave by wave. */
export function byProblem(a: ReportJob, b: ReportJob): number {
  const wave = (job: ReportJob) => job.wave ?? Number.MAX_SAFE_INTEGER;
  return (
    byUrgency(a.state, b.state) ||
    wave(a) - wave(b) ||
    a.server.name.localeCompare(b.server.name, 'en', { numeric: true })
  );
}

const gap = 2;
const shortestName = 8;

function table(jobs: readonly ReportJob[], width: number, paint: Paint): string[] {
  const { shown, widths, isNarrow } = layOut(jobs, width);
  const row = (texts: readonly string[], style: (index: number, padded: string) => string) =>
    texts
      .map((text, i) => style(i, padText(text, widths[i] as number, shown[i]?.side ?? 'left')))
      .join(' '.repeat(gap))
      .trimEnd();
  const titles = shown.map((column) => (isNarrow ? column.short : column.title));
  return [
    row(titles, (_i, padded) => paint('faint', padded)),
    ...jobs.map((job) => {
      const cells = shown.map((column) => column.cell(job, isNarrow));
      return row(
        cells.map(({ text }) => text),
        (i, padded) => {
          const tone = cells[i]?.tone;
          return tone ? paint(tone, padded) : padded;
        },
      );
    }),
  ];
}

/** Wide if it fits; else in short words; else with shorter names; and in the end without the last columns. */
function layOut(jobs: readonly ReportJob[], width: number) {
  const families = new Set(jobs.map((job) => job.server.family));
  const all = [server, ...(families.size > 1 ? [family] : []), ...columns];
  for (let number = all.length; ; number--) {
    const shown = all.slice(0, number);
    for (const isNarrow of [false, true]) {
      const widths = shown.map((column) =>
        Math.max(
          textWidth(isNarrow ? column.short : column.title),
          ...jobs.map((job) => textWidth(column.cell(job, isNarrow).text)),
        ),
      );
      const [name = 0, ...others] = widths;
      const left = width - others.reduce((sum, other) => sum + gap + other, 0);
      if (left >= name) return { shown, widths, isNarrow };
      if (isNarrow && (left >= shortestName || number === 1)) {
        return { shown, widths: [Math.max(1, left), ...others], isNarrow };
      }
    }
  }
}

/** Servers that ended alike for the same reasons are told together: a stopped campaign leaves many of them. */
function reasonGroups(jobs: readonly ReportJob[]): ReportJob[][] {
  const groups = new Map<string, ReportJob[]>();
  for (const job of jobs) {
    const key = JSON.stringify([job.state, job.reasons]);
    const group = groups.get(key);
    if (group) group.push(job);
    else groups.set(key, [job]);
  }
  return [...groups.values()];
}

const mostNames = 12;

function reasonLines(group: readonly ReportJob[], width: number, paint: Paint): string[] {
  const [first] = group as [ReportJob];
  const { label, tone } = stateWords[first.state];
  const names = group.slice(0, mostNames).map(({ server }) => visibleText(server.name));
  const more = group.length > mostNames ? ` and ${group.length - mostNames} more` : '';
  const [title = '', ...rest] = wrapText(`${label} ${names.join(', ')}${more}`, width);
  const reasons = first.reasons.map(({ code, detail }) => `${detail} (${code})`);
  return [
    paint(tone, title.slice(0, label.length)) + title.slice(label.length),
    ...rest,
    ...(reasons.length > 0 ? reasons : ['no reason was given']).flatMap((reason) =>
      wrapText(visibleText(reason), width - gap).map((line) => `${' '.repeat(gap)}${line}`),
    ),
    '',
  ];
}

function factCell(name: keyof Facts): Column['cell'] {
  return ({ facts }, isNarrow) => answer(factText(facts[name]), factTone(name, facts[name]), isNarrow);
}

/** Two facts in one column: whether it was rebooted, and whether it still must be. */
function rebootCell({ facts }: ReportJob, isNarrow: boolean): Cell {
  if (facts.rebootPending === true) return { text: 'due', tone: 'bad' };
  if (facts.rebooted === true) return { text: 'done', tone: 'good' };
  if (facts.rebootPending === false) return { text: 'none', tone: 'faint' };
  return answer('unknown', 'calm', isNarrow);
}

function answer(text: string, tone: Tone, isNarrow: boolean): Cell {
  return text === 'unknown' ? { text: isNarrow ? '?' : text, tone: 'faint' } : { text, tone };
}

/** How many of the planned packages are there now. */
function packagesCell(job: ReportJob): Cell {
  if (job.packages.length === 0) return { text: '–', tone: 'faint' };
  const there = job.packages.filter((change) => hasCome(changeOutcome(change, job))).length;
  return { text: `${there}/${job.packages.length}` };
}

function timeCell(job: ReportJob): Cell {
  const seconds = workSeconds(job);
  return seconds === undefined ? { text: '–', tone: 'faint' } : { text: durationText(seconds) };
}
