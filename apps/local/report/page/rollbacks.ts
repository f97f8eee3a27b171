/** What people asked for after the campaign had ended, on the report page: who wanted servers back, why, and what came of it. */
import type { Report } from '../../../../core/report.ts';
import { type Html, html } from '../html.ts';
import type { LocalTime } from '../local-time.ts';
import type { ReportData } from '../report-data.ts';
import { stateWords, type Tone } from '../state-words.ts';
import { count } from '../verdict-words.ts';

type Asked = NonNullable<Report['rollbacks']>[number];

export function rollbacksSection({ report: { rollbacks = [] } }: ReportData, time: LocalTime): Html {
  if (rollbacks.length === 0) return html``;
  return html`<section>
<h2>Way back</h2>
<p>Asked for by people after the campaign had ended. The states of servers on this page are those of after it.</p>
<ol class="remarks">${rollbacks.map((asked) => item(asked, time))}</ol>
</section>`;
}

const farthest: Readonly<Record<Asked['to'], string>> = {
  packages: 'packages alone',
  configuration: 'packages, then configuration',
  kernel: 'packages, then configuration, then the kernel before',
};

function item(asked: Asked, time: LocalTime): Html {
  const { by, reason, to, dryRun, at, servers, endedAt } = asked;
  return html`<li class="${toneOf(asked)}"><b>${dryRun ? 'Dry run' : 'Rollback'} of ${count(servers, 'server')}</b>, asked for by <b>${by}</b> on <time datetime="${at}">${time.minute(at)}</time>: <q>${reason}</q>
<p class="came">As far as needed: ${farthest[to]}. ${
    endedAt === null
      ? 'It has not ended.'
      : html`${cameOf(asked)} <span class="quiet">Ended <time datetime="${endedAt}">${time.minute(endedAt)}</time></span>`
  }</p></li>
`;
}

/** Of a dry run, what servers answered; nothing was touched. */
function cameOf({ counts, dryRun }: Asked): string {
  const parts = Object.entries(counts).map(([name, number]) => `${number} ${wordsOf(name)?.label ?? name}`);
  return `${dryRun ? 'Nothing was touched; answers' : 'What came of it'}: ${parts.length > 0 ? parts.join(', ') : 'none'}.`;
}

function toneOf({ counts, dryRun }: Asked): Tone {
  if (dryRun) return 'calm';
  return Object.keys(counts).some((name) => wordsOf(name)?.tone === 'bad') ? 'bad' : 'watch';
}

function wordsOf(name: string) {
  return Object.hasOwn(stateWords, name) ? stateWords[name as keyof typeof stateWords] : undefined;
}
