/** Owns the campaigns whose calls are recorded: so many that every function does all of its work at least once. */
import { type AwsWorld, openAwsWorld } from '../campaign-world.ts';
import { runCampaign } from '../faults/campaign-runs.ts';
import { type FaultKind, faultOf } from '../faults/fault-kinds.ts';
import type { AwsCall } from '../proxy.ts';

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
    servers: 3,
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
    await runCampaign(world, { id: 'campaign-well', whenAsked: 'approve' });
    isDelivered = false;
    await runCampaign(world, { id: 'campaign-swept', whenAsked: 'approve' });
    isDelivered = true;
    patchFails = true;
    await runCampaign(world, { id: 'campaign-failing', whenAsked: 'approve' });
    patchFails = false;
    await world.invoke('acknowledge-failures', {
      policy: 'production',
      quarter: '2027-Q1',
      by: 'approver@example.com',
      reason: 'looked at',
    });
    await runCampaign(world, { id: 'campaign-denied', whenAsked: 'deny' });
    await runCampaign(world, { id: 'campaign-stopped', whenAsked: 'stop' });
    await runCampaign(world, { id: 'campaign-unanswered' });
    await spoilt(world, 'dispatch-batch', 'SendCommand', 'expired', 'campaign-given-up');
    // Looks whether it was sent, and settles what it gave up.
    await spoilt(world, 'dispatch-batch', 'SendCommand', 'lost', 'campaign-unsure', 1);
    // Sent, and nobody hears of it: the batch is given up, which looks once more.
    await deaf(world, 'campaign-unheard');
    dies = true;
    await runCampaign(world, { id: 'campaign-silent', whenAsked: 'approve' });
    dies = false;
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
    await runCampaign(world, { id, whenAsked: 'approve' });
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
  await runCampaign(world, { id, whenAsked: 'approve' });
  undo();
}

/** Made, and never started: the sweeper starts it. */
async function startedBySweeper(world: AwsWorld): Promise<void> {
  await spoilt(world, 'create-campaign', 'StartExecution', 'expired', 'campaign-unstarted', 6).catch(
    () => undefined,
  );
  await runCampaign(world, { id: 'campaign-after', whenAsked: 'approve' });
}

/** Its execution is gone: the sweeper closes it when it is overdue. */
async function endedBySweeper(world: AwsWorld): Promise<void> {
  const id = 'campaign-lost';
  const stopping = world.clock.at(world.clock.now() + 45 * 60_000, () => {
    void world.engine.stopExecution(id);
  });
  await runCampaign(world, { id, whenAsked: 'approve' });
  stopping();
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
