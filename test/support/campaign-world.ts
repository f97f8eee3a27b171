/** Owns a whole campaign in memory and virtual time: the real state machine and use-cases over simulated servers. */
import { createClock, type LocalClock } from '../../apps/local/clock.ts';
import { type CostMeter, createCostMeter } from '../../apps/local/cost-meter.ts';
import { createEmbeddedHost, type EmbeddedHost } from '../../apps/local/embedded-host.ts';
import type { EventFaults } from '../../apps/local/event-bus.ts';
import { createMemoryObjects } from '../../apps/local/memory-objects.ts';
import { createMemoryRecords } from '../../apps/local/memory-records.ts';
import { createMemorySnapshots } from '../../apps/local/memory-snapshots.ts';
import { createCommands, createFleet } from '../../apps/local/run-command/commands.ts';
import { RunCommand } from '../../apps/local/run-command/service.ts';
import { campaignKey, campaigns, load } from '../../core/entities.ts';
import { type Instant, instantOf, millisOf } from '../../core/instant.ts';
import type { Job } from '../../core/job.ts';
import { type Policy, policySchema } from '../../core/policy.ts';
import type { Alarms, Commands, Fleet, Notice, Objects, Records, Snapshots } from '../../core/ports.ts';
import { reportKey, reportPartSchema, reportSchema } from '../../core/report.ts';
import type { Server } from '../../core/server.ts';
import { createCampaign } from '../../core/use-cases/create-campaign.ts';
import { decideApproval } from '../../core/use-cases/decide-approval.ts';
import { loadJobs } from '../../core/use-cases/load-jobs.ts';
import { simulatedDocuments } from './simulated-documents.ts';
import { type Behave, createSimulatedFleet, type SimulatedFleet } from './simulated-fleet.ts';

export const campaignId = 'campaign-0001';
export const start = '2026-11-20T12:00:00.000Z';
export const windowStart = '2026-11-21T01:00:00.000Z';

export function serversOf(count: number, change: (index: number) => Partial<Server> = () => ({})): Server[] {
  return Array.from({ length: count }, (_, index) => ({
    schema: 1 as const,
    id: `i-${(index + 1).toString(16).padStart(17, '0')}`,
    name: `server-${index + 1}`,
    place: { account: '111111111111', region: 'eu-central-1' },
    family: 'debian' as const,
    environment: 'production',
    owner: 'owner@example.com',
    zone: 'Europe/Berlin',
    tags: {},
    ...change(index),
  }));
}

export interface WorldOptions {
  readonly servers: readonly Server[];
  readonly behave?: Behave;
  readonly policy?: Partial<Policy>;
  readonly windowEnd?: Instant;
  readonly faults?: EventFaults;
  readonly records?: Records;
  readonly commands?: (commands: Commands) => Commands;
  readonly fleet?: (fleet: Fleet) => Fleet;
  readonly snapshots?: (snapshots: Snapshots) => Snapshots;
  readonly alarms?: Alarms;
  readonly seed?: number;
  readonly campaignId?: string;
  /** Real milliseconds, where durations of functions matter. */
  readonly stopwatch?: () => number;
}

export interface World {
  readonly clock: LocalClock;
  readonly host: EmbeddedHost;
  readonly fleet: SimulatedFleet;
  readonly service: RunCommand;
  readonly records: Records;
  readonly objects: Objects;
  readonly meter: CostMeter;
  readonly notices: Notice[];
  readonly errors: unknown[];
  now(): Instant;
  /** Creates the campaign and runs it to its end. */
  run(): Promise<CampaignEnd>;
  at(instant: Instant, act: () => Promise<unknown>): void;
}

interface CampaignEnd {
  readonly status: string;
  readonly state: string;
  readonly reason: string | undefined;
  readonly states: Readonly<Record<string, string>>;
  readonly jobs: readonly Job[];
}

/** A generator of numbers in [0, 1) from a seed (mulberry32), so that every run of a test is the same. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function createWorld(options: WorldOptions): World {
  const id = options.campaignId ?? campaignId;
  const clock = createClock(millisOf(start), () => 0);
  const meter = createCostMeter();
  const records = options.records ?? createMemoryRecords();
  const objects = createMemoryObjects('bucket-of-campaigns', 'eu-central-1');
  const notices: Notice[] = [];
  const errors: unknown[] = [];
  const service = new RunCommand({
    clock,
    account: '111111111111',
    region: 'eu-central-1',
    emit: (event) => host.publish(event),
  });
  for (const [name, content] of simulatedDocuments()) service.registerDocument(name, content);
  const fleet = createSimulatedFleet(clock, objects, options.servers, options.behave ?? (() => ({})));
  for (const server of options.servers) service.registerInstance(server.id, fleet, server.name);
  const same = <T>(port: T) => port;
  const host = createEmbeddedHost({
    clock,
    random: seeded(options.seed ?? 1),
    records,
    objects,
    commands: (options.commands ?? same)(createCommands(service)),
    fleet: (options.fleet ?? same)(createFleet(service)),
    notices: { send: async (notice) => void notices.push(notice) },
    snapshots: (options.snapshots ?? same)(createMemorySnapshots(() => now())),
    ...(options.alarms && { alarms: options.alarms }),
    meter,
    stopwatch: options.stopwatch ?? (() => 0),
    onError: (error) => errors.push(error),
    ...(options.faults && { faults: options.faults }),
  });
  const now = () => instantOf(clock.now());
  const at = (instant: Instant, act: () => Promise<unknown>) => {
    clock.at(millisOf(instant), () => {
      clock.busy(act).catch((error: unknown) => errors.push(error));
    });
  };
  return {
    clock,
    host,
    fleet,
    service,
    records,
    objects,
    meter,
    notices,
    errors,
    now,
    at,
    async run() {
      const policy = policySchema.parse({
        schema: 1,
        name: 'production',
        approval: { required: false, timeoutSeconds: 86_400 },
        ...options.policy,
      });
      await clock.busy(() =>
        createCampaign(
          host.ports,
          {
            campaignId: id,
            policy,
            quarter: '2027-Q1',
            window: {
              start: windowStart,
              end: options.windowEnd ?? '2026-11-21T09:00:00.000Z',
              zone: 'Europe/Berlin',
            },
            requestedBy: 'requester@example.com',
            servers: [...options.servers],
          },
          now(),
        ),
      );
      const execution = await host.finish(id);
      const campaign = await load(records, campaigns, campaignKey(id));
      const jobs = await loadJobs(
        records,
        id,
        options.servers.map((server) => server.id),
      );
      return {
        status: execution.status,
        state: campaign.state,
        reason: campaign.reason?.code,
        states: Object.fromEntries(jobs.map((job) => [job.server.name, job.state])),
        jobs,
      };
    },
  };
}

/** Somebody else than the requester decides on what is sealed. */
export async function decide(world: World, approved: boolean, by = 'approver@example.com'): Promise<void> {
  const campaign = await load(world.records, campaigns, campaignKey(campaignId));
  const root = campaign.seal?.root ?? '';
  await decideApproval(
    world.host.ports,
    { campaignId, root, approved, by, reason: 'looked at' },
    world.now(),
  );
}

export async function readReport(objects: Objects, id = campaignId) {
  const read = async (key: string) =>
    JSON.parse(Buffer.from((await objects.get(key)) ?? '').toString('utf8'));
  const report = reportSchema.parse(await read(reportKey(id)));
  const parts = await Promise.all(report.parts.map(async (key) => reportPartSchema.parse(await read(key))));
  return { report, jobs: parts.flatMap((part) => part.jobs) };
}
