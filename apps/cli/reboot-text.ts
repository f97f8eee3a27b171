/** Owns how the reboots of a server are told: what was seen of the last, what is only inferred, and those before it. */
import type { Instant } from '../../core/instant.ts';
import { isUnwell, type Reboot, type RebootState } from '../../core/reboot.ts';
import { visibleText } from '../local/report/visible-text.ts';
import { painter } from '../local/terminal-text.ts';
import { labelledLines } from './labelled-lines.ts';
import { localDayAndTime } from './local-times.ts';

/** A server says nothing between asking for its restart and being back: what it did then is concluded. */
const words: Readonly<Record<RebootState, string>> = {
  pending: 'waits for its window',
  sent: 'seen: Run Command took the command',
  rebooting: 'inferred: the command is in progress, and the agent does not answer',
  completed: 'seen: the server said so',
  failed: 'seen: it refused, came back unwell, or could not be told to',
  timeout: 'inferred: nothing was heard of it by its deadline, and it may be down',
  cancelled: 'by a person, before it was sent',
  missed: 'its window closed before it could be sent',
};

export function rebootText(
  reboot: Reboot,
  { columns, colour }: { readonly columns: number; readonly colour: boolean },
): string {
  const { id, server, state, window, sent, endedAt, reasons, mode, past } = reboot;
  const { zone } = window;
  const at = (instant: Instant) => localDayAndTime(instant, zone);
  const label = (name: string, ...texts: string[]) => labelledLines(name, texts, columns);
  const told = label('state', `${state}, ${stateWords(reboot)}`);
  const paint = painter(colour);
  const lines = [
    paint('strong', visibleText(`${server.name}  ${server.id}, times in ${zone}`)),
    ...(isUnwell(reboot) ? told.map((line) => paint('bad', line)) : told),
    ...reasons.flatMap(({ code, detail }, index) =>
      label(index === 0 ? 'because' : '', detail === '' ? code : `${code}: ${detail}`),
    ),
    ...label('window', `${at(window.start)} to ${at(window.end)}`),
    ...label('reboots', mode === 'always' ? 'whether it needs to or not' : 'only if it needs to'),
    ...label('asked for', `by ${reboot.by}, ${at(reboot.requestedAt)}: ${reboot.reason}`),
    ...(sent === null
      ? []
      : label('sent', `${at(sent.at)}, ${sent.commandId ?? 'nobody knows yet whether'}`)),
    ...(sent === null || endedAt !== null ? [] : label('answers by', at(sent.deadline))),
    ...(endedAt === null ? [] : label('ended', at(endedAt))),
    ...label('id', id),
    ...past.flatMap((before, index) =>
      label(
        index === 0 ? 'before' : '',
        `${at(before.endedAt)}: ${before.state}${before.detail === '' ? '' : `, ${before.detail}`} (${before.by}: ${before.reason})`,
      ),
    ),
  ];
  return `${lines.join('\n')}\n`;
}

function stateWords({ state, boot }: Reboot): string {
  if (state !== 'completed') return words[state];
  return boot !== null && boot.before !== boot.after
    ? 'seen: it runs on another boot, and is well'
    : 'seen: it had no need';
}
