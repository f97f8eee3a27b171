/** The table of servers and facts on the report page: what needs a person comes first. */
import { type Facts, factsSchema } from '../../../../core/outcome.ts';
import type { ReportJob } from '../../../../core/report.ts';
import { changeOutcome, hasCome } from '../change-outcome.ts';
import { durationText, workSeconds } from '../durations.ts';
import { type Html, html } from '../html.ts';
import { factText, factTone, factWords, isFine, stateWords, waveText } from '../state-words.ts';
import { count } from '../verdict-words.ts';
import { capital } from './verdict.ts';

const factNames = Object.keys(factsSchema.shape) as (keyof Facts)[];

/** @param jobs in the order in which they are shown */
export function serversSection(jobs: readonly ReportJob[]): Html {
  return html`<section>
<h2>Servers</h2>
<div class="filter" hidden><label>Filter <input type="search" placeholder="name, state, reason" autocomplete="off"></label><button type="button">Open all details</button><span class="quiet" role="status"></span></div>
<div class="scroll" role="region" aria-label="Table of servers" tabindex="0">
<table class="servers">
<thead><tr><th scope="col">Server</th><th scope="col">Wave</th><th scope="col">State</th>${factNames.map(
    (name) => html`<th scope="col">${capital(factWords[name].label)}</th>`,
  )}<th scope="col" class="number">Packages</th><th scope="col" class="number">Work</th></tr></thead>
${jobs.map(row)}
</table>
</div>
</section>`;
}

export function stateBadge(job: ReportJob): Html {
  const { label, tone } = stateWords[job.state];
  return html`<span class="badge ${tone}">${label}</span>`;
}

function row(job: ReportJob): Html {
  const seconds = workSeconds(job);
  const there = job.packages.filter((change) => hasCome(changeOutcome(change, job))).length;
  const why = whyText(job);
  return html`<tbody data-server="${job.server.id}"><tr><th scope="row"><a href="#${job.server.id}">${job.server.name}</a> <span class="quiet">${job.server.family}</span></th>
<td>${waveText(job.wave)}</td><td>${stateBadge(job)}</td>${factNames.map((name) => factCell(name, job.facts[name]))}<td class="number">${
    job.packages.length === 0 ? '–' : `${there} of ${job.packages.length}`
  }</td><td class="number">${seconds === undefined ? '–' : durationText(seconds)}</td></tr>${why && html`<tr class="why"><td colspan="${4 + factNames.length + 1}"><p>${why}</p></td></tr>`}</tbody>
`;
}

function factCell(name: keyof Facts, fact: boolean | null): Html {
  return html`<td class="fact ${fact === null ? 'unknown' : factTone(name, fact)}">${factText(fact)}</td>`;
}

/** The reason of a bad end, or what went along with a good one. */
function whyText(job: ReportJob): string {
  const reason = job.reasons[0];
  if (reason) return reason.detail;
  if (!isFine(job.state)) return 'no reason was given';
  const [warning, ...others] = Object.values(job.phases).flatMap((phase) => phase?.warnings ?? []);
  if (!warning) return '';
  return `${warning.detail}${others.length > 0 ? `, and ${count(others.length, 'other warning')}` : ''}`;
}
