/** Owns a campaign over shim hosts that a test can reach into: between the seal and the patch, and while it patches. */
import { createEndpoints } from '../../apps/local/aws/endpoints.ts';
import { createClock } from '../../apps/local/clock.ts';
import { createCostMeter } from '../../apps/local/cost-meter.ts';
import { demoCampaign, demoPolicy } from '../../apps/local/demo-campaign.ts';
import { createEmbeddedHost } from '../../apps/local/embedded-host.ts';
import type { Host } from '../../apps/local/hosts/host.ts';
import { type ShimFleetOptions, startShimFleet } from '../../apps/local/hosts/shim.ts';
import { createMemoryObjects } from '../../apps/local/memory-objects.ts';
import { createMemoryRecords } from '../../apps/local/memory-records.ts';
import { observedRecords } from '../../apps/local/observed-records.ts';
import { createCommands, createFleet } from '../../apps/local/run-command/commands.ts';
import { createHostAgent } from '../../apps/local/run-command/host-agent.ts';
import type { Interpolation } from '../../apps/local/run-command/interpolation.ts';
import { RunCommand } from '../../apps/local/run-command/service.ts';
import { stopwatch, systemNow } from '../../apps/local/system-clock.ts';
import type { Campaign } from '../../core/campaign.ts';
import { documentPrefix } from '../../core/document.ts';
import { campaignKey, campaigns, load } from '../../core/entities.ts';
import { instantOf } from '../../core/instant.ts';
import type { Job } from '../../core/job.ts';
import type { Server } from '../../core/server.ts';
import { createCampaign } from '../../core/use-cases/create-campaign.ts';
import { decideApproval } from '../../core/use-cases/decide-approval.ts';
import { loadJobs } from '../../core/use-cases/load-jobs.ts';
import { assembleDocuments } from '../../ssm-documents/assemble.ts';

export interface ShimCampaign {
  readonly servers: readonly Server[];
  readonly installed: ShimFleetOptions['installed'];
  /** Published before the campaign starts. */
  readonly updates: ShimFleetOptions['installed'];
  readonly interpolation?: Interpolation;
  /** Called when the plans are sealed, before they are approved. */
  readonly whenSealed?: (host: (name: string) => Host) => Promise<void>;
  /** Called when a server's patch is dispatched; the campaign goes on meanwhile. */
  readonly whenPatching?: (host: Host) => Promise<void>;
}

export interface ShimCampaignEnd {
  readonly campaign: Campaign;
  /** By name of the server. */
  readonly jobs: ReadonlyMap<string, Job>;
  /** A file of the server of that name. */
  read(name: string, path: string): Promise<string | undefined>;
}

/** Runs the campaign to its end and hands it to `look` while its hosts are still there. */
export async function runShimCampaign<T>(
  { servers, installed, updates, interpolation, whenSealed, whenPatching }: ShimCampaign,
  look: (end: ShimCampaignEnd) => Promise<T>,
): Promise<T> {
  const clock = createClock(systemNow(), stopwatch);
  const place = (servers[0] as Server).place;
  const objects = createMemoryObjects('quarterdeck-campaigns', place.region);
  const backups = createMemoryObjects('quarterdeck-backups', place.region);
  const endpoints = createEndpoints({ objects, backups, clock: { now: systemNow } });
  const fleet = await startShimFleet({
    servers: servers.map(({ id, name }) => ({ id, name })),
    installed,
    automatic: [],
    endpoints: (id) => endpoints.listenersFor({ id, place }),
  });
  try {
    await fleet.repository.publish('stable', updates);
    const hostCalled = (name: string) => {
      const found = fleet.hosts.find((host) => host.name === name);
      if (!found) throw new Error(`no host ${name}`);
      return found;
    };
    const errors: unknown[] = [];
    const meanwhile: Promise<void>[] = [];
    const act = (work: () => Promise<void>) => {
      meanwhile.push(clock.busy(work).catch((error: unknown) => void errors.push(error)));
    };
    let approved = false;
    const watcher = {
      campaign({ state, approval }: Campaign) {
        if (state !== 'awaiting-approval' || !approval || approved) return;
        approved = true;
        act(async () => {
          await whenSealed?.(hostCalled);
          const { root } = approval;
          await decideApproval(
            host.ports,
            { campaignId, root, approved: true, by: 'approver@example.com' },
            instantOf(clock.now()),
          );
        });
      },
      job({ state, server }: Job) {
        if (state === 'patching' && whenPatching) act(() => whenPatching(hostCalled(server.name)));
      },
    };
    const service = new RunCommand({ clock, ...place, emit: (event) => host.publish(event) });
    for (const { name, content } of assembleDocuments('ssm-documents'))
      service.registerDocument(`${documentPrefix}${name}`, JSON.stringify(content));
    for (const local of fleet.hosts) {
      const agent = createHostAgent(local, {
        clock,
        region: place.region,
        rebootDelay: 0,
        ...(interpolation && { interpolation }),
      });
      service.registerInstance(local.id, agent, local.name);
    }
    const records = createMemoryRecords();
    const host = createEmbeddedHost({
      clock,
      random: Math.random,
      records: observedRecords(records, watcher),
      objects,
      backups,
      commands: createCommands(service),
      fleet: createFleet(service),
      notices: { send: async () => {} },
      meter: createCostMeter(),
      stopwatch,
      onError: (error) => errors.push(error),
    });
    const input = demoCampaign(servers, true, [], instantOf(clock.now()));
    const { campaignId } = input;
    const policy = { ...demoPolicy, errorBudget: { failures: servers.length, share: 1 } };
    await clock.busy(() => createCampaign(host.ports, { ...input, policy }, instantOf(clock.now())));
    await host.finish(campaignId);
    await Promise.all(meanwhile);
    if (errors.length > 0) throw new AggregateError(errors, `the campaign met errors: ${errors.join('; ')}`);
    const jobs = await loadJobs(
      records,
      campaignId,
      servers.map(({ id }) => id),
    );
    return await look({
      campaign: await load(records, campaigns, campaignKey(campaignId)),
      jobs: new Map(jobs.map((job) => [job.server.name, job])),
      read: (name, path) => hostCalled(name).readFile(path),
    });
  } finally {
    await fleet.close();
  }
}
