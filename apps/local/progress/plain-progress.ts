/** Tells a run as lines, one for each event: for pipes, files and CI. */
import { instantOf } from '../../../core/instant.ts';
import { localTime } from '../report/local-time.ts';
import { campaignWords, isFine, stateWords, waveText } from '../report/state-words.ts';
import { visibleText } from '../report/visible-text.ts';
import { clockText } from './fleet-grid.ts';
import type { FleetView } from './fleet-view.ts';
import type { Progress, ProgressOptions } from './progress.ts';
import { waitingFor } from './waiting-for.ts';

export function plainProgress({ screen, stopwatch }: ProgressOptions, fleet: FleetView): Progress {
  const started = stopwatch();
  let time = localTime('UTC');
  let clock: (() => number) | undefined;
  let lastCampaign = '';

  /** Real time since the start, then the campaign's own time where it has begun. */
  const line = (text: string) => {
    const now = clock && instantOf(clock());
    const moment = now ? `  ${time.day(now)} ${time.second(now)}` : '';
    screen.write(`${clockText((stopwatch() - started) / 1000)}${moment}  ${visibleText(text)}\n`);
  };

  return {
    colour: false,
    useClock(now) {
      clock = now;
    },
    job(job) {
      if (!fleet.take(job)) return;
      const wave = job.wave === null ? '' : `  ${waveText(job.wave)}`;
      const reason = !isFine(job.state) && job.reasons[0] ? `: ${job.reasons[0].detail}` : '';
      const family = fleet.servers.find(({ id }) => id === job.server.id)?.family;
      line(`${job.server.name}${family ? ` ${family}` : ''}${wave}  ${stateWords[job.state].label}${reason}`);
    },
    reboot(serverId, isDown) {
      const view = fleet.servers.find(({ id }) => id === serverId);
      if (view) line(`${view.name}  ${isDown ? 'reboots' : 'is back from its reboot'}`);
    },
    campaign(campaign) {
      time = localTime(campaign.window.zone);
      const waits = clock ? waitingFor(campaign, fleet, instantOf(clock()), time) : '';
      const text = `campaign ${campaign.id}  ${campaignWords[campaign.state]}${waits && `: ${waits}`}`;
      // A campaign is stored more often than it changes for people.
      if (text !== lastCampaign) line(text);
      lastCampaign = text;
    },
    note: line,
    finish() {},
  };
}
