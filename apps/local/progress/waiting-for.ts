/** Says in a few words what a campaign is doing, or waiting for. */
import type { Campaign } from '../../../core/campaign.ts';
import { type Instant, isBefore } from '../../../core/instant.ts';
import type { JobState } from '../../../core/job.ts';
import type { LocalTime } from '../report/local-time.ts';
import { waveText } from '../report/state-words.ts';
import type { FleetView } from './fleet-view.ts';

export function waitingFor(campaign: Campaign, fleet: FleetView, now: Instant, time: LocalTime): string {
  switch (campaign.state) {
    case 'planned':
      return 'opens';
    case 'preparing':
      return 'checks, previews and downloads; nothing is changed yet';
    case 'sealed':
    case 'awaiting-approval':
    case 'patching':
      return approvalWait(campaign) ?? windowWait(campaign, now, time) ?? waveWait(campaign, fleet, time);
    default:
      return campaign.reason?.detail ?? '';
  }
}

function approvalWait({ policy, approval, seal }: Campaign): string | undefined {
  if (!policy.approval.required || approval?.decision) return undefined;
  return `waits for the approval of ${seal?.root.slice(0, 12) ?? 'its plans'}`;
}

function windowWait({ window }: Campaign, now: Instant, time: LocalTime): string | undefined {
  return isBefore(now, window.start) ? `waits for its window at ${time.minute(window.start)}` : undefined;
}

function waveWait({ window }: Campaign, fleet: FleetView, time: LocalTime): string {
  const inState = (state: JobState) => fleet.servers.find((view) => view.state === state);
  const patching = inState('patching');
  if (patching) return `patches ${theWave(patching)}`;
  const verifying = inState('verifying');
  if (verifying) return `${theWave(verifying)} runs on its new versions before it is verified`;
  return `window open until ${time.second(window.end)}`;
}

function theWave({ wave }: { readonly wave: number | null }): string {
  return wave === 0 ? 'the canary' : waveText(wave);
}
