/** The logs on the report page: their ends where they are long, and none where the page would grow too heavy. */
import type { ReportJob } from '../../../../core/report.ts';
import { escapeHtml, Html, html } from '../html.ts';
import type { PhaseLog } from '../report-data.ts';
import { visibleLines } from '../visible-text.ts';

/** Characters of one log, and of all of them: a browser opens that many in a moment. */
const mostOfOne = 24_000;
const mostOfAll = 6_000_000;

/** @param jobs those that come first keep their logs where there is not room for all */
export function logsByServer(
  jobs: readonly ReportJob[],
  logs: ReadonlyMap<string, readonly PhaseLog[]>,
): Map<string, Html> {
  let room = mostOfAll;
  const shown = new Map<string, Html>();
  for (const { server } of jobs) {
    const own = logs.get(server.id) ?? [];
    const parts = own.map(({ phase, text }) => {
      // The end says how it ended.
      const kept = text.slice(-Math.min(mostOfOne, Math.max(0, room)));
      room -= kept.length;
      const cut = text.length - kept.length;
      const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
      return html`<details class="log"><summary>Log of ${phase} <span class="quiet">${lines} lines</span></summary>
${cut > 0 && html`<p class="note">The first ${cut} characters are in report.json alone.</p>`}<pre tabindex="0">${new Html(escapeHtml(visibleLines(kept)))}</pre></details>
`;
    });
    shown.set(server.id, html`${parts}`);
  }
  return shown;
}
