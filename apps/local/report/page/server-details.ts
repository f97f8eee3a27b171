/** All that is known of one server, on the report page: closed where nothing is wrong with it. */
import { type Phase, phaseSchema } from '../../../../core/phase.ts';
import type { PackageChange, ReportJob } from '../../../../core/report.ts';
import type { StoredBackup } from '../../../../core/stored-backup.ts';
import { type ChangeOutcome, changeOutcome } from '../change-outcome.ts';
import { durationText, workSeconds } from '../durations.ts';
import { Html, html } from '../html.ts';
import type { LocalTime } from '../local-time.ts';
import type { ServerFindings } from '../report-data.ts';
import { isFine, stateWords, type Tone, waveText } from '../state-words.ts';
import { count } from '../verdict-words.ts';
import { stateBadge } from './servers.ts';

export interface ServerSurroundings {
  readonly logs: Html;
  readonly findings: ServerFindings | undefined;
  readonly backup: StoredBackup | undefined;
}

export function serverDetails(
  job: ReportJob,
  { logs, findings, backup }: ServerSurroundings,
  time: LocalTime,
): Html {
  const seconds = workSeconds(job);
  const inShort = [
    job.server.family,
    ...(job.wave === null ? [] : [waveText(job.wave)]),
    ...(job.packages.length > 0 ? [count(job.packages.length, 'package')] : []),
    ...(seconds === undefined ? [] : [durationText(seconds)]),
  ];
  return html`<details class="server" id="${job.server.id}" data-server="${job.server.id}"${!isFine(job.state) && new Html(' open')}>
<summary><h3>${job.server.name}</h3> ${stateBadge(job)} <span class="quiet">${inShort.join(' · ')}</span></summary>
${remarks(job)}
${packageTable(job)}
${findings && wayBack(job, findings)}
${findings && validation(findings)}
${course(job, time)}
${steps(job)}
${evidence(job, backup)}
${logs}
</details>
`;
}

function remarks(job: ReportJob): Html {
  const warnings = phasesOf(job).flatMap(([, phase]) => phase.warnings);
  const unproven = phasesOf(job).flatMap(([name, phase]) =>
    phase.unproven ? [{ code: `${name}-unproven`, detail: phase.unproven.detail }] : [],
  );
  const line = (tone: Tone, { code, detail }: { code: string; detail: string }) =>
    html`<li class="${tone}"><span>${detail}</span> <code>${code}</code></li>`;
  const lines = [
    ...job.reasons.map((reason) => line(stateWords[job.state].tone, reason)),
    ...unproven.map((reason) => line('bad', reason)),
    ...warnings.map((warning) => line('watch', warning)),
  ];
  const newer = Math.max(0, ...phasesOf(job).map(([, phase]) => phase.newer));
  if (newer > 0) {
    const detail = `${count(newer, 'package')} of the plan ${newer === 1 ? 'has' : 'have'} a newer version by now; the sealed one was kept to`;
    lines.push(line('calm', { code: 'newer-published', detail }));
  }
  return html`${lines.length > 0 && html`<ul class="remarks">${lines}</ul>`}`;
}

const outcomeTones: Readonly<Record<ChangeOutcome, Tone>> = {
  'as planned': 'good',
  'brought back': 'watch',
  'other version': 'watch',
  unchanged: 'bad',
  missing: 'bad',
  'not attempted': 'calm',
  unknown: 'calm',
};

function packageTable(job: ReportJob): Html {
  if (job.packages.length === 0) {
    const why = job.plan === null ? 'No plan was sealed for it.' : 'The sealed plan can not be read back.';
    return html`<p class="note">${why}</p>`;
  }
  const sorted = job.packages.toSorted(
    (a, b) => Number(b.security) - Number(a.security) || (a.name < b.name ? -1 : 1),
  );
  return html`<div class="scroll" role="region" aria-label="Packages of ${job.server.name}" tabindex="0">
<table class="packages"><thead><tr><th scope="col">Package</th><th scope="col">Before</th><th scope="col">After</th><th scope="col">Planned</th><th scope="col">Result</th></tr></thead>
<tbody>${sorted.map((change) => packageRow(change, job))}</tbody></table>
</div>`;
}

function packageRow(change: PackageChange, job: ReportJob): Html {
  const outcome = changeOutcome(change, job);
  // Where nobody looked, a dash would claim that the package is gone.
  const after =
    outcome === 'not attempted' || outcome === 'unknown'
      ? html`<span class="quiet">unknown</span>`
      : version(change.to);
  const tone: Tone = outcome === 'unchanged' && job.state === 'drifted' ? 'calm' : outcomeTones[outcome];
  return html`<tr><th scope="row">${change.name} <span class="quiet">${change.architecture}</span>${
    change.security && html` <span class="badge watch">security</span>`
  }</th><td>${version(change.from)}</td><td>${after}</td><td>${version(change.planned)}</td><td class="fact ${tone}">${outcome}</td></tr>
`;
}

function version(text: string | null): Html {
  return text === null ? html`<span class="quiet">not installed</span>` : html`<code>${text}</code>`;
}

/** What brought the server back, rung by rung, and what it touched. */
function wayBack(job: ReportJob, { steps, configuration }: ServerFindings): Html {
  const rungs = job.phases.rollback?.rungs ?? [];
  const lines = rungs.map(({ rung, healthy }) => {
    const done = steps.filter((step) => step.rung === rung).map(stepText);
    return html`<li class="${healthy === true ? 'good' : 'bad'}"><b>${rung}</b>: ${done.length > 0 ? done.join(', ') : 'nothing to bring back'} <span class="quiet">${wellText(healthy)}</span></li>`;
  });
  const changed = configuration.map(
    ({ path, before, after }) =>
      html`<li><code>${path}</code> <span class="quiet">${before === null ? 'came' : after === null ? 'went' : 'changed'}</span></li>`,
  );
  return html`${lines.length > 0 && html`<h4>Way back</h4><ul class="remarks">${lines}</ul>`}${
    changed.length > 0 &&
    html`<h4>Configuration that the transaction changed</h4><ul class="paths">${changed.slice(0, 50)}</ul>`
  }`;
}

function wellText(healthy: boolean | null): string {
  if (healthy === null) return 'whether the server was well after it is unknown';
  return healthy ? 'the server was well after it' : 'the server was not well after it';
}

function stepText({ action, subject, from, to }: ServerFindings['steps'][number]): string {
  switch (action) {
    case 'back':
      return `${subject} ${from ?? ''} → ${to ?? ''}`;
    case 'remove':
      return `${subject} removed`;
    case 'restore':
      return `${subject} restored`;
    case 'leave':
      return `${subject} left as it is`;
    case 'missing':
      return `${subject} can not be brought back`;
    case 'boot':
      return `${subject} booted`;
  }
}

/** What the policy asked for, and the last answer. */
function validation({ validation: asked }: ServerFindings): Html {
  if (asked.length === 0) return html``;
  const tones = { ok: 'good', failed: 'bad', unknown: 'calm' } as const;
  const rows = asked.map(
    ({ kind, name, verdict, detail }) =>
      html`<li class="${tones[verdict]}"><span>${kind} ${name}: ${verdict}</span> <span class="quiet">${detail}</span></li>`,
  );
  return html`<h4>Validation</h4><ul class="remarks">${rows}</ul>`;
}

function course(job: ReportJob, time: LocalTime): Html {
  const items = job.history.map(
    ({ state, at }) =>
      html`<li>${stateWords[state].label} <time class="quiet" datetime="${at}">${time.second(at)}</time></li>`,
  );
  return html`<h4>Course</h4><ol class="course">${items}</ol>`;
}

function steps(job: ReportJob): Html {
  const timed = phasesOf(job).filter(([, { seconds }]) => Object.keys(seconds).length > 0);
  if (timed.length === 0) return html``;
  const rows = timed.map(([name, { seconds }]) => {
    const { total, ...parts } = seconds;
    const list = Object.entries(parts)
      .toSorted(([, a], [, b]) => b - a)
      .map(([step, took]) => html`<span>${step} ${durationText(took)}</span> `);
    return html`<tr><th scope="row">${name}</th><td class="number">${total === undefined ? '–' : durationText(total)}</td><td class="steps">${list}</td></tr>
`;
  });
  return html`<h4>Time on the server</h4><table class="times"><tbody>${rows}</tbody></table>`;
}

function evidence(job: ReportJob, backup: StoredBackup | undefined): Html {
  const { server, plan } = job;
  const system = phasesOf(job).findLast(([, phase]) => phase.system)?.[1].system;
  const boots = new Set(phasesOf(job).flatMap(([, { boot }]) => (boot ? [boot.before, boot.after] : [])));
  const row = (title: string, value: Html | string) => html`<div><dt>${title}</dt><dd>${value}</dd></div>
`;
  const hash = (text: string) => html`<code class="hash">${text}</code>`;
  return html`<h4>Evidence</h4><dl class="evidence">
${row('Server', html`${hash(server.id)} in ${server.place.account}, ${server.place.region}; ${server.environment}, owned by ${server.owner}, ${server.zone}`)}
${system && row('System', `${system.id} ${system.version}, kernel ${system.kernel}`)}
${boots.size > 0 && row(boots.size === 1 ? 'Boot id' : 'Boot ids', html`${[...boots].map((id, i) => html`${i > 0 && ' → '}${hash(id)}`)}`)}
${plan && row('Plan, SHA-256', hash(plan.sha256))}
${
  backup &&
  row(
    'Backup',
    html`${hash(backup.archive.key)}<br>${count(backup.archive.files, 'entry', 'entries')}, ${count(backup.archive.bytes, 'byte')}, SHA-256 ${hash(backup.archive.sha256)}; ${readBack(backup)}`,
  )
}
${job.snapshots.map(({ snapshotId, volumeId, device, encrypted }) => row('Snapshot', html`${hash(snapshotId)} of ${hash(volumeId)} (${device}${!encrypted && ', not encrypted'})`))}
${job.noSnapshots && row('No snapshots', job.noSnapshots.detail)}
${phasesOf(job).map(([name, { object, status }]) =>
  row(
    `Result of ${name}`,
    object
      ? html`${hash(object.key)}<br>${count(object.bytes, 'byte')}, SHA-256 ${hash(object.sha256)}`
      : `none was written; Run Command says ${status}`,
  ),
)}</dl>`;
}

function readBack({ check }: StoredBackup): string {
  if (check === null) return 'not read back yet';
  return check.good ? 'read back and as it was made' : `not good: ${check.detail}`;
}

function phasesOf(job: ReportJob) {
  return phaseSchema.options.flatMap((name) => {
    const phase = job.phases[name];
    return phase ? [[name, phase] as const satisfies readonly [Phase, typeof phase]] : [];
  });
}
