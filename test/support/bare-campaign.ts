/** Owns the use-cases without a state machine: ports in memory, a clock that a test moves, and what came of it all. */
import { createMemoryAlarms } from '../../apps/local/memory-alarms.ts';
import { createMemoryObjects } from '../../apps/local/memory-objects.ts';
import { createMemoryRecords } from '../../apps/local/memory-records.ts';
import { createMemoryRootVolumes } from '../../apps/local/memory-root-volumes.ts';
import { createMemorySnapshots } from '../../apps/local/memory-snapshots.ts';
import type { Batch } from '../../core/batch.ts';
import type { Campaign } from '../../core/campaign.ts';
import { batches, batchKey, campaignKey, campaigns, jobKey, jobs, load } from '../../core/entities.ts';
import { type Instant, plusSeconds } from '../../core/instant.ts';
import type { Job } from '../../core/job.ts';
import type { Measure } from '../../core/measure.ts';
import type { Policy } from '../../core/policy.ts';
import type { Callbacks, Notice, Ports, RecordKey, Records } from '../../core/ports.ts';
import type { Server } from '../../core/server.ts';
import { campaignId, dayBefore, policyOf, window } from './samples.ts';
import { createScriptedRunCommand, type ScriptedRunCommand } from './scripted-run-command.ts';

export interface BareCampaign {
  readonly ports: Ports;
  readonly runCommand: ScriptedRunCommand;
  readonly notices: readonly Notice[];
  readonly started: readonly string[];
  readonly answers: Answers;
  /** What alarms counted. */
  readonly measured: readonly (readonly [Measure, number])[];
  now(): Instant;
  sleep(seconds: number): void;
  sleepUntil(instant: Instant): void;
  campaign(): Promise<Campaign>;
  batch(id: string): Promise<Batch>;
  job(server: Server): Promise<Job>;
  /** State of every job, in the order of the servers. */
  states(): Promise<string[]>;
  /** Everything that is stored, but for when and by which token. */
  stored(): Promise<Record<string, unknown>>;
}

interface Answers {
  /** What was delivered to tokens, and what failed them. */
  readonly delivered: ReadonlyMap<string, unknown>;
  readonly failed: ReadonlyMap<string, string>;
  /** The state that had this token waits no more. */
  expire(token: string): void;
}

export function createBareCampaign(servers: readonly Server[]): BareCampaign {
  let now = dayBefore;
  const keys = new Map<string, RecordKey>();
  const memory = createMemoryRecords();
  const records: Records = {
    ...memory,
    async create(record) {
      keys.set(`${record.key.partition} ${record.key.sort}`, record.key);
      return memory.create(record);
    },
  };
  const objects = createMemoryObjects('campaigns-111111111111', 'eu-central-1');
  const runCommand = createScriptedRunCommand(servers, objects, () => now);
  const notices: Notice[] = [];
  const started: string[] = [];
  const measured: [Measure, number][] = [];
  const { callbacks, answers } = createAnswers();
  const ports: Ports = {
    records,
    objects,
    commands: runCommand.commands,
    fleet: runCommand.fleet,
    callbacks,
    notices: { send: async (notice) => void notices.push(notice) },
    executions: { start: async (name) => void started.push(name) },
    snapshots: createMemorySnapshots(() => now),
    rootVolumes: createMemoryRootVolumes(() => now),
    alarms: createMemoryAlarms(),
    backups: { bucket: 'backups-111111111111' },
    measures: { count: (name, number) => void measured.push([name, number]) },
  };
  const job = (server: Server) => load(records, jobs, jobKey(campaignId, server.id));
  return {
    ports,
    runCommand,
    notices,
    started,
    answers,
    measured,
    now: () => now,
    sleep(seconds) {
      now = plusSeconds(now, seconds);
    },
    sleepUntil(instant) {
      if (instant > now) now = instant;
    },
    campaign: () => load(records, campaigns, campaignKey(campaignId)),
    batch: (id) => load(records, batches, batchKey(campaignId, id)),
    job,
    states: async () => (await Promise.all(servers.map(job))).map(({ state }) => state),
    async stored() {
      const all: Record<string, unknown> = {};
      for (const name of [...keys.keys()].toSorted()) {
        const record = await memory.get(keys.get(name) as RecordKey);
        if (record) all[name] = timeless(record.body);
      }
      return all;
    },
  };
}

function createAnswers(): { callbacks: Callbacks; answers: Answers } {
  const delivered = new Map<string, unknown>();
  const failed = new Map<string, string>();
  const expired = new Set<string>();
  const isGone = (token: string) => delivered.has(token) || failed.has(token) || expired.has(token);
  const callbacks: Callbacks = {
    async succeed(token, output) {
      if (isGone(token)) return 'gone';
      delivered.set(token, output);
      return 'delivered';
    },
    async fail(token, error) {
      if (isGone(token)) return 'gone';
      failed.set(token, error);
      return 'delivered';
    },
  };
  return { callbacks, answers: { delivered, failed, expire: (token) => void expired.add(token) } };
}

/** Tokens and instants say when and at which attempt something happened, which an interruption may change. */
export function timeless(value: unknown): unknown {
  const text = JSON.stringify(value, (key, item) => (key === 'token' ? 'token' : item));
  return JSON.parse(text.replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, 'instant'));
}

export function inputOf(
  servers: readonly Server[],
  policy: Policy = policyOf({ approval: { required: false } }),
) {
  return { campaignId, policy, quarter: '2027-Q1', window, requestedBy: 'ann', servers: [...servers] };
}

/** Creates the campaign and returns its world. */
