/** Draws a run as lines that fit a terminal: a row for each server, or sums where there are too many. */
import type { JobState } from '../../../core/job.ts';
import { stateWords, type Tone, waveText } from '../report/state-words.ts';
import { visibleText } from '../report/visible-text.ts';
import { clipText, type Paint, padText, textWidth } from '../terminal-text.ts';
import { type FleetView, type ServerView, type Stage, type StageState, stages } from './fleet-view.ts';

export interface GridSize {
  readonly columns: number;
  /** Lines that may be used. */
  readonly rows: number;
}

/** @param beat rises by one with each frame; moves what is under way */
export function fleetGrid(fleet: FleetView, size: GridSize, paint: Paint, beat: number): string[] {
  const all = fleet.servers;
  const layout = layOut(all, size.columns);
  const row = (view: ServerView) => serverRow(fleet, view, layout, paint, beat);
  if (all.length + 1 <= size.rows) return [titles(layout, paint), ...all.map(row)];
  const waves = waveRows(fleet, size.columns, paint).slice(0, size.rows);
  const left = size.rows - waves.length - 2;
  const chosen = left > 0 ? mostTelling(all).slice(0, left) : [];
  return chosen.length > 0 ? [...waves, '', titles(layout, paint), ...chosen.map(row)] : waves;
}

interface Layout {
  readonly name: number;
  /** 0 where all servers are of one family, or there is no room to say which. */
  readonly family: number;
  readonly stage: number;
  /** What is left for the reason behind a state. */
  readonly reason: number;
}

const waveWidth = 7;
const stateWidth = 13;
const timeWidth = 5;
const between = 2;

function layOut(servers: readonly ServerView[], columns: number): Layout {
  const fixed = waveWidth + stateWidth + timeWidth + between * 4 + (stages.length - 1);
  const longest = Math.max(6, ...servers.map(({ name }) => textWidth(visibleText(name))));
  const shortestStage = 6;
  const name = Math.max(6, Math.min(longest, 28, columns - fixed - stages.length * shortestStage));
  const words = Math.max(0, ...servers.map(({ family }) => (family ? textWidth(family) + between : 0)));
  const family = columns - fixed - name - words >= stages.length * shortestStage ? words : 0;
  const free = columns - fixed - name - family;
  const stage = Math.max(0, Math.min(10, Math.floor(free / stages.length)));
  return { name, family, stage: stage < 2 ? 0 : stage, reason: free - stage * stages.length - between };
}

function titles({ name, family, stage }: Layout, paint: Paint): string {
  const bars = stages.map((title) => padText(stage < 7 ? title.slice(0, stage) : title, stage)).join(' ');
  return paint(
    'faint',
    [
      padText('server', name),
      ...(family > 0 ? [padText('family', family - between)] : []),
      padText('wave', waveWidth),
      bars,
      padText('state', stateWidth),
      padText('time', timeWidth, 'right'),
    ].join('  '),
  );
}

function serverRow(fleet: FleetView, view: ServerView, layout: Layout, paint: Paint, beat: number): string {
  const { label, tone } = stateWords[view.state];
  const seconds = fleet.workedSeconds(view);
  const time = seconds === 0 ? '' : clockText(seconds);
  const needsReason = tone === 'bad' || tone === 'watch';
  const reason =
    needsReason && view.reason && layout.reason >= 16
      ? clipText(visibleText(view.reason), layout.reason)
      : '';
  const bars = stages.map((stage) => stageBar(view, stage, layout.stage, paint, beat)).join(' ');
  return [
    padText(visibleText(view.name), layout.name),
    ...(layout.family > 0 ? [paint('faint', padText(view.family ?? '', layout.family - between))] : []),
    paint('faint', padText(waveText(view.wave), waveWidth)),
    bars,
    paint(tone, padText(label, stateWidth)),
    paint('faint', padText(time, timeWidth, 'right')),
    ...(reason ? [paint('faint', reason)] : []),
  ]
    .join('  ')
    .trimEnd();
}

/** Told apart by shape as well as by colour. */
const shapes: Readonly<Record<StageState, string>> = {
  waiting: '·',
  active: '─',
  done: '━',
  skipped: '─',
  ended: '━',
};

function stageBar(view: ServerView, stage: Stage, width: number, paint: Paint, beat: number): string {
  const state = view.stages[stage];
  const shape = shapes[state];
  if (width === 0) return '';
  switch (state) {
    case 'waiting':
    case 'skipped':
      return paint('faint', shape.repeat(width));
    case 'done':
      return paint('good', shape.repeat(width));
    case 'ended':
      return paint(stateWords[view.state].tone, `${shape.repeat(width - 1)}✗`);
    case 'active':
      return activeBar(width, paint, beat);
  }
}

/** Nobody knows how long a transaction takes, so nothing here looks as if it did: a block moves to and fro. */
function activeBar(width: number, paint: Paint, beat: number): string {
  const block = Math.max(1, Math.floor(width / 3));
  const room = width - block;
  const step = room === 0 ? 0 : beat % (room * 2);
  const at = step <= room ? step : room * 2 - step;
  return (
    paint('faint', '─'.repeat(at)) + paint('busy', '━'.repeat(block)) + paint('faint', '─'.repeat(room - at))
  );
}

/** Failures first, then what is under way. */
function mostTelling(servers: readonly ServerView[]): ServerView[] {
  const rank: Readonly<Record<Tone, number>> = { bad: 0, watch: 1, busy: 2, good: 9, calm: 9 };
  const rankOf = ({ state }: ServerView) =>
    state === 'planned' || state === 'ready' ? 9 : rank[stateWords[state].tone];
  return servers.filter((view) => rankOf(view) < 9).toSorted((a, b) => rankOf(a) - rankOf(b));
}

function waveRows(fleet: FleetView, columns: number, paint: Paint): string[] {
  const waves = [...new Set(fleet.servers.map(({ wave }) => wave))].toSorted(
    (a, b) => (a ?? Infinity) - (b ?? Infinity),
  );
  const bar = Math.max(8, Math.min(30, columns - 60));
  return waves.map((wave) => {
    const members = fleet.servers.filter((view) => view.wave === wave);
    const counts = fleet.counts(members).toReversed();
    const title = wave === null ? 'no wave' : waveText(wave);
    const words = counts.map(([state, number]) => `${number} ${stateWords[state].label}`).join(', ');
    const text = clipText(words, Math.max(0, columns - waveWidth - 6 - bar - between * 3));
    return `${padText(title, waveWidth)}  ${padText(String(members.length), 6, 'right')}  ${shareBar(counts, members.length, bar, paint)}  ${paint('faint', text)}`;
  });
}

function shareBar(counts: readonly [JobState, number][], total: number, width: number, paint: Paint): string {
  let servers = 0;
  let drawn = 0;
  return counts
    .map(([state, number]) => {
      servers += number;
      const until = Math.round((servers / total) * width);
      const length = until - drawn;
      drawn = until;
      const { tone } = stateWords[state];
      const shape = state === 'planned' || state === 'ready' ? '·' : tone === 'busy' ? '─' : '━';
      return length === 0 ? '' : paint(tone, shape.repeat(length));
    })
    .join('');
}

/** `0:07`, `12:30`. */
export function clockText(seconds: number): string {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}
