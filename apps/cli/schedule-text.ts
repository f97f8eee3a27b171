/** Owns how one server's schedule is told: the rule, what comes next, what was last, and what is wrong. */
import { lengthWords } from '../../core/calendar/local-window.ts';
import type { ServerSchedule } from '../../core/calendar/server-schedule.ts';
import { type Instant, secondsBetween } from '../../core/instant.ts';
import type { LastOutcome } from '../../core/use-cases/last-runs.ts';
import { visibleText } from '../local/report/visible-text.ts';
import { painter } from '../local/terminal-text.ts';
import { labelledLines } from './labelled-lines.ts';
import { dayAndTime } from './local-times.ts';

const shownWindows = 5;

export function scheduleText(
  schedule: ServerSchedule & { readonly last?: LastOutcome | null },
  { columns, colour }: { readonly columns: number; readonly colour: boolean },
): string {
  const { server, environment, zone, active, words, from, set, remarks, runs, windows, conflicts } = schedule;
  const paint = painter(colour);
  const origin = {
    schedule: set ? `set by ${set.by} at ${set.at}` : 'set',
    list: 'from the server list',
    policy: '',
  };
  const label = (name: string, ...all: string[]) => labelledLines(name, all, columns);
  const next = windows.slice(0, shownWindows);
  const lines = [
    paint(
      'strong',
      visibleText(`${server}  ${environment}, times in ${zone}${active ? '' : ', inactive: not planned'}`),
    ),
    ...label('schedule', words + (origin[from] === '' ? '' : `, ${origin[from]}`)),
    ...remarks.flatMap((remark) => label('', remark)),
    ...(runs.length > 0 ? label('next runs', ...runs.map(({ localStart }) => dayAndTime(localStart))) : []),
    ...(next.length > 0
      ? label(
          'windows',
          ...next.map(
            ({ localStart, start, end }) => `${dayAndTime(localStart)}, ${lengthBetween(start, end)}`,
          ),
        )
      : label('windows', 'none planned in this quarter and the next')),
    ...(windows.length > shownWindows ? label('', `and ${windows.length - shownWindows} more`) : []),
    ...(next[0] === undefined ? [] : label('why', next[0].reason)),
    ...lastLines(schedule.last, label),
    ...(schedule.security === undefined ? [] : label('security', schedule.security)),
    ...(schedule.past.length > 0
      ? label(
          'past dates',
          schedule.past
            .map(({ date, time, quarter }) => `${quarter} ${date}${time ? ` ${time}` : ''}`)
            .join(', '),
        )
      : []),
    ...conflicts.flatMap(({ code, message }) =>
      label('conflict', `${code}: ${message}`).map((line) => paint('bad', line)),
    ),
  ];
  return `${lines.join('\n')}\n`;
}

function lastLines(
  last: LastOutcome | null | undefined,
  label: (name: string, ...all: string[]) => string[],
): string[] {
  if (last === undefined) return [];
  if (last === null) return label('last run', 'none in this quarter and the one before');
  const { localStart, campaign, state, reason } = last;
  const outcome = state === undefined ? '' : `: ${state}${reason === undefined ? '' : `, ${reason}`}`;
  return label('last run', `${dayAndTime(localStart)}, campaign ${campaign}${outcome}`);
}

function lengthBetween(start: Instant, end: Instant): string {
  return lengthWords(Math.round(secondsBetween(start, end) / 60));
}
