/** The course of the campaign on the report page, by the clock that the campaign ran on. */
import { type Instant, plusSeconds, secondsBetween } from '../../../../core/instant.ts';
import type { ReportJob } from '../../../../core/report.ts';
import { durationText } from '../durations.ts';
import { type Html, html } from '../html.ts';
import type { LocalTime } from '../local-time.ts';
import type { ReportData } from '../report-data.ts';
import { campaignWords, waveText } from '../state-words.ts';
import { count } from '../verdict-words.ts';
import { capital } from './verdict.ts';

interface Happening {
  readonly at: Instant;
  readonly title: string;
  readonly detail?: string | false;
  readonly bar?: Html;
}

export function timelineSection(data: ReportData, time: LocalTime): Html {
  const all = happenings(data).toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  let day = '';
  const items = all.map(({ at, title, detail, bar }) => {
    const today = time.day(at);
    const isNewDay = today !== day;
    day = today;
    return html`${
      isNewDay &&
      html`<li class="day">${today}</li>
`
    }<li><time datetime="${at}">${time.second(at)}</time><div><b>${capital(title)}</b>${detail && html` <span class="quiet">${detail}</span>`}${bar}</div></li>
`;
  });
  return html`<section>
<h2>How it went</h2>
<p class="note">Times in ${time.zone}, by the clock of the campaign. On this machine that clock skips what is only waiting.</p>
<ol class="timeline">${items}</ol>
</section>`;
}

function happenings({ report, jobs }: ReportData): Happening[] {
  const { campaign, approval } = report;
  const { seal, window } = campaign;
  const waves = spans(jobs);
  const first = waves[0]?.begin ?? window.start;
  const last =
    waves
      .map(({ end }) => end)
      .toSorted()
      .at(-1) ?? first;
  const list: (Happening | false)[] = [
    {
      at: campaign.createdAt,
      title: 'Asked for',
      detail: `${count(campaign.serverCount, 'server')}, by ${campaign.requestedBy}`,
    },
    preparation(jobs),
    seal !== null && {
      at: seal.at,
      title: 'Sealed',
      detail: `${count(seal.ready, 'plan')}, ${count(seal.waves.length, 'wave')}`,
    },
    approval !== null && {
      at: approval.at,
      title: approval.approved ? 'Approved' : 'Denied',
      detail: `by ${approval.by}`,
    },
    campaign.stop !== null && {
      at: campaign.stop.at,
      title: 'Stopped by hand',
      detail: `by ${campaign.stop.by}: ${campaign.stop.reason}`,
    },
    window.start <= report.closedAt && { at: window.start, title: 'Window opens' },
    ...waves.map((wave) => ({
      at: wave.begin,
      title: `${waveText(wave.wave)}, ${count(wave.servers, 'server')}`,
      detail: waveWords(wave),
      bar: waveBar(wave, first, last),
    })),
    window.end <= report.closedAt && { at: window.end, title: 'Window closes' },
    {
      at: report.closedAt,
      title: `Closed: ${campaignWords[report.state]}`,
      detail:
        report.closedAt < window.end &&
        report.closedAt > window.start &&
        `${durationText(secondsBetween(report.closedAt, window.end))} of the window left`,
    },
  ];
  return list.filter((item) => item !== false);
}

function preparation(jobs: readonly ReportJob[]): Happening | false {
  const begun = jobs
    .flatMap(({ history }) => history.filter(({ state }) => state === 'preparing'))
    .map(({ at }) => at);
  const at = begun.toSorted()[0];
  if (at === undefined) return false;
  const answered = jobs.flatMap(({ phases }) => phases.prepare?.at ?? []).toSorted();
  const until = answered.at(-1);
  return {
    at,
    title: 'Preparation begins',
    detail:
      until !== undefined &&
      `${count(answered.length, 'server')} answered, the last after ${durationText(secondsBetween(at, until))}`,
  };
}

interface WaveSpan {
  readonly wave: number;
  readonly servers: number;
  readonly begin: Instant;
  readonly patched: Instant;
  readonly verifyBegin: Instant | undefined;
  readonly end: Instant;
}

/** From the first dispatch of a wave to its last answer; a wave of which nothing was dispatched has no span. */
function spans(jobs: readonly ReportJob[]): WaveSpan[] {
  const waves = [
    ...new Set(jobs.flatMap(({ wave, dispatched }) => (wave !== null && dispatched ? [wave] : []))),
  ];
  return waves
    .toSorted((a, b) => a - b)
    .map((wave) => {
      const members = jobs.filter((job) => job.wave === wave && job.dispatched);
      const begin = members.flatMap(({ dispatched }) => dispatched?.at ?? []).toSorted()[0] as Instant;
      const patched =
        members
          .flatMap(({ phases }) => phases.patch?.at ?? [])
          .toSorted()
          .at(-1) ?? begin;
      const verified = members.flatMap(({ phases }) => phases.verify ?? []);
      const verifyBegin = verified
        .map(({ at, seconds }) => plusSeconds(at, -(seconds.total ?? 0)))
        .toSorted()[0];
      const end =
        verified
          .map(({ at }) => at)
          .toSorted()
          .at(-1) ?? patched;
      return { wave, servers: members.length, begin, patched, verifyBegin, end };
    });
}

function waveWords({ begin, patched, verifyBegin, end }: WaveSpan): string {
  const patch = `patched in ${durationText(secondsBetween(begin, patched))}`;
  if (verifyBegin === undefined) return `${patch}, not verified`;
  const soak = Math.max(0, secondsBetween(patched, verifyBegin));
  return `${patch}, soaked ${durationText(soak)}, verified in ${durationText(secondsBetween(verifyBegin, end))}`;
}

/** All waves on one scale, from the first dispatch to the last answer. Short spans stay visible. */
function waveBar({ begin, patched, verifyBegin, end }: WaveSpan, first: Instant, last: Instant): Html {
  const whole = Math.max(1, secondsBetween(first, last));
  const part = (from: Instant, to: Instant, kind: string) => {
    const x = Math.min(99, (secondsBetween(first, from) / whole) * 100);
    const width = Math.min(100 - x, Math.max(0.8, (secondsBetween(from, to) / whole) * 100));
    return html`<rect class="${kind}" x="${x.toFixed(3)}" width="${width.toFixed(3)}" height="8"/>`;
  };
  return html`<svg class="span" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect class="track" width="100" height="8"/>${[
    verifyBegin !== undefined && part(patched, verifyBegin, 'soak'),
    part(begin, patched, 'patch'),
    verifyBegin !== undefined && part(verifyBegin, end, 'verify'),
  ]}</svg>`;
}
