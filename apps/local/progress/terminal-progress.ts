/** Shows a run on a terminal: a grid of servers and stages, drawn in place. */
import type { Campaign } from '../../../core/campaign.ts';
import { instantOf } from '../../../core/instant.ts';
import { type LocalTime, localTime } from '../report/local-time.ts';
import { campaignWords, stateWords } from '../report/state-words.ts';
import { visibleText } from '../report/visible-text.ts';
import { clipText, type Paint, painter } from '../terminal-text.ts';
import { atExit } from './at-exit.ts';
import { clockText, fleetGrid } from './fleet-grid.ts';
import type { FleetView } from './fleet-view.ts';
import { LiveScreen } from './live-screen.ts';
import type { Progress, ProgressOptions } from './progress.ts';
import { waitingFor } from './waiting-for.ts';

/** Milliseconds between frames: at most ten a second while things happen, four while they only go on. */
const soonest = 100;
const beatLength = 250;

export function terminalProgress(options: ProgressOptions, fleet: FleetView, colour: boolean): Progress {
  const { screen, stopwatch } = options;
  const live = new LiveScreen(screen);
  const paint = painter(colour);
  const started = stopwatch();
  let campaign: Campaign | undefined;
  let time: LocalTime = localTime('UTC');
  let clock: (() => number) | undefined;
  let notes: string[] = [];
  let lastDrawn = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let isFinished = false;

  const draw = () => {
    clearTimeout(timer);
    lastDrawn = stopwatch();
    const elapsed = (lastDrawn - started) / 1000;
    // One column is kept free: a line that fills the last one is broken by some terminals.
    const columns = live.columns - 1;
    const head = campaignLines(campaign, fleet, clock?.(), time, columns, paint);
    const foot = ['', footLine(fleet, elapsed, columns, paint), ...(isFinished ? [''] : [])];
    const beat = Math.floor((elapsed * 1000) / beatLength);
    const size = { columns, rows: live.rows - 1 - head.length - foot.length };
    const above = notes.map((note) => clipText(visibleText(note), columns));
    notes = [];
    live.draw([...head, ...fleetGrid(fleet, size, paint, beat), ...foot], above);
    timer = setTimeout(draw, beatLength).unref();
  };
  const drawSoon = () => {
    if (isFinished) return;
    clearTimeout(timer);
    const wait = lastDrawn + soonest - stopwatch();
    if (wait <= 0) draw();
    else timer = setTimeout(draw, wait).unref();
  };
  const end = () => {
    isFinished = true;
    clearTimeout(timer);
    live.close();
  };
  const forget = atExit(end);
  screen.on('resize', drawSoon);

  return {
    colour,
    useClock(now) {
      clock = now;
      drawSoon();
    },
    job(job) {
      if (fleet.take(job)) drawSoon();
    },
    reboot(serverId, isDown) {
      fleet.reboot(serverId, isDown);
      drawSoon();
    },
    campaign(next) {
      campaign = next;
      if (time.zone !== next.window.zone) time = localTime(next.window.zone);
      drawSoon();
    },
    note(text) {
      notes.push(text);
      drawSoon();
    },
    finish() {
      if (isFinished) return;
      isFinished = true;
      draw();
      end();
      forget();
      screen.off('resize', drawSoon);
    },
  };
}

function campaignLines(
  campaign: Campaign | undefined,
  fleet: FleetView,
  millis: number | undefined,
  time: LocalTime,
  columns: number,
  paint: Paint,
): string[] {
  if (!campaign || millis === undefined) return [paint('strong', 'bringing servers up'), ''];
  const now = instantOf(millis);
  const moment = `${time.day(now)} ${time.second(now)} ${time.zone}`;
  const state = campaignWords[campaign.state];
  const waits = waitingFor(campaign, fleet, now, time);
  const text = clipText(visibleText(`${state}${waits && ` · ${waits}`}`), columns);
  return [
    paint('faint', clipText(visibleText(`${moment} · campaign ${campaign.id}`), columns)),
    paint('strong', text),
    '',
  ];
}

function footLine(fleet: FleetView, elapsed: number, columns: number, paint: Paint): string {
  const counts = fleet.counts().map(([state, number]) => `${number} ${stateWords[state].label}`);
  return paint('faint', clipText(`${clockText(elapsed)}  ${counts.join(', ')}`, columns));
}
