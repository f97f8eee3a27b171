/** Owns what people are told when a campaign of the plan starts otherwise than planned, or does not start. */
import type { LeftOut } from '../calendar/campaign-server.ts';
import type { Firing } from '../firing.ts';
import type { Instant } from '../instant.ts';
import type { Reason } from '../outcome.ts';
import type { Notice } from '../ports.ts';

export function refusalNotice(
  { campaignId, policy, window, servers }: Firing,
  state: 'missed' | 'refused',
  { code, detail }: Reason,
): Notice {
  const then =
    state === 'missed'
      ? 'The next planning gives its servers another window, where their schedules allow one.'
      : 'It is tried again with each planning, until its window begins.';
  return {
    id: `${campaignId}-${code}`,
    kind: 'campaign-not-started',
    campaignId,
    subject: `Not started: patching of ${servers} servers of ${policy}`,
    text: `Campaign ${campaignId} (window ${window.start} to ${window.end} UTC) was not started: ${detail}.\n${then}\n`,
  };
}

const mostNamed = 50;

export function startNotice(
  { campaignId, policy, window, fireAt }: Firing,
  servers: number,
  leftOut: readonly LeftOut[],
  late: boolean,
  now: Instant,
): Notice {
  const lines = leftOut.slice(0, mostNamed).map(({ server, why }) => `  ${server} ${why}`);
  if (leftOut.length > mostNamed) lines.push(`  and ${leftOut.length - mostNamed} more`);
  const parts = [
    `Campaign ${campaignId} has been started for ${servers} servers of ${policy}, window ${window.start} to ${window.end} UTC.`,
    ...(late ? [`It was due at ${fireAt} and was started at ${now}: there is less time to prepare.`] : []),
    ...(lines.length > 0 ? [`Left out, though planned:\n${lines.join('\n')}`] : []),
  ];
  const what = [
    ...(late ? ['late'] : []),
    ...(leftOut.length > 0 ? [`without ${leftOut.length} servers`] : []),
  ];
  return {
    id: `${campaignId}-started`,
    kind: 'campaign-started',
    campaignId,
    subject: `Started ${what.join(' and ')}: patching of ${servers} servers of ${policy}`,
    text: `${parts.join('\n')}\n`,
  };
}
