/** Owns what a run tells while it goes on: a grid on a terminal, lines anywhere else. */
import type { Campaign } from '../../../core/campaign.ts';
import type { Job } from '../../../core/job.ts';
import type { Server } from '../../../core/server.ts';
import { mayColour } from '../terminal-text.ts';
import { FleetView } from './fleet-view.ts';
import type { Screen } from './live-screen.ts';
import { plainProgress } from './plain-progress.ts';
import { terminalProgress } from './terminal-progress.ts';

export interface Progress {
  /** Whether what is printed after it may be coloured too. */
  readonly colour: boolean;
  /** The campaign's clock, as soon as there is one: epoch milliseconds. */
  useClock(now: () => number): void;
  campaign(campaign: Campaign): void;
  job(job: Job): void;
  /** A server goes down for a reboot, or is back from it. */
  reboot(serverId: string, isDown: boolean): void;
  /** A line that stays. */
  note(text: string): void;
  /** Shows the last state and gives the terminal back. */
  finish(): void;
}

export interface ProgressOptions {
  /** Standard error where standard output is for programs. */
  readonly screen: Screen;
  readonly servers: readonly Pick<Server, 'id' | 'name' | 'family'>[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Real milliseconds since some moment. */
  readonly stopwatch: () => number;
}

export function createProgress(options: ProgressOptions): Progress {
  const { screen, env } = options;
  const fleet = new FleetView(options.servers, options.stopwatch);
  const isLive = screen.isTTY === true && env.TERM !== 'dumb' && !env.CI;
  return isLive ? terminalProgress(options, fleet, mayColour(screen, env)) : plainProgress(options, fleet);
}
