/** Owns campaigns over booted hosts that a test can reach into: the real state machine, Run Command, S3 and steps. */
import type * as z from 'zod';
import { createEndpoints, type Endpoints } from '../../apps/local/aws/endpoints.ts';
import { createClock } from '../../apps/local/clock.ts';
import { createCostMeter } from '../../apps/local/cost-meter.ts';
import { approveWhenAsked, demoCampaign, demoPolicy } from '../../apps/local/demo-campaign.ts';
import { createDiskBackups } from '../../apps/local/disk-backups.ts';
import { createEmbeddedHost } from '../../apps/local/embedded-host.ts';
import type { Host } from '../../apps/local/hosts/host.ts';
import { type LocalFleet, startLocalFleet } from '../../apps/local/local-fleet.ts';
import { createMemoryObjects, type RemovableObjects } from '../../apps/local/memory-objects.ts';
import { createMemoryRecords } from '../../apps/local/memory-records.ts';
import { observedRecords } from '../../apps/local/observed-records.ts';
import { loadReport, type ReportData } from '../../apps/local/report/report-data.ts';
import { startRunCommands } from '../../apps/local/run-commands.ts';
import { stopwatch, systemNow } from '../../apps/local/system-clock.ts';
import { type Instant, instantOf } from '../../core/instant.ts';
import type { Job } from '../../core/job.ts';
import { type Policy, policySchema } from '../../core/policy.ts';
import type { Backups, Notice, Ports } from '../../core/ports.ts';
import type { Server } from '../../core/server.ts';
import { createCampaign } from '../../core/use-cases/create-campaign.ts';
import { rollBack, type rollBackInput } from '../../core/use-cases/roll-back.ts';
import { type ShowRollbackOutput, showRollback } from '../../core/use-cases/show-rollback.ts';
import { sweep } from '../../core/use-cases/sweep.ts';

interface HostCampaign {
  readonly campaignId: string;
  /** What differs from the policy of the demonstration. */
  readonly policy?: Partial<Policy>;
  /** Called when a server's patch is dispatched; the campaign goes on meanwhile. */
  readonly whenPatching?: (host: Host) => Promise<void>;
}

export interface HostCampaigns {
  readonly ports: Ports;
  readonly objects: RemovableObjects;
  readonly backups: RemovableObjects;
  readonly readBackups: Backups;
  readonly notices: readonly Notice[];
  host(name: string): Host;
  now(): Instant;
  /** Runs a campaign over all servers to its end, and gives what its report says. */
  run(campaign: HostCampaign): Promise<Pick<ReportData, 'report' | 'jobs' | 'logs' | 'findings'>>;
  /** Asks for a rollback of a campaign that has ended, as a person does, and waits until every server has answered. */
  rollBack(asked: Pick<z.input<typeof rollBackInput>, 'campaignId' | 'dryRun'>): Promise<ShowRollbackOutput>;
  close(): Promise<void>;
}

/**
 * @param startHosts hosts with the ids of the servers, from endpoints that know them
 * @param agents what the agent of a host runs on, where that is not the host as it is
 */
export async function startHostCampaigns(
  servers: readonly Server[],
  startHosts: (endpoints: Endpoints) => Promise<LocalFleet>,
  agents: (host: Host) => Host = (host) => host,
): Promise<HostCampaigns> {
  const clock = createClock(systemNow(), stopwatch);
  const now = () => instantOf(clock.now());
  const { place } = servers[0] as Server;
  const objects = createMemoryObjects('quarterdeck-campaigns', place.region);
  const backups = createMemoryObjects('quarterdeck-backups', place.region);
  const fleet = await startHosts(createEndpoints({ objects, backups, clock: { now: systemNow } }));
  const find = (wanted: (host: Host) => boolean): Host => {
    const found = fleet.hosts.find(wanted);
    if (!found) throw new Error('the fleet has no such host');
    return found;
  };
  const notices: Notice[] = [];
  const errors: unknown[] = [];
  const meanwhile: Promise<void>[] = [];
  let whenPatching: HostCampaign['whenPatching'];
  const watcher = {
    campaign() {},
    job({ state, server }: Job) {
      if (state !== 'patching' || !whenPatching) return;
      const host = find(({ id }) => id === server.id);
      meanwhile.push(Promise.resolve(whenPatching(host)).catch((error: unknown) => void errors.push(error)));
    },
  };
  const host = createEmbeddedHost({
    clock,
    random: Math.random,
    records: observedRecords(createMemoryRecords(), watcher),
    objects,
    backups,
    ...startRunCommands({
      clock,
      servers,
      hosts: fleet.hosts.map(agents),
      publish: (event) => host.publish(event),
      onReboot: () => {},
    }),
    notices: { send: async (notice) => void notices.push(notice) },
    meter: createCostMeter(),
    stopwatch,
    onError: (error) => errors.push(error),
  });
  return {
    ports: host.ports,
    objects,
    backups,
    readBackups: createDiskBackups(backups),
    notices,
    host: (name) => find((candidate) => candidate.name === name),
    now,
    async run(campaign) {
      const { campaignId } = campaign;
      whenPatching = campaign.whenPatching;
      const policy = policySchema.parse({ ...demoPolicy, ...campaign.policy });
      const input = { ...demoCampaign(servers, true, [], now()), campaignId, policy };
      await clock.busy(() => createCampaign(host.ports, input, now()));
      approveWhenAsked(clock, host.ports, campaignId, (error) => errors.push(error));
      await host.finish(campaignId);
      await Promise.all(meanwhile.splice(0));
      if (errors.length > 0)
        throw new AggregateError(errors, `the campaign met errors: ${errors.join('; ')}`);
      return loadReport(objects, campaignId);
    },
    async rollBack(asked) {
      const people = { by: 'ann@example.com', reason: 'the power was gone' };
      await clock.busy(() => rollBack(host.ports, { ...people, ...asked }, now()));
      for (;;) {
        await new Promise<void>((resolve) => clock.at(clock.now() + 301_000, resolve));
        await clock.busy(() => sweep(host.ports, now()));
        const shown = await showRollback(host.ports, asked);
        if (shown.endedAt !== null) return shown;
      }
    },
    async close() {
      await host.close();
      await fleet.close();
    },
  };
}

/** The same over the hosts and packages of the demonstration. */
export function startDemoCampaigns(
  servers: readonly Server[],
  agents?: (host: Host) => Host,
): Promise<HostCampaigns> {
  const used = { kind: 'sandbox', how: 'booted', reason: 'asked for' } as const;
  const start = (endpoints: Endpoints) =>
    startLocalFleet({
      used,
      servers,
      endpoints,
      failing: undefined,
      rehearsed: undefined,
      progress: () => {},
    });
  return startHostCampaigns(servers, start, agents);
}
