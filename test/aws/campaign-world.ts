/**
 * Owns a whole campaign on moto: the stack of the template, its functions bundled and in threads, its queue and its
 * schedule played, Run Command of the embedded host as SSM over simulated servers, and our engine as Step Functions.
 * Time is the campaign's, and skips ahead; every call to AWS passes the proxy.
 */
import { createEngine, type Engine } from '../../apps/local/asl/engine.ts';
import type { HistoryEvent } from '../../apps/local/asl/history.ts';
import { createClock, type LocalClock } from '../../apps/local/clock.ts';
import type { InvocationEvent } from '../../apps/local/run-command/api.ts';
import type { Campaign } from '../../core/campaign.ts';
import type { Configuration } from '../../core/configuration.ts';
import { campaignKey, campaigns, load } from '../../core/entities.ts';
import { millisOf } from '../../core/instant.ts';
import type { Job } from '../../core/job.ts';
import type { Objects, Records } from '../../core/ports.ts';
import type { Server } from '../../core/server.ts';
import { loadJobs } from '../../core/use-cases/load-jobs.ts';
import { createDynamoDbCalls, createDynamoDbRecords } from '../../lambdas/aws/dynamodb-records.ts';
import { createS3Calls, createS3Objects } from '../../lambdas/aws/s3-objects.ts';
import type { FunctionName } from '../../lambdas/functions.ts';
import { start, windowStart } from '../support/campaign-world.ts';
import { type RootVolumeEndpoint, serveRootVolumes } from '../support/root-volume-endpoint.ts';
import type { Behave, SimulatedFleet } from '../support/simulated-fleet.ts';
import { configurationFrom, ofType } from '../support/synthesise.ts';
import { type RunningFunctions, startFunctions } from './functions.ts';
import { keyIn, type PlaceOnMoto } from './place-on-moto.ts';
import { type AwsCall, type AwsProxy, startProxy } from './proxy.ts';
import { consumeQueue, type QueueConsumer } from './queue-consumer.ts';
import { type Subscription, subscribe } from './received-notices.ts';
import { startServers } from './servers-in-places.ts';
import type { StackOnMoto } from './stack.ts';
import { stackOnMoto } from './stack-on-moto.ts';
import { serveEngine } from './states-endpoint.ts';

export const campaignId = 'campaign-0001';

const onePlace = `
schema: 1
home: { account: "111111111111", region: eu-central-1 }
environments:
  production:
    mode: all
    approval: { required: true }
    waves: { canary: 1, percentages: [100], soakSeconds: 900 }
`;

export interface AwsWorldOptions {
  /** One account and Region, when none is given. */
  readonly configuration?: Configuration;
  /** How many EC2 instances each place has; `server-1` and so on, from place to place. */
  readonly servers: number;
  /** How many hybrid nodes each place has; none, when nothing is said. */
  readonly hybrids?: number;
  readonly behave?: Behave;
  /** Whether EventBridge gets an event of Run Command at all, or more than once: they are best effort. */
  readonly delivers?: (event: InvocationEvent) => boolean | 'twice';
  readonly observe?: (event: HistoryEvent) => void;
}

export interface AwsWorld {
  readonly clock: LocalClock;
  readonly stack: StackOnMoto;
  /** Other accounts and Regions that have servers. */
  readonly places: readonly PlaceOnMoto[];
  /** All calls to AWS, of every function, of the state machine (`state-machine`) and of the servers (`servers`). */
  readonly proxy: AwsProxy;
  readonly functions: RunningFunctions;
  readonly queue: QueueConsumer;
  readonly people: Subscription;
  readonly fleet: SimulatedFleet;
  readonly servers: readonly Server[];
  readonly engine: Engine;
  /** What EC2 says of root volumes that are replaced, which moto does not know. */
  readonly rootVolumes: RootVolumeEndpoint;
  /** Adapters on the table and the bucket of the stack, past the proxy. */
  readonly records: Records;
  readonly objects: Objects;
  invoke(name: FunctionName, event: unknown): Promise<unknown>;
  /** Has the campaign made by the function that makes campaigns. */
  create(): Promise<unknown>;
  /** Lets somebody else than the requester decide, by the function for that, when people have been asked. */
  decide(approved: boolean): void;
  /** Sweeps as the template's schedule says until the execution has ended. */
  finish(): Promise<AwsCampaignEnd>;
  close(): Promise<void>;
}

interface AwsCampaignEnd {
  /** Of the execution. */
  readonly status: string;
  readonly campaign: Campaign;
  readonly jobs: readonly Job[];
  /** Job states by the name of the server. */
  readonly states: Readonly<Record<string, string>>;
  /** What failed outside of the state machine: sweeps, decisions. */
  readonly errors: readonly unknown[];
}

const machine = 'campaign';

export async function openAwsWorld(options: AwsWorldOptions): Promise<AwsWorld> {
  const { configuration = configurationFrom(onePlace) } = options;
  const { moto, stack, places } = await stackOnMoto(configuration);
  const { account, region } = stack;
  const upstreams: Record<string, (call: AwsCall) => string> = {};
  const proxy = await startProxy((call) => upstreams[call.service]?.(call) ?? moto.endpoint);
  const clock = createClock(millisOf(start), () => 0);
  const functions = startFunctions({ functions: stack.functions, region, endpoint: proxy.endpoint });
  const errors: unknown[] = [];

  const client = (accessKeyId: string, endpoint = proxy.endpoint) => ({
    endpoint,
    region,
    credentials: { accessKeyId, secretAccessKey: 'secret' },
  });
  const objectsOf = (caller: string, endpoint?: string) => {
    const bucket = stack.outputs.CampaignBucket ?? '';
    return createS3Objects({ bucket, region, calls: createS3Calls(client(caller, endpoint)) });
  };
  const records = createDynamoDbRecords({
    table: stack.outputs.StateTable ?? '',
    calls: createDynamoDbCalls(client('test', moto.endpoint)),
    wait: async () => {},
  });

  const queue = consumeQueue({ stack, functions, clock });
  const { servers, fleet, ...running } = await startServers({
    clock,
    configuration,
    places: [stack, ...places],
    endpoint: moto.endpoint,
    instances: options.servers,
    hybrids: options.hybrids ?? 0,
    behave: options.behave ?? (() => ({})),
    async objectsOf(of) {
      const acting = { endpoint: proxy.endpoint, region, home: account, account: of };
      return objectsOf(await keyIn({ ...acting, caller: 'servers', role: 'Servers' }));
    },
    delivers: options.delivers ?? (() => true),
    published: queue.wake,
    onError: (error) => errors.push(error),
  });
  upstreams.ssm = running.ssmOf;
  const rootVolumes = await serveRootVolumes();
  upstreams.ec2 = ({ operation }) =>
    operation.includes('ReplaceRootVolumeTask') ? rootVolumes.url : moto.endpoint;

  const machineObjects = objectsOf('state-machine');
  const engine = createEngine({
    clock,
    random: () => 0.5,
    account,
    region,
    invoke: (name, payload) => clock.busy(() => functions.invoke(name, payload, clock.now())),
    objects: {
      get: async (_bucket, key) => Buffer.from((await machineObjects.get(key)) ?? '').toString('utf8'),
      put: (_bucket, key, body) => machineObjects.put(key, body),
    },
    ...(options.observe && { observe: options.observe }),
  });
  engine.load(machine, stack.definition);
  const states = await serveEngine(engine, machine, stack.aliasArn);
  upstreams.states = () => states.url;
  const people = await subscribe(stack.api, moto.endpoint, region, stack.outputs.NoticeTopic ?? '');

  const invoke = (name: FunctionName, event: unknown) =>
    clock.busy(() => functions.invoke(name, event, clock.now()));
  const world: AwsWorld = {
    ...{ clock, stack, places, proxy, functions, queue, people, fleet, servers, engine, records, invoke },
    rootVolumes,
    objects: objectsOf('test', moto.endpoint),
    create: () =>
      invoke('create-campaign', {
        campaignId,
        policy: 'production',
        quarter: '2027-Q1',
        window: { start: windowStart, end: '2026-11-21T09:00:00.000Z', zone: 'Europe/Berlin' },
        requestedBy: 'requester@example.com',
      }),
    decide(approved) {
      const look = async () => {
        const { state, seal } = await load(records, campaigns, campaignKey(campaignId));
        if (state !== 'awaiting-approval') return later();
        const by = 'approver@example.com';
        await invoke('decide-approval', { campaignId, root: seal?.root, approved, by, reason: 'looked at' });
      };
      const later = () =>
        void clock.at(
          clock.now() + 60_000,
          () => void clock.busy(look).catch((error: unknown) => errors.push(error)),
        );
      later();
    },
    async finish() {
      const execution = engine.execution(campaignId);
      if (!execution) throw new Error(`campaign ${campaignId} was never started`);
      const cancel = repeat(clock, sweepMinutes(stack) * 60_000, () =>
        invoke('sweep', {}).catch((error: unknown) => void errors.push(error)),
      );
      await execution.done;
      cancel();
      const jobs = await loadJobs(
        records,
        campaignId,
        servers.map(({ id }) => id),
      );
      return {
        status: execution.status,
        campaign: await load(records, campaigns, campaignKey(campaignId)),
        jobs,
        states: Object.fromEntries(jobs.map((job) => [job.server.name, job.state])),
        errors,
      };
    },
    async close() {
      await functions.close();
      await Promise.all([running.close(), states.close(), rootVolumes.close(), proxy.close()]);
      await moto.close();
    },
  };
  return world;
}

/** What a person wants to see of a run that went wrong: calls that were refused, and what functions said of errors. */
export function troubleOf({ proxy, functions, stack }: AwsWorld): string {
  const refused = proxy.calls
    .filter(({ answer }) => answer === undefined || answer.status >= 400)
    .map(({ caller, service, operation, input, answer }) =>
      [caller, service, operation, JSON.stringify(input), answer?.status, answer?.body.toString('utf8')].join(
        ' ',
      ),
    );
  const said = stack.functions.flatMap(({ name }) =>
    functions.lines(name).filter((line) => /"level":"(ERROR|WARN)"|^[^{]/.test(line)),
  );
  return [...refused, ...said].map((line) => line.slice(0, 1500)).join('\n');
}

function sweepMinutes({ resources }: StackOnMoto): number {
  const schedule = ofType(resources, 'AWS::Scheduler::Schedule').find(([id]) => id.includes('Sweeper'));
  const rate = /^rate\((\d+) minutes\)$/.exec(String(schedule?.[1].Properties.ScheduleExpression));
  if (rate === null) throw new Error('the schedule of the sweeper is not so many minutes');
  return Number(rate[1]);
}

/** @returns ends it */
function repeat(clock: LocalClock, millis: number, act: () => Promise<unknown>): () => void {
  let cancel = () => {};
  const again = () => {
    cancel = clock.at(clock.now() + millis, () => {
      again();
      void act();
    });
  };
  again();
  return () => cancel();
}
