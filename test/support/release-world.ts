/** Owns the campaign that releases are recorded by and resumed on: its servers, its documents, its decision. */
import { createClock, type LocalClock } from '../../apps/local/clock.ts';
import { createCostMeter } from '../../apps/local/cost-meter.ts';
import {
  createEmbeddedHost,
  type EmbeddedHost,
  type EmbeddedHostOptions,
} from '../../apps/local/embedded-host.ts';
import type { InvocationEvent } from '../../apps/local/run-command/api.ts';
import { createCommands, createFleet } from '../../apps/local/run-command/commands.ts';
import { RunCommand } from '../../apps/local/run-command/service.ts';
import { campaignKey, campaigns, load } from '../../core/entities.ts';
import { type Instant, instantOf, millisOf } from '../../core/instant.ts';
import { policySchema } from '../../core/policy.ts';
import type { Commands, Objects, Records } from '../../core/ports.ts';
import { decideApproval } from '../../core/use-cases/decide-approval.ts';
import { loadJobs } from '../../core/use-cases/load-jobs.ts';
import { campaignId, serversOf, start, windowStart } from './campaign-world.ts';
import { createSimulatedFleet } from './simulated-fleet.ts';

const releaseServers = serversOf(3);
/** Between the seal and the window. */
const decidedAt: Instant = '2026-11-20T18:00:00.000Z';

export const releaseCampaign = {
  campaignId,
  policy: policySchema.parse({
    schema: 1,
    name: 'production',
    waves: { canary: 1, percentages: [100], soakSeconds: 60 },
    approval: { required: true },
  }),
  quarter: '2027-Q1',
  window: { start: windowStart, end: '2026-11-21T09:00:00.000Z', zone: 'Europe/Berlin' },
  requestedBy: 'requester@example.com',
  servers: releaseServers,
};

export interface ReleaseWorldOptions {
  readonly at?: Instant;
  readonly records: Records;
  readonly objects: Objects;
  /** What the servers write goes here. */
  readonly serverObjects?: Objects;
  readonly documents: readonly (readonly [name: string, content: string])[];
  readonly commands?: (commands: Commands) => Commands;
  readonly onEvent?: (event: InvocationEvent) => void;
  readonly engine?: Pick<EmbeddedHostOptions, 'definition' | 'around' | 'callbacks'>;
}

export interface ReleaseWorld {
  readonly clock: LocalClock;
  readonly host: EmbeddedHost;
  readonly commands: Commands;
  readonly errors: readonly unknown[];
  now(): Instant;
  /** Runs the campaign to its end, with a decision by another person where there is none yet. */
  finish(): Promise<CampaignEnding>;
}

interface CampaignEnding {
  readonly status: string;
  readonly state: string;
  readonly jobs: string[];
}

export function createReleaseWorld(options: ReleaseWorldOptions): ReleaseWorld {
  const { records, objects, onEvent = () => {} } = options;
  const clock = createClock(millisOf(options.at ?? start), () => 0);
  const errors: unknown[] = [];
  const service = new RunCommand({
    clock,
    account: '111111111111',
    region: 'eu-central-1',
    emit: (event) => {
      onEvent(event);
      host.publish(event);
    },
  });
  for (const [name, content] of options.documents) service.registerDocument(name, content);
  // The last server has nothing to install: not every campaign is of servers that all go one way.
  const fleet = createSimulatedFleet(
    clock,
    options.serverObjects ?? objects,
    releaseServers,
    ({ name }, phase) =>
      name === 'server-3' && phase === 'prepare' ? { result: 'nothing-to-do', plan: [] } : {},
  );
  for (const server of releaseServers) service.registerInstance(server.id, fleet, server.name);
  const commands = (options.commands ?? ((same) => same))(createCommands(service));
  const host: EmbeddedHost = createEmbeddedHost({
    clock,
    random: () => 0.5,
    records,
    objects,
    commands,
    fleet: createFleet(service),
    notices: { send: async () => undefined },
    meter: createCostMeter(),
    stopwatch: () => 0,
    onError: (error) => errors.push(error),
    ...options.engine,
  });
  const now = () => instantOf(clock.now());
  const campaign = () => load(records, campaigns, campaignKey(campaignId));
  const decide = async () => {
    const { seal, approval } = await campaign();
    if (!seal || !approval || approval.decision) return;
    await decideApproval(
      host.ports,
      { campaignId, root: seal.root, approved: true, by: 'approver@example.com', reason: 'looked at' },
      now(),
    );
  };
  return {
    clock,
    host,
    commands,
    errors,
    now,
    async finish() {
      clock.at(Math.max(millisOf(decidedAt), clock.now()), () => {
        clock.busy(decide).catch((error: unknown) => errors.push(error));
      });
      const execution = await host.finish(campaignId);
      const jobs = await loadJobs(
        records,
        campaignId,
        releaseServers.map(({ id }) => id),
      );
      return {
        status: execution.status,
        state: (await campaign()).state,
        jobs: jobs.map(({ state }) => state),
      };
    },
  };
}
