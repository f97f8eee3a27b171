/** Owns `quarterdeck schedule` and `quarterdeck feed`: what people set, and see, of one server and of many. */
import type { ServerSchedule } from '../../core/calendar/server-schedule.ts';
import type { SetReport } from '../../core/use-cases/set-schedule.ts';
import type { ScheduleRow, ShownSchedule } from '../../core/use-cases/show-calendar.ts';
import { visibleText } from '../local/report/visible-text.ts';
import { painter, wrapText } from '../local/terminal-text.ts';
import type { FeedArguments, ListArguments, ScheduleArguments, SetArguments } from './asked.ts';
import { dayAndTime, localWords } from './local-times.ts';
import { scheduleText } from './schedule-text.ts';
import { planAgain } from './servers-command.ts';
import { tableLines } from './table.ts';
import { exitCodes, type World, withBackend } from './world.ts';

const shownRows = 50;

export async function runSet(asked: SetArguments, world: World): Promise<number> {
  const { server, rule, change, force, by = world.user } = asked;
  const report = await withBackend(asked, world, async (backend) => {
    const input = { server, rule, change, force, by };
    const answer = (await backend.call('set-schedule', input)) as SetReport;
    await planAgain(backend, world);
    return answer;
  });
  if (asked.json) world.out(`${JSON.stringify(report)}\n`);
  else {
    const { schedule, before, affected } = report;
    const lines = affected.map(({ campaign, localStart, zone }) =>
      visibleText(`was prepared for ${localWords(localStart, zone)}, campaign ${campaign}`),
    );
    if (before !== schedule.words) lines.push(visibleText(`before: ${before}`));
    world.out(`${scheduleText(schedule, world)}${lines.map((line) => `${line}\n`).join('')}`);
  }
  return exitOf(report.schedule);
}

export async function runShow(asked: ScheduleArguments, world: World): Promise<number> {
  const schedule = (await withBackend(asked, world, (backend) =>
    backend.call('show-calendar', { view: 'schedule', server: asked.server }),
  )) as ShownSchedule;
  world.out(asked.json ? `${JSON.stringify(schedule)}\n` : scheduleText(schedule, world));
  return exitOf(schedule);
}

export async function runScheduleList(asked: ListArguments, world: World): Promise<number> {
  const all = (await withBackend(asked, world, (backend) =>
    backend.call('show-calendar', { view: 'schedules', ...asked.filter }),
  )) as ScheduleRow[];
  if (asked.json) {
    world.out(`${JSON.stringify(all)}\n`);
    return exitCodes.done;
  }
  const own = all.filter(({ from, conflicts }) => asked.all || from !== 'policy' || conflicts.length > 0);
  const most = asked.all ? own.length : shownRows;
  const rows = own
    .slice(0, most)
    .map(({ server, zone, words, from, next, last, conflicts }) => [
      server,
      from === 'list' ? `${words} (list)` : words,
      next === null ? conflicts.join(', ') || 'none planned' : dayAndTime(next),
      last === null ? '' : dayAndTime(last.localStart),
      zone,
    ]);
  const heads = ['SERVER', 'SCHEDULE', 'NEXT', 'LAST', 'ZONE'];
  const lines =
    rows.length > 0 ? tableLines(heads, rows, { columns: world.columns, paint: painter(world.colour) }) : [];
  if (own.length > most) lines.push(`and ${own.length - most} more: --all shows them`);
  const hidden = all.length - own.length;
  if (hidden > 0) {
    const more = own.length > 0 ? 'more ' : '';
    lines.push(
      ...wrapText(`${hidden} ${more}servers have what the policy says: --all shows them`, world.columns),
    );
  }
  if (all.length === 0) lines.push('no server is like that');
  world.out(`${lines.join('\n')}\n`);
  return exitCodes.done;
}

export async function runFeed(asked: FeedArguments, world: World): Promise<number> {
  const text = (await withBackend(asked, world, (backend) =>
    backend.call('show-calendar', { view: 'feed', audience: asked.audience }),
  )) as string;
  if (asked.json) world.out(`${JSON.stringify({ ics: text })}\n`);
  else if (asked.file === undefined) world.out(text);
  else {
    world.writeText(asked.file, text);
    world.note(`wrote ${asked.file}\n`);
  }
  return exitCodes.done;
}

function exitOf({ conflicts }: ServerSchedule): number {
  return conflicts.length > 0 ? exitCodes.conflicts : exitCodes.done;
}
