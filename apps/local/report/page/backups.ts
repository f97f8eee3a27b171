/** The backups of the campaign on the report page: how many, whether they can be read, and one that was restored. */
import { backupWords } from '../backup-words.ts';
import { type Html, html } from '../html.ts';
import type { ReportData } from '../report-data.ts';

export function backupsSection({ backups }: ReportData): Html {
  const words = backupWords(backups);
  if (words.length === 0) return html``;
  const bad = backups.stored.filter(({ check }) => check?.good === false);
  const failed = backups.restore?.restored.filter(({ differences }) => differences.length > 0) ?? [];
  const problems = [
    ...bad.map(
      ({ serverId, check }) => html`<li class="bad"><span>${serverId}: ${check?.detail}</span></li>`,
    ),
    ...failed.flatMap(({ serverId, differences }) =>
      differences.slice(0, 10).map((text) => html`<li class="bad"><span>${serverId}: ${text}</span></li>`),
    ),
  ];
  return html`<section>
<h2>Backups</h2>
<p>${words.join(' ')}</p>
${problems.length > 0 && html`<ul class="remarks">${problems}</ul>`}
</section>`;
}
