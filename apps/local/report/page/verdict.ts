/** The top of the report page: what happened in one sentence, and who decided what when. */
import type { Campaign } from '../../../../core/campaign.ts';
import type { JobState } from '../../../../core/job.ts';
import type { Policy } from '../../../../core/policy.ts';
import type { Report, ReportJob } from '../../../../core/report.ts';
import { type Html, html } from '../html.ts';
import type { LocalTime } from '../local-time.ts';
import { localTime } from '../local-time.ts';
import type { ReportData } from '../report-data.ts';
import { byUrgency, campaignWords, stateWords, type Tone } from '../state-words.ts';
import { budgetText, count, verdictWords } from '../verdict-words.ts';
import { usd } from './cost.ts';

export function verdictSection({ report, jobs, cost, rehearsed }: ReportData, time: LocalTime): Html {
  const { tone, headline, details } = verdictWords(report, jobs, rehearsed);
  return html`<section class="verdict ${tone}">
<p class="state">${stateLine(report, tone)}</p>
<h1>${headline}</h1>
<p class="lead">${details.join(' ')}</p>
${shares(jobs)}
</section>
<section aria-label="Decisions">
<dl class="decisions">
${windowEntry(report, time)}
${entry('Approval', approvalLines(report, time))}
${entry('Sealed plans', sealLines(report, time))}
${entry('Policy', [report.campaign.policy.name, policyText(report.campaign.policy)])}
${entry('Error budget', [budgetText(report, jobs)])}
${entry('AWS at list price', [html`<a href="#cost">${usd(cost.cost.total)}</a> for this campaign`])}
</dl>
</section>`;
}

/** A campaign may complete while servers fail within the budget; green is for those that went well altogether. */
function stateLine({ state }: Report, tone: Tone): string {
  const isMixed = state === 'completed' && tone !== 'good';
  return capital(campaignWords[state]) + (isMixed ? ', with problems' : '');
}

/** The states as parts of one bar, and the same in words: the bar adds nothing that only colour says. */
function shares(jobs: readonly ReportJob[]): Html {
  const counts = new Map<JobState, number>();
  for (const { state } of jobs) counts.set(state, (counts.get(state) ?? 0) + 1);
  const sorted = [...counts].toSorted(([a], [b]) => byUrgency(a, b));
  let from = 0;
  const parts = sorted.map(([state, number]) => {
    const width = (number / jobs.length) * 100;
    const part = html`<rect class="fill ${stateWords[state].tone}" x="${percent(from)}" width="${percent(width)}" height="10"/>`;
    from += width;
    return part;
  });
  const words = sorted.map(
    ([state, number]) =>
      html`<li><span class="dot ${stateWords[state].tone}"></span>${number} ${stateWords[state].label}</li>`,
  );
  return html`<svg class="shares" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">${parts}</svg>
<ul class="legend">${words}</ul>`;
}

/** What is a label within a sentence may begin a line too. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function percent(number: number): string {
  return number.toFixed(3);
}

function windowEntry({ campaign }: Report, time: LocalTime): Html {
  const { start, end } = campaign.window;
  const utc = localTime('utc');
  return entry('Window', [
    time.span(start, end),
    html`${time.zone}, ${time.offset(start)}${time.offset(start) !== time.offset(end) && ` to ${time.offset(end)}`}`,
    html`<span class="quiet">${utc.span(start, end)} UTC</span>`,
  ]);
}

function approvalLines({ approval, campaign }: Report, time: LocalTime): (Html | string)[] {
  if (approval) {
    return [
      html`${approval.approved ? 'Approved' : 'Denied'} by <b>${approval.by}</b>`,
      html`<time datetime="${approval.at}">${time.minute(approval.at)}</time>`,
      ...(approval.reason ? [html`<q>${approval.reason}</q>`] : []),
      html`of the plans with root hash <code class="hash">${approval.root}</code>`,
      ...(campaign.seal && campaign.seal.root !== approval.root
        ? ['This is not the hash that was sealed.']
        : []),
    ];
  }
  return [
    campaign.policy.approval.required
      ? 'Nobody approved or denied the plans.'
      : `Policy ${campaign.policy.name} asks for none.`,
  ];
}

function sealLines({ campaign, approval }: Report, time: LocalTime): (Html | string)[] {
  const requested = html`Requested by <b>${campaign.requestedBy}</b>, ${time.minute(campaign.createdAt)}`;
  const { seal } = campaign;
  if (!seal) return ['No plans were sealed.', requested];
  return [
    html`${count(seal.ready, 'plan')} in ${count(seal.waves.length, 'wave')}`,
    html`<time datetime="${seal.at}">${time.minute(seal.at)}</time>`,
    ...(approval?.root === seal.root ? [] : [html`root hash <code class="hash">${seal.root}</code>`]),
    requested,
  ];
}

function policyText(policy: Campaign['policy']): string {
  const reboot: Readonly<Record<Policy['reboot'], string>> = {
    never: 'no reboots',
    'if-needed': 'reboot where needed',
    always: 'always reboot',
    'separate-window': 'reboots in a separate window',
  };
  return [
    policy.mode === 'security' ? 'Security updates only' : 'All updates',
    reboot[policy.reboot],
    policy.removals === 'refuse' ? 'no removals' : 'removals allowed',
    policy.requireCompliant ? 'compliance required' : 'compliance not required',
  ].join(', ');
}

function entry(title: string, lines: readonly (Html | string)[]): Html {
  return html`<div><dt>${title}</dt><dd>${lines.map((line) => html`<p>${line}</p>`)}</dd></div>`;
}
