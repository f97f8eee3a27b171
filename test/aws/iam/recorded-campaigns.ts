/**
 * Owns the campaigns whose calls are recorded: so many that every function does all of its work at
 * least once, over every account and Region that the stacks with everything are in.
 */
import type { Firing } from '../../../core/firing.ts';
import { type Instant, instantOf, millisOf, plusSeconds } from '../../../core/instant.ts';
import { nextQuarter, quarterOfDay } from '../../../core/quarter.ts';
import { type Place, placeKey, type Server } from '../../../core/server.ts';
import { listFirings } from '../../../core/use-cases/firings.ts';
import { loadInventory, saveInventory } from '../../../core/use-cases/stored-inventory.ts';
import { storedServer } from '../../support/planned-fleet.ts';
import { type AwsWorld, openAwsWorld } from '../campaign-world.ts';
import { runCampaign } from '../faults/campaign-runs.ts';
import { type FaultKind, faultOf } from '../faults/fault-kinds.ts';
import type { AwsCall } from '../proxy.ts';
import { disksConfiguration, expire, makeAlarms, replaceRootVolumes } from './recorded-disks.ts';
import { keptByPeople } from './recorded-inventory.ts';
import { rolledBackByHand } from './recorded-rollback.ts';
import { keptSafe } from './recorded-safety.ts';
import { askedForZones } from './recorded-zones.ts';

export interface RecordedCampaigns {
  readonly calls: readonly AwsCall[];
  readonly physicalIds: ReadonlyMap<string, string>;
  /** ARN of the state machine, or of one of its maps, that a token belongs to. */
  readonly machineOf: (taskToken: string) => string;
}

export async function recordCampaigns(): Promise<RecordedCampaigns> {
  let patchFails = false;
  let isDelivered = true;
  let dies = false;
  const world = await openAwsWorld({
    configuration: disksConfiguration(),
    servers: 1,
    hybrids: 1,
    behave: (_, phase) =>
      dies && phase === 'patch'
        ? { dies: true }
        : patchFails && phase === 'patch'
          ? {
              result: 'failed',
              facts: { installed: false },
              reason: { code: 'apt-failed', detail: 'as the test has it' },
            }
          : {},
    delivers: () => isDelivered,
  });
  try {
    const from = world.proxy.calls.length;
    await makeAlarms(world);
    await runCampaign(world, { id: 'campaign-well', whenAsked: 'approve' });
    await rolledBackByHand(world, 'campaign-well');
    await replaceRootVolumes(world, 'campaign-well');
    await expire(world);
    await keptSafe(world, 'campaign-well');
    await askedForZones(world);
    // What functions do in one place of another account they do in all.
    const servers = someOf(world);
    isDelivered = false;
    await runCampaign(world, { id: 'campaign-swept', whenAsked: 'approve', servers });
    isDelivered = true;
    patchFails = true;
    await runCampaign(world, { id: 'campaign-failing', whenAsked: 'approve', servers });
    patchFails = false;
    await world.invoke('acknowledge-failures', {
      policy: 'production',
      quarter: '2027-Q1',
      by: 'approver@example.com',
      reason: 'looked at',
    });
    await runCampaign(world, { id: 'campaign-denied', whenAsked: 'deny', servers });
    await runCampaign(world, { id: 'campaign-stopped', whenAsked: 'stop', servers });
    await runCampaign(world, { id: 'campaign-unanswered', servers });
    await spoilt(world, 'dispatch-batch', 'SendCommand', 'expired', 'campaign-given-up');
    // In each of both places: looks whether it was sent, and settles what it gave up.
    await spoilt(world, 'dispatch-batch', 'SendCommand', 'lost', 'campaign-unsure', 2);
    // Sent, and nobody hears of it: the batch is given up, which looks once more.
    await deaf(world, 'campaign-unheard');
    dies = true;
    await runCampaign(world, { id: 'campaign-silent', whenAsked: 'approve', servers });
    dies = false;
    await keptByPeople(world);
    await drivenByCalendar(world);
    await startedBySweeper(world);
    await endedBySweeper(world);
    return {
      calls: world.proxy.calls.slice(from),
      physicalIds: new Map(Object.entries(world.stack.physical)),
      machineOf: machineOf(world),
    };
  } finally {
    await world.close();
  }
}

/** The operation fails for the function whenever it calls it, or as often as is said. */
async function spoilt(
  world: AwsWorld,
  caller: string,
  operation: string,
  kind: FaultKind,
  id: string,
  times = Number.POSITIVE_INFINITY,
): Promise<void> {
  let left = times;
  const undo = world.proxy.spoil((call) =>
    call.caller === caller && call.operation === operation && left-- > 0
      ? faultOf(kind, call.service)
      : undefined,
  );
  try {
    await runCampaign(world, { id, whenAsked: 'approve', servers: someOf(world) });
  } finally {
    undo();
  }
}

/** Neither events nor the schedule get to know what became of commands. */
async function deaf(world: AwsWorld, id: string): Promise<void> {
  const undo = world.proxy.spoil(({ caller, operation, service }) =>
    caller !== 'give-up-batch' && operation === 'ListCommandInvocations'
      ? faultOf('expired', service)
      : undefined,
  );
  await runCampaign(world, { id, whenAsked: 'approve', servers: someOf(world) });
  undo();
}

/**
 * The planning makes schedules, moves one, and takes them back; then each of the functions that start campaigns starts
 * one, in time or late. They are stopped at once: what campaigns do has been recorded.
 */
async function drivenByCalendar(world: AwsWorld): Promise<void> {
  const { invoke } = world;
  // Its answer is lost, so that it is made again, and found.
  let isLost = false;
  const undo = world.proxy.spoil(({ operation, service }) => {
    if (operation !== 'CreateSchedule' || isLost) return undefined;
    isLost = true;
    return faultOf('lost', service);
  });
  for (const [starter, hoursLate] of [
    ['launch-campaign', 0],
    ['plan-schedules', 1],
    ['check-firings', 1],
  ] as const) {
    await saveServers(world, starter);
    await invoke('plan-schedules', { announce: starter === 'plan-schedules' });
    undo();
    const { campaignId, quarter, fireAt } = await nextFiring(world);
    await until(world, plusSeconds(fireAt, hoursLate * 3600));
    await invoke(starter, starter === 'launch-campaign' ? { campaignId, quarter } : {});
    await invoke('stop-campaign', { campaignId, by: 'approver@example.com', reason: 'as the test has it' });
    while (world.engine.execution(campaignId)?.status === 'RUNNING') {
      await until(world, plusSeconds(instantOf(world.clock.now()), 300));
      await invoke('sweep', {});
    }
  }
  await invoke('pause-all', { by: 'ann', reason: 'an incident' });
  await invoke('resume-all', { by: 'ann', reason: 'it is over' });
}

/** One under another name each time, since it has one window a quarter, and one that is left out. */
async function saveServers(world: AwsWorld, name: string): Promise<void> {
  const stores = { records: world.records, objects: world.objects };
  const [server] = someOf(world) as [Server];
  const { account, region } = server.place;
  const planned = storedServer(1, { name, account, region, instanceId: server.id });
  const strange = storedServer(2, { name: `${name}-2`, account, region, operatingSystem: 'unknown' });
  await world.clock.busy(async () => {
    const { revision } = await loadInventory(stores);
    const by = { by: 'ann', now: instantOf(world.clock.now()), expected: revision };
    await saveInventory(stores, [planned, strange], by);
  });
}

async function nextFiring({ records, clock }: AwsWorld): Promise<Firing> {
  const now = instantOf(clock.now());
  const quarter = quarterOfDay(now.slice(0, 10));
  const all = await clock.busy(() =>
    Promise.all([quarter, nextQuarter(quarter)].map(({ id }) => listFirings(records, id))),
  );
  const expected = all.flat().filter(({ state }) => state === 'expected');
  const [first] = expected.toSorted((a, b) => (a.fireAt < b.fireAt ? -1 : 1));
  if (first === undefined) throw new Error(`the plan of ${quarter.id} expects no campaign`);
  return first;
}

const until = ({ clock }: AwsWorld, at: Instant): Promise<void> =>
  new Promise((resolve) => void clock.at(millisOf(at), resolve));

/** Made, and never started: the sweeper starts it. */
async function startedBySweeper(world: AwsWorld): Promise<void> {
  await spoilt(world, 'create-campaign', 'StartExecution', 'expired', 'campaign-unstarted', 6).catch(
    () => undefined,
  );
  await runCampaign(world, { id: 'campaign-after', whenAsked: 'approve', servers: someOf(world) });
}

/** Its execution is gone: the sweeper closes it when it is overdue. */
async function endedBySweeper(world: AwsWorld): Promise<void> {
  const id = 'campaign-lost';
  const stopping = world.clock.at(world.clock.now() + 45 * 60_000, () => {
    void world.engine.stopExecution(id);
  });
  await runCampaign(world, { id, whenAsked: 'approve', servers: someOf(world) });
  stopping();
}

/** An instance at home, and all that the last place has. */
function someOf({ servers, places }: AwsWorld): readonly Server[] {
  const last = placeKey(places.at(-1) as Place);
  return servers.filter(({ place }, index) => index === 0 || placeKey(place) === last);
}

/** The engine's tokens name their execution: `…:execution:campaign/Prepare:<id>` for the child of a map. */
function machineOf({ stack }: AwsWorld): (token: string) => string {
  const machine = stack.aliasArn.replace(/:[^:]+$/, '');
  return (token) => {
    const [, body] = /^AQCAAAAAKgAAAAMAAAAAAAAAA(.+)$/.exec(token) ?? [];
    const [, , execution] = JSON.parse(Buffer.from(String(body), 'base64url').toString('utf8'));
    const label = /:execution:[^:/]+\/([^:]+):/.exec(String(execution))?.[1];
    return label === undefined ? machine : `${machine}/${label}`;
  };
}
