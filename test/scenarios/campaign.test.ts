import { describe, expect, it } from 'vitest';
import { batchSchema } from '../../core/batch.ts';
import { instantOf } from '../../core/instant.ts';
import type { Phase } from '../../core/phase.ts';
import { PortError } from '../../core/ports.ts';
import type { Server } from '../../core/server.ts';
import { acknowledgeFailures } from '../../core/use-cases/acknowledge-failures.ts';
import { stopCampaign } from '../../core/use-cases/stop-campaign.ts';
import {
  campaignId,
  createWorld,
  decide,
  readReport,
  serversOf,
  type World,
  windowStart,
} from '../support/campaign-world.ts';
import { faultyCommands } from '../support/faulty-commands.ts';
import type { Behaviour } from '../support/simulated-fleet.ts';

const withApproval = { approval: { required: true, timeoutSeconds: 3600 } };

/** One server behaves in one phase; all others do well. */
const only = (name: string, phase: Phase, behaviour: Behaviour) => (server: Server, at: Phase) =>
  server.name === name && at === phase ? behaviour : {};

const broken: Behaviour = { result: 'failed', reason: { code: 'dpkg-failed', detail: 'dpkg ended with 1' } };

const commandsTo = (world: World, phase: Phase) =>
  [...world.fleet.taken].filter(([key]) => key.endsWith(` ${phase}`)).map(([, times]) => times);

/** The promise that everything else rests on. */
function expectNothingRanTwice(world: World) {
  expect(Math.max(0, ...world.fleet.patched.values())).toBeLessThanOrEqual(1);
  expect(world.errors).toEqual([]);
}

describe('a campaign', () => {
  it('patches every server, canary first, and verifies each of them', async () => {
    const world = createWorld({ servers: serversOf(6) });
    const end = await world.run();
    expectNothingRanTwice(world);
    expect(end).toMatchObject({ status: 'SUCCEEDED', state: 'completed', reason: undefined });
    expect(new Set(Object.values(end.states))).toEqual(new Set(['succeeded']));
    expect(world.fleet.log.find(({ phase }) => phase === 'patch')?.server).toBe('server-1');
    expect(end.jobs.map((job) => job.wave)).toEqual([0, 1, 1, 2, 2, 2]);
    const { report, jobs } = await readReport(world.objects);
    expect(report.counts).toEqual({ succeeded: 6 });
    expect(jobs[0]?.packages[0]).toMatchObject({ name: 'openssl', from: '3.0.1-1', to: '3.0.2-1' });
    expect(world.notices.map((notice) => notice.kind)).toEqual(['campaign-opened', 'campaign-closed']);
  });

  it('stops after a failed canary, says why, and leaves the later waves untouched', async () => {
    const world = createWorld({ servers: serversOf(6), behave: only('server-1', 'patch', broken) });
    const end = await world.run();
    expectNothingRanTwice(world);
    expect(end).toMatchObject({ status: 'FAILED', state: 'stopped', reason: 'error-budget' });
    expect(end.states['server-1']).toBe('failed');
    expect(end.jobs[0]?.reasons[0]).toMatchObject({ code: 'dpkg-failed' });
    expect(Object.values(end.states).slice(1)).toEqual(Array(5).fill('not-started'));
    expect(end.jobs.map((job) => job.wave)).toEqual([0, 1, 1, 2, 2, 2]);
    expect(commandsTo(world, 'patch')).toHaveLength(1);
  });

  it('stops when a canary that was patched well is not healthy after its soak', async () => {
    const sick = { facts: { healthy: false } };
    const world = createWorld({ servers: serversOf(4), behave: only('server-1', 'verify', sick) });
    const end = await world.run();
    expect(end).toMatchObject({ state: 'stopped', reason: 'error-budget' });
    expect(end.jobs[0]).toMatchObject({ state: 'rolled-back', reasons: [{ code: 'not-healthy' }] });
    expect(world.fleet.patched.size).toBe(1);
  });

  it('stops when no canary could be patched, since that proves nothing', async () => {
    const drifted: Behaviour = { result: 'drifted', reason: { code: 'drift', detail: 'libc6 is newer' } };
    const world = createWorld({ servers: serversOf(4), behave: only('server-1', 'patch', drifted) });
    const end = await world.run();
    expect(end).toMatchObject({ state: 'stopped', reason: 'canary-proved-nothing' });
    expect(end.states['server-1']).toBe('drifted');
    expect(world.fleet.patched.size).toBe(1);
  });

  it('holds the later campaigns of a policy and quarter after a failed canary, until a person acknowledges', async () => {
    const first = createWorld({ servers: serversOf(1), behave: only('server-1', 'patch', broken) });
    expect((await first.run()).state).toBe('stopped');
    const later = (id: string) =>
      createWorld({ servers: serversOf(1), records: first.records, campaignId: id });
    const held = later('campaign-0002');
    expect(await held.run()).toMatchObject({
      state: 'stopped',
      reason: 'error-budget',
      states: { 'server-1': 'not-started' },
    });
    expect(held.fleet.patched.size).toBe(0);
    const { ports } = first.host;
    await acknowledgeFailures(
      ports,
      { policy: 'production', quarter: '2027-Q1', by: 'a@example.com', reason: 'disk was replaced' },
      first.now(),
    );
    expect(await later('campaign-0003').run()).toMatchObject({
      state: 'completed',
      states: { 'server-1': 'succeeded' },
    });
  });

  it('has nothing to do where no server has updates, and says so instead of succeeding', async () => {
    const world = createWorld({
      servers: serversOf(2),
      behave: () => ({ result: 'nothing-to-do', facts: { compliant: true } }),
    });
    const end = await world.run();
    expect(end).toMatchObject({ status: 'SUCCEEDED', state: 'nothing-to-do', reason: 'nothing-sealed' });
    expect(new Set(Object.values(end.states))).toEqual(new Set(['nothing-to-do']));
  });

  it('of which no server could be prepared has gone wrong, and says so', async () => {
    const world = createWorld({ servers: serversOf(3), behave: () => ({ ...broken, result: 'blocked' }) });
    const end = await world.run();
    expect(end).toMatchObject({ status: 'FAILED', state: 'stopped', reason: 'nothing-prepared' });
    expect(Object.values(end.states)).toEqual(Array(3).fill('failed'));
    expect(world.notices.map(({ kind }) => kind)).toEqual(['campaign-opened', 'campaign-stopped']);
    expect(world.fleet.patched.size).toBe(0);
  });

  it('does not patch servers whose pre-check failed, and patches the others', async () => {
    const full: Behaviour = {
      result: 'blocked',
      reason: { code: 'disk-full', detail: '/var needs 300 MB, has 12' },
    };
    const world = createWorld({ servers: serversOf(4), behave: only('server-2', 'prepare', full) });
    const end = await world.run();
    expect(end.state).toBe('completed');
    expect(end.states).toMatchObject({
      'server-1': 'succeeded',
      'server-2': 'failed',
      'server-4': 'succeeded',
    });
    expect(world.fleet.patched.has('i-00000000000000002')).toBe(false);
  });

  it('prepares for a lead time before the window and patches only in it', async () => {
    const world = createWorld({ servers: serversOf(2) });
    await world.run();
    const phases = new Map(world.fleet.log.map(({ phase, at }) => [phase, instantOf(at)]));
    expect(phases.get('prepare')).toMatch(/^2026-11-20T12:0/);
    expect(phases.get('patch')?.slice(0, 13)).toBe(windowStart.slice(0, 13));
  });
});

describe('an approval', () => {
  const waiting = (act: (world: World) => Promise<unknown>) => {
    const world = createWorld({ servers: serversOf(3), policy: withApproval });
    world.at('2026-11-20T12:30:00.000Z', () => act(world));
    return world;
  };

  it('by somebody else than the requester lets the sealed plans be carried out', async () => {
    const world = waiting((w) => decide(w, true));
    expect(await world.run()).toMatchObject({ state: 'completed' });
    const { report } = await readReport(world.objects);
    expect(report.approval).toMatchObject({ by: 'approver@example.com', root: report.campaign.seal?.root });
  });

  it('that is denied patches nothing', async () => {
    const world = waiting((w) => decide(w, false));
    expect(await world.run()).toMatchObject({
      status: 'SUCCEEDED',
      state: 'denied',
      reason: 'approval-denied',
    });
    expect(world.fleet.patched.size).toBe(0);
  });

  it('that does not come in time is a denial', async () => {
    const world = createWorld({ servers: serversOf(3), policy: withApproval });
    const end = await world.run();
    expect(end).toMatchObject({ state: 'denied', reason: 'approval-denied' });
    expect(Object.values(end.states)).toEqual(Array(3).fill('not-started'));
    expect(world.fleet.patched.size).toBe(0);
    await expect(decide(world, true)).rejects.toThrow('already denied');
  });

  it('by the requester is refused', async () => {
    const world = waiting((w) => decide(w, true, 'requester@example.com'));
    expect((await world.run()).state).toBe('denied');
    expect(String(world.errors[0])).toContain('somebody else must approve');
  });

  it('is answered by the sweeper when its first delivery was lost', async () => {
    const world = createWorld({ servers: serversOf(2), policy: withApproval });
    const { callbacks } = world.host.ports;
    const succeed = callbacks.succeed.bind(callbacks);
    let losses = 1;
    world.at('2026-11-20T12:30:00.000Z', () => {
      Object.assign(callbacks, {
        succeed: (token: string, output: unknown) =>
          losses-- > 0 ? Promise.reject(new Error('timed out')) : succeed(token, output),
      });
      return decide(world, true).catch(() => undefined);
    });
    expect((await world.run()).state).toBe('completed');
    expect(losses).toBeLessThan(0);
  });
});

describe('bare metal', () => {
  const metal = serversOf(4, (index) => (index === 1 ? { metal: true as const } : {}));

  it('is patched in batches of its own, with its own time to restart', async () => {
    const reserves: string[] = [];
    const world = createWorld({
      servers: metal,
      policy: { waves: { canary: 1, percentages: [100], soakSeconds: 60 } },
      commands: (commands) => ({
        ...commands,
        async send(place, request) {
          const { RebootReserve } = request.parameters;
          if (request.comment.includes(' patch '))
            reserves.push(`${request.serverIds.length} ${RebootReserve}`);
          return commands.send(place, request);
        },
      }),
    });
    const end = await world.run();
    expect(new Set(Object.values(end.states))).toEqual(new Set(['succeeded']));
    expect(reserves.toSorted()).toEqual(['1 1200', '1 300', '2 300']);
  });

  it('needs a window that holds its restart, and is refused when the campaign is made', async () => {
    const hour = '2026-11-21T02:20:00.000Z';
    await expect(createWorld({ servers: metal, windowEnd: hour }).run()).rejects.toThrow(
      'shorten any of timeouts.delivery, timeouts.patch, timeouts.backup, timeouts.rebootMetal',
    );
    expect((await createWorld({ servers: serversOf(2), windowEnd: hour }).run()).state).not.toBe('missed');
  });
});

describe('a window', () => {
  it('that closes between waves leaves the later waves untouched', async () => {
    const world = createWorld({
      servers: serversOf(4),
      windowEnd: '2026-11-21T02:20:00.000Z',
      policy: {
        timeouts: {
          delivery: 300,
          prepare: 1800,
          patch: 3000,
          backup: 300,
          reboot: 540,
          rebootMetal: 1200,
          verify: 600,
        },
      },
    });
    const end = await world.run();
    expect(end).toMatchObject({ state: 'stopped', reason: 'window-too-short' });
    expect(end.states).toMatchObject({ 'server-1': 'succeeded', 'server-4': 'not-started' });
    expectNothingRanTwice(world);
  });

  it('that has too little time left when a batch is dispatched sends nothing', async () => {
    const faults = { throttled: 0 };
    const world = createWorld({
      servers: serversOf(1),
      windowEnd: '2026-11-21T02:06:00.000Z',
      policy: {
        reboot: 'never',
        timeouts: {
          delivery: 300,
          prepare: 1800,
          patch: 3000,
          backup: 300,
          reboot: 540,
          rebootMetal: 1200,
          verify: 600,
        },
      },
      commands: (commands) => faultyCommands(commands, faults),
    });
    // Refused until the time that is left is too short.
    world.at(windowStart, async () => {
      faults.throttled = 9;
    });
    const end = await world.run();
    expect(end.states).toEqual({ 'server-1': 'not-started' });
    expect(end.jobs[0]?.reasons[0]?.code).toBe('window-too-short');
    expect(end.jobs[0]?.dispatched).toBeNull();
    expect(world.fleet.patched.size).toBe(0);
  });

  it('that is too short to prepare and patch is missed, and nothing is sent', async () => {
    const world = createWorld({
      servers: serversOf(2),
      windowEnd: '2026-11-21T03:00:00.000Z',
      policy: {
        timeouts: {
          delivery: 300,
          prepare: 50_000,
          patch: 3600,
          backup: 300,
          reboot: 540,
          rebootMetal: 1200,
          verify: 600,
        },
      },
    });
    const end = await world.run();
    expect(end).toMatchObject({ status: 'FAILED', state: 'missed', reason: 'opened-too-late' });
    expect(world.fleet.taken.size).toBe(0);
  });

  it('that can not hold a patch is refused when the campaign is made', async () => {
    const world = createWorld({ servers: serversOf(1), windowEnd: '2026-11-21T02:00:00.000Z' });
    await expect(world.run()).rejects.toThrow(
      /lasts 3600 s, and patching one wave may take 4800 s.*lengthen the window/,
    );
  });

  it('that is further away than an execution may last is refused when the campaign is made', async () => {
    const world = createWorld({ servers: serversOf(1), windowEnd: '2027-02-18T12:00:00.000Z' });
    await expect(world.run()).rejects.toThrow(/is too far ahead: a campaign lasts 90 days at most/);
  });
});

describe('a bad day', () => {
  it('of throttling ends well', async () => {
    const faults = { throttled: 6 };
    const world = createWorld({
      servers: serversOf(3),
      commands: (commands) => faultyCommands(commands, faults),
    });
    expect((await world.run()).state).toBe('completed');
    expect(faults.throttled).toBe(0);
    expectNothingRanTwice(world);
  });

  it('on which every event is lost is saved by the sweeper', async () => {
    const world = createWorld({ servers: serversOf(5), faults: { lose: 1, double: 0, delaySeconds: 0 } });
    expect((await world.run()).state).toBe('completed');
    expectNothingRanTwice(world);
  });

  it.each([1, 2, 3, 4])('of lost, doubled and late events ends well (seed %i)', async (seed) => {
    const world = createWorld({
      servers: serversOf(12),
      seed,
      faults: { lose: 0.3, double: 0.5, delaySeconds: 600 },
    });
    const end = await world.run();
    expect(end.state).toBe('completed');
    expect(new Set(Object.values(end.states))).toEqual(new Set(['succeeded']));
    expectNothingRanTwice(world);
  });

  it('on which events come before the command is recorded ends well', async () => {
    const world: World = createWorld({
      servers: serversOf(3),
      behave: () => ({ seconds: 0 }),
      commands: (commands) => ({
        ...commands,
        async send(place, request) {
          const id = await commands.send(place, request);
          // The servers answer, and their events arrive, while the caller still waits for the command's id.
          for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
          return id;
        },
      }),
    });
    expect((await world.run()).state).toBe('completed');
    expectNothingRanTwice(world);
  });

  it('on which the answer to SendCommand is lost sends nothing twice', async () => {
    const faults = { ambiguous: 3 };
    const world = createWorld({
      servers: serversOf(4),
      commands: (commands) => faultyCommands(commands, faults),
    });
    const end = await world.run();
    expect(end.state).toBe('completed');
    expect(faults.ambiguous).toBe(0);
    expect(Math.max(...world.fleet.taken.values())).toBe(1);
    expectNothingRanTwice(world);
  });

  it('on which Run Command does not know one server patches the others of its batch', async () => {
    const world = createWorld({ servers: serversOf(7) });
    world.at('2026-11-21T00:30:00.000Z', async () => world.service.deregisterInstance('i-00000000000000005'));
    const end = await world.run();
    expect(end.state).toBe('completed');
    expect(end.states).toMatchObject({
      'server-4': 'succeeded',
      'server-5': 'superseded',
      'server-6': 'succeeded',
    });
    expectNothingRanTwice(world);
  });

  it('on which the list of servers is behind bisects the batch that Run Command refuses', async () => {
    const world = createWorld({
      servers: serversOf(7),
      fleet: () => ({ presence: async (_place, ids) => new Map(ids.map((id) => [id, 'online' as const])) }),
    });
    world.at('2026-11-21T00:30:00.000Z', async () => world.service.deregisterInstance('i-00000000000000005'));
    const end = await world.run();
    expect(end.state).toBe('completed');
    expect(end.states).toMatchObject({
      'server-4': 'succeeded',
      'server-5': 'unreachable',
      'server-6': 'succeeded',
    });
    expect(Math.max(...world.fleet.taken.values())).toBe(1);
  });

  it('on which a state is retried with a new token answers that one and sends nothing again', async () => {
    const world = createWorld({ servers: serversOf(3) });
    const { callbacks } = world.host.ports;
    world.at('2026-11-21T01:00:10.000Z', async () => {
      const page = await world.records.list(`campaign#${campaignId}`, { prefix: 'batch#w0' });
      const run = batchSchema.parse(page.records[0]?.body).runs.patch;
      await callbacks.fail(run?.token ?? '', 'Lambda.ServiceException', 'the service had a hiccup');
    });
    const end = await world.run();
    expect(end.state).toBe('completed');
    expect(Math.max(...world.fleet.taken.values())).toBe(1);
    expectNothingRanTwice(world);
  });
});

describe('documents', () => {
  it('of another release close the campaign with that reason, and nothing is sent', async () => {
    const world = createWorld({
      servers: serversOf(2),
      commands: (commands) => ({
        ...commands,
        pin: async () => {
          throw new PortError(
            'document-differs',
            'document Quarterdeck-Debian-Patch has other content: deploy the stack',
          );
        },
      }),
    });
    const end = await world.run();
    expect(end).toMatchObject({ status: 'FAILED', state: 'stopped', reason: 'document-differs' });
    expect(Object.values(end.states)).toEqual(['not-started', 'not-started']);
    expect(world.fleet.taken.size).toBe(0);
  });
});

describe('a server', () => {
  it('that is offline is unreachable, never a success, and does not stop the others', async () => {
    const world = createWorld({
      servers: serversOf(4),
      behave: (server) => (server.name === 'server-3' ? 'offline' : {}),
    });
    const end = await world.run();
    expect(end.state).toBe('completed');
    expect(end.states).toMatchObject({
      'server-1': 'succeeded',
      'server-3': 'unreachable',
      'server-4': 'succeeded',
    });
  });

  it('that dies under its transaction is lost, and counts as a failure', async () => {
    const world = createWorld({ servers: serversOf(4), behave: only('server-1', 'patch', { dies: true }) });
    const end = await world.run();
    expect(end).toMatchObject({ state: 'stopped', reason: 'error-budget' });
    expect(end.states['server-1']).toBe('lost');
    expect(end.states['server-2']).toBe('not-started');
    expectNothingRanTwice(world);
  });

  it('whose result object is missing has proved nothing', async () => {
    const world = createWorld({
      servers: serversOf(3),
      behave: only('server-2', 'verify', { withoutObject: true }),
      policy: { errorBudget: { failures: 5, share: 1 } },
    });
    const end = await world.run();
    expect(end.states).toMatchObject({
      'server-1': 'succeeded',
      'server-2': 'failed',
      'server-3': 'succeeded',
    });
    expect(end.jobs[1]?.reasons[0]?.code).toBe('result-unproven');
  });

  it('that prints something else than a summary is not believed', async () => {
    const world = createWorld({
      servers: serversOf(2),
      behave: only('server-2', 'prepare', { prints: '{"code":0,' }),
    });
    const end = await world.run();
    expect(end.states).toMatchObject({ 'server-1': 'succeeded', 'server-2': 'failed' });
    expect(end.jobs[1]?.reasons[0]?.code).toBe('summary-unreadable');
  });
});

describe('a campaign that is stopped by hand', () => {
  it('dispatches nothing more, lets what runs end, and verifies it', async () => {
    const world = createWorld({
      servers: serversOf(4),
      behave: (_server, phase) => (phase === 'patch' ? { seconds: 600 } : {}),
    });
    world.at('2026-11-21T01:05:00.000Z', () =>
      stopCampaign(
        world.host.ports,
        { campaignId, by: 'operator@example.com', reason: 'the shop is on fire' },
        world.now(),
      ),
    );
    const end = await world.run();
    expect(end).toMatchObject({ state: 'stopped', reason: 'stopped-by-hand' });
    expect(end.states).toMatchObject({ 'server-1': 'succeeded', 'server-2': 'not-started' });
    expect(world.fleet.patched.size).toBe(1);
  });

  it('while it waits for its approval ends at once', async () => {
    const world = createWorld({ servers: serversOf(2), policy: withApproval });
    world.at('2026-11-20T12:20:00.000Z', () =>
      stopCampaign(
        world.host.ports,
        { campaignId, by: 'operator@example.com', reason: 'wrong servers' },
        world.now(),
      ),
    );
    const end = await world.run();
    expect(end).toMatchObject({ state: 'stopped', reason: 'stopped-by-hand' });
    expect(world.now() < '2026-11-20T13:00:00.000Z').toBe(true);
    expect(world.fleet.patched.size).toBe(0);
  });
});
