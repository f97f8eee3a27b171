/** Says in plain words what became of a campaign: the first sentence of the report, and the last of a run. */
import { isFailure, type JobState } from '../../../core/job.ts';
import type { Report, ReportJob } from '../../../core/report.ts';
import { byUrgency, isFine, stateWords, type Tone } from './state-words.ts';

export interface VerdictWords {
  readonly tone: Tone;
  /** One sentence with numbers. */
  readonly headline: string;
  /** The sentences after it. */
  readonly details: readonly string[];
}

/** @param rehearsed id of the server whose service the run broke on purpose */
export function verdictWords(report: Report, jobs: readonly ReportJob[], rehearsed?: string): VerdictWords {
  const missing = report.campaign.serverCount - jobs.length;
  const unaccounted = missing > 0 ? [`Of ${serversText(missing)} this report knows nothing.`] : [];
  const { tone, headline } = sentence(report, jobs);
  const details = [
    ...(report.reason && report.state !== 'completed' ? [`${sentenceCase(report.reason.detail)}.`] : []),
    ...unaccounted,
    ...rehearsal(jobs, rehearsed),
    ...work(jobs),
  ];
  return { tone: missing > 0 ? 'bad' : tone, headline, details };
}

function sentence(report: Report, jobs: readonly ReportJob[]): Pick<VerdictWords, 'tone' | 'headline'> {
  const all = serversText(report.campaign.serverCount);
  const succeeded = jobs.filter(({ state }) => state === 'succeeded').length;
  const untouched = jobs.every((job) => job.dispatched === null);
  const others = tally(jobs.filter(({ state }) => state !== 'succeeded'));
  const asItWas = `${all} left as ${report.campaign.serverCount === 1 ? 'it was' : 'they were'}`;
  const patched = `${succeeded} of ${all} ${succeeded === 1 ? 'is' : 'are'} patched and verified`;
  switch (report.state) {
    case 'completed':
      return completed(report, jobs, all, patched);
    case 'nothing-to-do':
      return jobs.every(({ state }) => state === 'nothing-to-do')
        ? {
            tone: 'calm',
            headline: `There was nothing to update on ${all === '1 server' ? all : `any of ${all}`}.`,
          }
        : { tone: 'watch', headline: `There was nothing to patch on ${all}: ${others}.` };
    case 'scanned':
      return { tone: 'calm', headline: `Scanned only: ${asItWas}.` };
    case 'denied':
      return {
        tone: 'watch',
        headline: `Not approved: ${untouched ? asItWas : patched}.`,
      };
    case 'missed':
      return {
        tone: 'bad',
        headline: `The window was missed: ${untouched ? asItWas : patched}.`,
      };
    case 'stopped':
      return { tone: 'bad', headline: `Stopped: ${patched}${others && `; ${others}`}.` };
    case 'broken':
      return { tone: 'bad', headline: `The campaign broke off: ${patched}${others && `; ${others}`}.` };
    default:
      return { tone: 'bad', headline: `The campaign has not ended: ${patched}${others && `; ${others}`}.` };
  }
}

function completed(
  report: Report,
  jobs: readonly ReportJob[],
  all: string,
  patched: string,
): Pick<VerdictWords, 'tone' | 'headline'> {
  const others = tally(jobs.filter(({ state }) => state !== 'succeeded'));
  const succeeded = jobs.filter(({ state }) => state === 'succeeded').length;
  if (succeeded === report.campaign.serverCount) {
    return {
      tone: 'good',
      headline:
        succeeded === 1 ? 'The one server is patched and verified.' : `All ${all} are patched and verified.`,
    };
  }
  if (jobs.length === report.campaign.serverCount && jobs.every(({ state }) => isFine(state))) {
    return {
      tone: 'good',
      headline: `All ${all} are up to date: ${succeeded} patched and verified, ${others}.`,
    };
  }
  const isBad = jobs.some(({ state }) => stateWords[state].tone === 'bad');
  return { tone: isBad ? 'bad' : 'watch', headline: `${patched}${others && `; ${others}`}.` };
}

/** A failure that was wanted must not look like one that was not. */
function rehearsal(jobs: readonly ReportJob[], rehearsed: string | undefined): string[] {
  const job = jobs.find(({ server }) => server.id === rehearsed);
  if (!job) return [];
  const { name } = job.server;
  return job.state === 'rolled-back'
    ? [
        `${name} shows the way back: the demonstration left a setting there that the new version refuses, the validation found its service down, and the versions before are there again.`,
      ]
    : [`${name} should have shown the way back, and did not.`];
}

/** What was done, in numbers that were counted. */
function work(jobs: readonly ReportJob[]): string[] {
  const changed = jobs.flatMap(({ packages }) =>
    packages.filter(({ from, to }) => to !== null && to !== from),
  );
  const rebooted = jobs.filter(({ facts }) => facts.rebooted === true).length;
  const pending = jobs.filter(({ facts }) => facts.rebootPending === true).length;
  if (changed.length === 0) return [];
  const security = changed.filter((change) => change.security).length;
  const sentences = [
    `${count(changed.length, 'package')} changed, ${security} of them for security.`,
    rebooted > 0 && `${serversText(rebooted)} rebooted.`,
    pending > 0 && `${serversText(pending)} still ${pending === 1 ? 'needs' : 'need'} a reboot.`,
  ];
  return sentences.filter((text) => text !== false);
}

/** `1 failed, 2 drifted …`, worst first. */
function tally(all: readonly ReportJob[]): string {
  const unwanted = all.filter(wasPatchedAndUnwanted).length;
  const counts = new Map<JobState, number>();
  for (const job of all)
    if (!wasPatchedAndUnwanted(job)) counts.set(job.state, (counts.get(job.state) ?? 0) + 1);
  const parts = [...counts]
    .toSorted(([a], [b]) => byUrgency(a, b))
    .map(([state, number]) => `${number} ${told(state, number)}`);
  return [...parts, ...(unwanted > 0 ? [`${unwanted} patched, and rolled back by hand`] : [])].join(', ');
}

/** A patch that went well, until a person did not want it any more. */
function wasPatchedAndUnwanted({ state, history }: ReportJob): boolean {
  return state === 'rolled-back' && history.some((entry) => entry.state === 'succeeded');
}

function told(state: JobState, number: number): string {
  const { told: words } = stateWords[state];
  return number === 1
    ? words
    : words.replace(' and was ', ' and were ').replace(' its patch ', ' their patch ');
}

/** `1 of 5 failures allowed`, over this campaign alone: the budget may have been drawn on by others before it. */
export function budgetText(report: Report, jobs: readonly ReportJob[]): string {
  const { failures, share } = report.campaign.policy.errorBudget;
  const failed = jobs.filter((job) => isFailure({ ...job, campaignId: report.campaign.id })).length;
  const dispatched = jobs.filter((job) => job.dispatched !== null).length;
  return (
    `${failed} of ${dispatched} dispatched servers failed; policy ${report.campaign.policy.name} allows ` +
    `${count(failures, 'failure')}, and no more than ${percent(share)}, over all campaigns of ${report.campaign.quarter}`
  );
}

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`;
}

function serversText(number: number): string {
  return count(number, 'server');
}

export function count(number: number, thing: string, things = `${thing}s`): string {
  return `${number.toLocaleString('en-US')} ${number === 1 ? thing : things}`;
}

function sentenceCase(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`.replace(/[.\s]+$/, '');
}
