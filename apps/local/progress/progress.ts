/** Owns what a run tells while it goes on. */
import type { Campaign } from '../../../core/campaign.ts';
import type { Job } from '../../../core/job.ts';

export function createProgress(options: { screen: NodeJS.WriteStream; servers: readonly unknown[]; env: NodeJS.ProcessEnv }) {
  const { screen } = options;
  return {
    colour: false,
    useClock: (_now: () => number) => {},
    job: (job: Job) => screen.write(`${job.server.name} ${job.state}\n`),
    campaign: (campaign: Campaign) => screen.write(`campaign ${campaign.state}\n`),
    note: (text: string) => screen.write(`${text}\n`),
    finish: () => {},
  };
}
