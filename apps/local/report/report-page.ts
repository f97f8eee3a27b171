/** Owns the report as one HTML file that needs nothing else: no network, no script, no second file. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Html, html } from './html.ts';
import { localTime } from './local-time.ts';
import { backupsSection } from './page/backups.ts';
import { costSection } from './page/cost.ts';
import { filterScript } from './page/filter-script.ts';
import { logsByServer } from './page/logs.ts';
import { rollbacksSection } from './page/rollbacks.ts';
import { serverDetails } from './page/server-details.ts';
import { serversSection } from './page/servers.ts';
import { surroundingsSection } from './page/surroundings.ts';
import { timelineSection } from './page/timeline.ts';
import { verdictSection } from './page/verdict.ts';
import type { ReportData } from './report-data.ts';
import { byProblem } from './result-table.ts';
import { verdictWords } from './verdict-words.ts';

const style = readFileSync(join(import.meta.dirname, 'page/report-page.css'), 'utf8');

/*
 * Every string from a server is escaped; should one ever get through, nothing but this style and this script may
 * take effect, and nothing may be fetched or sent.
 */
const policy = `default-src 'none'; style-src '${hashSource(style)}'; script-src '${hashSource(filterScript)}'; base-uri 'none'; form-action 'none'`;

function hashSource(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

export function reportPage(data: ReportData): string {
  const { report } = data;
  const time = localTime(report.campaign.window.zone);
  const jobs = data.jobs.toSorted(byProblem);
  const logs = logsByServer(jobs, data.logs);
  const { headline } = verdictWords(report, jobs, data.rehearsed);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new Html(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${headline} · ${report.campaign.id}</title>
<style>${new Html(style)}</style>
</head>
<body>
<header><span class="mark">Quarterdeck</span><span>Patch report</span><span>${report.campaign.quarter}</span><code>${report.campaign.id}</code><a href="report.json">report.json</a></header>
<main>
${verdictSection(data, time)}
${serversSection(jobs)}
${timelineSection(data, time)}
${rollbacksSection(data, time)}
<section>
<h2>Server by server</h2>
${jobs.map((job) => serverDetails(job, { logs: logs.get(job.server.id) ?? html``, findings: data.findings.get(job.server.id), backup: data.backups.stored.find(({ serverId }) => serverId === job.server.id) }, time))}
</section>
${backupsSection(data)}
${costSection(data)}
${surroundingsSection(data)}
</main>
<footer>Closed <time datetime="${report.closedAt}">${time.minute(report.closedAt)}</time>, ${time.zone}. The same, for programs: <a href="report.json">report.json</a>.</footer>
<script>${new Html(filterScript)}</script>
</body>
</html>
`.text;
}
