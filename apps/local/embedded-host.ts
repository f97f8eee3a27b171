/** Owns the embedded host: the campaign's state machine, its steps, Run Command and events, wired in one process. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sentDocuments } from '../../core/document.ts';
import { instantOf } from '../../core/instant.ts';
import { phaseSchema } from '../../core/phase.ts';
import type {
  Alarms,
  Callbacks,
  Commands,
  Fleet,
  Measures,
  Notices,
  Objects,
  Ports,
  Records,
  RootVolumes,
  Snapshots,
} from '../../core/ports.ts';
import { type StepName, steps, stepToken } from '../../core/steps.ts';
import { settleCommand, UnknownCommand } from '../../core/use-cases/settle-run.ts';
import { sweep } from '../../core/use-cases/sweep.ts';
import { createEngine, type Engine } from './asl/engine.ts';
import type { Execution } from './asl/execution.ts';
import type { HistoryEvent } from './asl/history.ts';
import { engineCallbacks, engineExecutions } from './callbacks.ts';
import type { LocalClock } from './clock.ts';
import { type CostMeter, countEvent, countInvocation, countQueueBatch } from './cost-meter.ts';
import { createEventBus, type EventFaults } from './event-bus.ts';
import { createMemoryAlarms } from './memory-alarms.ts';
import { createMemoryRootVolumes } from './memory-root-volumes.ts';
import { createMemorySnapshots } from './memory-snapshots.ts';
import { meteredPorts } from './metered-ports.ts';

/** The state machine's name, and the memory that its functions are priced with. */
const machineName = 'campaign';
const lambdaMemoryMb = 512;

/** How often the sweeper looks, as EventBridge Scheduler will call it. */
const sweepSeconds = 300;

export interface EmbeddedHostOptions {
  readonly clock: LocalClock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly records: Records;
  readonly objects: Objects;
  readonly commands: Commands;
  readonly fleet: Fleet;
  readonly notices: Notices;
  /** In memory, if nothing is said. */
  readonly snapshots?: Snapshots;
  readonly rootVolumes?: RootVolumes;
  readonly alarms?: Alarms;
  /** Where servers are told to put their backups. */
  readonly backups?: Ports['backups'];
  /** Told of what alarms count. */
  readonly onMeasure?: Measures['count'];
  readonly meter: CostMeter;
  /** What the event bus does to the events of Run Command. */
  readonly faults?: EventFaults;
  /** Real milliseconds, for what functions are billed. */
  readonly stopwatch: () => number;
  /** Told of errors that are nobody's answer: failed sweeps, and events that have to come again. */
  readonly onError?: (error: unknown) => void;
  readonly observe?: (event: HistoryEvent) => void;
  /** The definition to run; that of today, if nothing is said. */
  readonly definition?: unknown;
  /** Around every step that the state machine invokes. */
  readonly around?: (step: StepName, payload: unknown, invoke: () => Promise<unknown>) => Promise<unknown>;
  /** Around the answers to its tokens. */
  readonly callbacks?: (callbacks: Callbacks) => Callbacks;
}

export interface EmbeddedHost {
  readonly ports: Ports;
  readonly engine: Engine;
  /** Give it every event of Run Command. */
  publish(event: CommandEvent): void;
  /** Runs the sweeper for as long as the execution runs. */
  finish(campaignId: string): Promise<Execution>;
  /** Lets nothing begin any more, before the stores under it go away. */
  close(): Promise<void>;
}

class HostClosed extends Error {
  constructor() {
    super('the embedded host is closed');
    this.name = 'HostClosed';
  }
}

/** The part of a Run Command event that the rule and its function read. */
interface CommandEvent {
  readonly detail: {
    readonly 'command-id': string;
    readonly 'document-name': string;
    readonly status: string;
  };
}

const campaignDocuments: ReadonlySet<string> = new Set(sentDocuments(phaseSchema.options));
const underWay: ReadonlySet<string> = new Set(['Pending', 'InProgress', 'Delayed', 'Cancelling']);

export function createEmbeddedHost(options: EmbeddedHostOptions): EmbeddedHost {
  const { clock, random, meter, stopwatch } = options;
  const { around = (_step, _payload, invoke) => invoke() } = options;
  let isClosed = false;
  const onError = (error: unknown) => {
    if (!isClosed) options.onError?.(error);
  };
  const now = () => instantOf(clock.now());
  const lambda = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    if (isClosed) throw new HostClosed();
    return clock.busy(() => countInvocation({ meter, name, memoryMb: lambdaMemoryMb, stopwatch }, work));
  };

  const engine = createEngine({
    clock,
    random,
    // Payloads are JSON on their way to a function and back.
    invoke: (step, payload) =>
      around(step as StepName, payload, () =>
        lambda(step, async () => plainJson(await steps[step as StepName](ports, plainJson(payload), now()))),
      ),
    objects: {
      get: async (_bucket, key) =>
        Buffer.from((await ports.objects.get(key)) ?? missing(key)).toString('utf8'),
      put: (_bucket, key, body) => ports.objects.put(key, body),
    },
    children: 'count',
    ...(options.observe && { observe: options.observe }),
  });
  const { records, objects, commands, fleet, notices } = options;
  const callbacks = (options.callbacks ?? ((same) => same))(engineCallbacks(engine));
  const executions = engineExecutions(engine, machineName);
  const {
    snapshots = createMemorySnapshots(now),
    rootVolumes = createMemoryRootVolumes(now),
    alarms = createMemoryAlarms(),
    backups = { bucket: 'quarterdeck-backups' },
  } = options;
  const ports = meteredPorts(
    {
      records,
      objects,
      commands,
      fleet,
      notices,
      callbacks,
      executions,
      snapshots,
      rootVolumes,
      alarms,
      backups,
      measures: { count: (name, servers) => options.onMeasure?.(name, servers) },
    },
    meter,
  );
  engine.load(
    machineName,
    options.definition ?? campaignDefinition(),
    Object.fromEntries(stepNames.map((step) => [stepToken(step), step])),
  );

  const bus = createEventBus<CommandEvent>({
    clock,
    random,
    ...(options.faults && { faults: options.faults }),
    matches: ({ detail }) => campaignDocuments.has(detail['document-name']) && !underWay.has(detail.status),
    onQueued: () => countEvent(meter),
    consume: (batch) =>
      lambda('settle-command', async () => {
        const failed = await settleEvents(ports, batch, now, onError);
        countQueueBatch(meter, batch.length - failed.length);
        return failed;
      }),
  });

  return {
    ports,
    engine,
    publish: (event) => bus.publish(event),
    async finish(campaignId) {
      const execution = engine.execution(campaignId);
      if (!execution) throw new Error(`campaign ${campaignId} was never started`);
      let cancel = () => {};
      const sweepLater = () => {
        cancel = clock.at(clock.now() + sweepSeconds * 1000, () => {
          sweepLater();
          lambda('sweep', () => sweep(ports, now())).then(({ failed }) => failed.forEach(onError), onError);
        });
      };
      sweepLater();
      await execution.done;
      cancel();
      return execution;
    },
    async close() {
      isClosed = true;
      for (const execution of engine.executions()) {
        if (execution.status === 'RUNNING') await engine.stopExecution(execution.arn);
      }
    },
  };
}

const stepNames = Object.keys(steps) as StepName[];

export function campaignDefinition(): unknown {
  const path = join(import.meta.dirname, '../../state-machines/campaign.asl.json');
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** One look per command serves all events of it; the events whose command could not be settled come again. */
async function settleEvents(
  ports: Ports,
  batch: readonly CommandEvent[],
  now: () => string,
  onError: (error: unknown) => void,
): Promise<CommandEvent[]> {
  const failed = new Set<string>();
  for (const commandId of new Set(batch.map(({ detail }) => detail['command-id']))) {
    try {
      await settleCommand(ports, commandId, now());
    } catch (error) {
      // Whatever it was, the queue brings the event again. An event that overtakes its record is no news.
      if (!(error instanceof UnknownCommand)) onError(error);
      failed.add(commandId);
    }
  }
  return batch.filter(({ detail }) => failed.has(detail['command-id']));
}

function plainJson(value: unknown): unknown {
  return value === undefined ? null : JSON.parse(JSON.stringify(value));
}

function missing(key: string): never {
  throw new Error(`there is no object ${key}`);
}
