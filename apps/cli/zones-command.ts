/** Owns `quarterdeck zones`: asking servers for their time zones, and what they say beside what is recorded. */
import type { ShownZone, ShowZonesOutput } from '../../core/use-cases/show-zones.ts';
import type { ZoneAsking } from '../../core/zone-asking.ts';
import { visibleText } from '../local/report/visible-text.ts';
import { painter, wrapText } from '../local/terminal-text.ts';
import type { ZonesAsk, ZonesShow } from './asked-jobs.ts';
import { tableLines } from './table.ts';
import { exitCodes, type World, withBackend } from './world.ts';

/** Rows that a terminal shows before somebody asks for all. */
const shownRows = 50;

export async function runZonesAsk(asked: ZonesAsk, world: World): Promise<number> {
  const { servers, by = world.user } = asked;
  const asking = (await withBackend(asked, world, (backend) =>
    backend.call('ask-zones', { servers, by }),
  )) as ZoneAsking;
  if (asked.json) world.out(`${JSON.stringify(asking)}\n`);
  else {
    const lines = [
      ...leftLines(asking),
      `${asking.servers === 1 ? '1 server is' : `${asking.servers} servers are`} asked for their time zone; see what they say with: quarterdeck zones show --aws`,
    ];
    world.out(`${lines.flatMap((line) => wrapText(line, world.columns)).join('\n')}\n`);
  }
  return exitCodes.done;
}

export async function runZonesShow(asked: ZonesShow, world: World): Promise<number> {
  const shown = (await withBackend(asked, world, (backend) =>
    backend.call('show-zones', {}),
  )) as ShowZonesOutput;
  world.out(asked.json ? `${JSON.stringify(shown)}\n` : shownText(shown, asked.all, world));
  const { differs, contradictory } = shown.counts;
  return differs + contradictory > 0 ? exitCodes.unwell : exitCodes.done;
}

function shownText(shown: ShowZonesOutput, all: boolean, { columns, colour }: World): string {
  const { rows, by, at, unread } = shown;
  const paint = painter(colour);
  const seen = rows.slice(0, all ? rows.length : shownRows);
  const lines = tableLines(
    ['SERVER', 'SAYS', 'BY', 'RECORDED', ''],
    seen.map(({ server, says, method, recorded, verdict, words }) => [
      server,
      says ?? '',
      method ?? '',
      recorded ?? 'no more',
      verdict === 'unknown' ? words : verdict,
    ]),
    { columns, paint },
  );
  if (rows.length > seen.length) lines.push(`and ${rows.length - seen.length} more: --all shows them`);
  const said = [
    ...seen.flatMap(contradictions),
    ...leftLines(shown),
    ...unread.map((why) => `not read: ${why}`),
    `${countsText(shown)}; asked for by ${by} at ${at}`,
    ...(rows.some(({ says, verdict }) => says !== null && verdict !== 'same')
      ? ['nothing follows by itself: correct the list, or the server']
      : []),
  ];
  return `${[...lines, '', ...said.flatMap((line) => wrapText(visibleText(line), columns))].join('\n')}\n`;
}

function contradictions({ server, disagreements }: ShownZone): string[] {
  return disagreements.map((words) => `${server} contradicts itself: ${words}`);
}

function leftLines({ left: { count, first } }: Pick<ZoneAsking, 'left'>): string[] {
  const lines = first.map(({ server, why }) => `not asked: ${server} ${why}`);
  return count > first.length ? [...lines, `not asked: ${count - first.length} more`] : lines;
}

function countsText({ servers, counts }: ShowZonesOutput): string {
  const parts = Object.entries(counts).flatMap(([verdict, count]) =>
    count > 0 ? [`${count} ${verdict}`] : [],
  );
  return `${servers === 1 ? '1 server' : `${servers} servers`}: ${parts.join(', ')}`;
}
