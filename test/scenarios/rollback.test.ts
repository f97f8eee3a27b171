import { describe, expect, it } from 'vitest';
import type { Phase } from '../../core/phase.ts';
import { type Policy, policySchema } from '../../core/policy.ts';
import type { CommandRequest } from '../../core/ports.ts';
import type { Server } from '../../core/server.ts';
import { stopCampaign } from '../../core/use-cases/stop-campaign.ts';
import { campaignId, createWorld, readReport, serversOf, type World } from '../support/campaign-world.ts';
import type { Behaviour } from '../support/simulated-fleet.ts';

const sick: Behaviour = {
  facts: { healthy: false },
  reason: { code: 'service-down', detail: 'nginx.service' },
};
const torn: Behaviour = {
  result: 'failed',
  facts: { installed: false },
  reason: { code: 'not-installed', detail: "not at the plan's version: openssl" },
};

/** Behaviours of one server, by phase; all others do well. */
const oneServer = (name: string, phases: Partial<Record<Phase, Behaviour>>) => (server: Server, at: Phase) =>
  (server.name === name && phases[at]) || {};

const withRollback = (rollback: Partial<Policy['rollback']>) => ({
  rollback: { ...policySchema.parse({ schema: 1, name: 'any' }).rollback, ...rollback },
});

const tolerant = { errorBudget: { failures: 5, share: 1 } };

async function ordersOf(world: World, sent: readonly CommandRequest[]) {
  const told: Partial<Record<Phase, { parameters: CommandRequest['parameters']; lines: string[] }>> = {};
  for (const { comment, parameters } of sent) {
    const text = Buffer.from((await world.objects.get(String(parameters.OrderKey))) ?? '').toString('utf8');
    told[comment.split(' ')[2] as Phase] = { parameters, lines: text.split('\n') };
  }
  return told;
}

const takenBy = (world: World, phase: Phase) =>
  [...world.fleet.taken.keys()].filter((key) => key.endsWith(` ${phase}`));

describe('a server that is not well after its patch', () => {
  it('goes back, keeps the reason why, and counts as a failure', async () => {
    const world = createWorld({ servers: serversOf(4), behave: oneServer('server-1', { verify: sick }) });
    const end = await world.run();
    expect(world.errors).toEqual([]);
    expect(end).toMatchObject({ status: 'FAILED', state: 'stopped', reason: 'error-budget' });
    expect(Object.values(end.states)).toEqual(['rolled-back', 'not-started', 'not-started', 'not-started']);
    const [job] = end.jobs;
    expect(job?.reasons.map(({ code }) => code)).toEqual(['service-down', 'not-healthy']);
    expect(job?.history.map(({ state }) => state)).toEqual([
      'planned',
      'preparing',
      'ready',
      'patching',
      'verifying',
      'rolling-back',
      'rolled-back',
    ]);
    expect(job?.facts).toMatchObject({ installed: false, healthy: true });
    expect(job?.phases.rollback).toMatchObject({ rungs: [{ rung: 'packages', healthy: true }] });
    const { report, jobs } = await readReport(world.objects);
    expect(report.counts).toEqual({ 'rolled-back': 1, 'not-started': 3 });
    // What is there now, and not what the patch had brought.
    expect(jobs[0]?.packages[0]).toMatchObject({ from: '3.0.1-1', to: '3.0.1-1', planned: '3.0.2-1' });
  });

  it('goes back alone, and the campaign goes on where the error budget allows it', async () => {
    const world = createWorld({
      servers: serversOf(6),
      behave: oneServer('server-3', { verify: sick }),
      policy: tolerant,
    });
    const end = await world.run();
    expect(end).toMatchObject({ status: 'SUCCEEDED', state: 'completed' });
    expect(end.states).toMatchObject({
      'server-2': 'succeeded',
      'server-3': 'rolled-back',
      'server-6': 'succeeded',
    });
    expect(takenBy(world, 'rollback')).toHaveLength(1);
  });

  it('stays as it is where the policy leaves the way back to people', async () => {
    const world = createWorld({
      servers: serversOf(2),
      behave: oneServer('server-1', { verify: sick }),
      policy: withRollback({ automatic: 'none' }),
    });
    const end = await world.run();
    expect(end.states['server-1']).toBe('failed');
    expect(takenBy(world, 'rollback')).toEqual([]);
  });

  it('goes back after a person has stopped the campaign', async () => {
    const world = createWorld({ servers: serversOf(2), behave: oneServer('server-1', { verify: sick }) });
    world.at('2026-11-21T01:05:00.000Z', () =>
      stopCampaign(world.host.ports, { campaignId, by: 'ann', reason: 'looks wrong' }, world.now()),
    );
    const end = await world.run();
    expect(end).toMatchObject({ state: 'stopped', reason: 'stopped-by-hand' });
    expect(end.states).toEqual({ 'server-1': 'rolled-back', 'server-2': 'not-started' });
  });

  it('does not go back once the time of grace after the window is over, and says so', async () => {
    const world = createWorld({
      servers: serversOf(1),
      behave: oneServer('server-1', { verify: sick }),
      windowEnd: '2026-11-21T03:00:00.000Z',
      policy: {
        ...withRollback({ graceSeconds: 0 }),
        waves: { canary: 1, percentages: [100], soakSeconds: 3 * 3600 },
      },
    });
    const end = await world.run();
    expect(end.states['server-1']).toBe('rollback-failed');
    expect(end.jobs[0]?.reasons.map(({ code }) => code)).toEqual([
      'rollback-too-late',
      'service-down',
      'not-healthy',
    ]);
    expect(takenBy(world, 'rollback')).toEqual([]);
  });
});

describe('a patch that broke off after it had begun', () => {
  it('is verified with its wave, and then its server goes back', async () => {
    const world = createWorld({ servers: serversOf(3), behave: oneServer('server-1', { patch: torn }) });
    const end = await world.run();
    expect(end.states['server-1']).toBe('rolled-back');
    expect(end.jobs[0]?.reasons[0]?.code).toBe('not-installed');
    expect(takenBy(world, 'verify')).toEqual([]);
  });
});

describe('a rollback that fails', () => {
  const failures: readonly [string, Behaviour, string, string][] = [
    [
      'because its packages can not be had',
      { result: 'refused', reason: { code: 'not-covered', detail: 'no file of openssl' } },
      'rollback-failed',
      'not-covered',
    ],
    ['because the server is not well after it either', sick, 'rollback-failed', 'not-healthy'],
    ['because nobody can read what it did', { withoutObject: true }, 'rollback-failed', 'result-unproven'],
    ['because nothing is heard of it', { dies: true }, 'lost', 'delivery-timed-out'],
  ];

  it.each(failures)(
    '%s ends the campaign, however large the budget',
    async (_case, behaviour, state, code) => {
      const world = createWorld({
        servers: serversOf(3),
        behave: oneServer('server-2', { verify: sick, rollback: behaviour }),
        policy: tolerant,
      });
      const end = await world.run();
      expect(end).toMatchObject({ status: 'FAILED', state: 'stopped', reason: 'rollback-failed' });
      expect(end.states['server-2']).toBe(state);
      expect(end.states['server-3']).toBe('not-started');
      expect(end.jobs[1]?.reasons[0]?.code).toBe(code);
      // Why it had to go back stays with it.
      expect(end.jobs[1]?.reasons.map((reason) => reason.code)).toContain('service-down');
      expect(end.jobs[1]?.reasons.at(-1)?.code).toBe('not-healthy');
    },
  );
});

describe('what a server is told of its way back', () => {
  it('is how far to go, and its own hooks, services and probes', async () => {
    const { rollback, hooks, validation } = policySchema.parse({
      schema: 1,
      name: 'any',
      rollback: { automatic: 'kernel' },
      hooks: [
        { name: 'drain', when: 'before-patch', run: { path: '/opt/drain' }, undo: { path: '/opt/join' } },
        { name: 'tell', when: 'after-rollback', run: { path: '/opt/tell' } },
        {
          name: 'other',
          when: 'before-rollback',
          run: { path: '/opt/o' },
          only: { servers: ['server-2'] },
        },
      ],
      validation: {
        services: [{ unit: 'nginx.service' }],
        probes: [{ name: 'port', kind: 'tcp', port: 443 }],
      },
    });
    const sent: CommandRequest[] = [];
    const world = createWorld({
      servers: serversOf(1),
      behave: oneServer('server-1', { verify: sick }),
      commands: (commands) => ({
        ...commands,
        async send(place, request) {
          sent.push(request);
          return commands.send(place, request);
        },
      }),
      policy: { rollback, hooks, validation },
    });
    await world.run();
    const told = await ordersOf(world, sent);
    expect(told.rollback?.parameters).toMatchObject({ RollbackTo: 'kernel', DryRun: 'no' });
    expect(told.verify?.parameters.RollbackTo).toBeUndefined();
    expect(told.patch?.lines.filter((line) => line.startsWith('hook'))).toEqual([
      'hook\tbefore-patch\tdrain\t60\tstop\t/opt/drain\t-\t/opt/join\t-',
    ]);
    expect(told.rollback?.lines).toEqual(
      expect.arrayContaining([
        'hook\tafter-rollback\ttell\t60\tstop\t/opt/tell\t-\t-\t-',
        'service\tnginx.service',
        'probe\ttcp\tport\t10\t3\t443\t127.0.0.1',
        'backup\tpath\t/etc',
      ]),
    );
    expect(told.rollback?.lines.join()).not.toContain('/opt/o,');
    expect(told.verify?.lines).toContain('service\tnginx.service');
    expect(told.verify?.lines.join()).not.toContain('hook');
    expect(told.prepare?.lines.join()).not.toMatch(/service|probe|hook|backup/);
  });
});

describe('a backup that the policy requires', () => {
  it('and that no server speaks of leaves a patch that is no success, and is no reason to go back', async () => {
    const world = createWorld({
      servers: serversOf(2),
      behave: oneServer('server-1', { patch: { withoutBackup: true } }),
      policy: tolerant,
    });
    const end = await world.run();
    expect(end.jobs[0]).toMatchObject({ state: 'failed', reasons: [{ code: 'backup-unproven' }] });
    expect(end.jobs[1]).toMatchObject({
      state: 'not-started',
      phases: {},
    });
    expect(takenBy(world, 'rollback')).toEqual([]);
  });

  it('keeps no server that is not well from going back', async () => {
    const world = createWorld({
      servers: serversOf(1),
      behave: oneServer('server-1', { patch: { withoutBackup: true }, verify: sick }),
    });
    expect((await world.run()).states['server-1']).toBe('rolled-back');
  });

  it('is on record with its server, and not asked for where the policy wants none', async () => {
    const world = createWorld({ servers: serversOf(1) });
    const end = await world.run();
    expect(end.jobs[0]?.phases.patch?.backup?.files).toBe(12);
    const backup = policySchema.shape.backup.parse({ configuration: 'none' });
    const without = createWorld({ servers: serversOf(1), policy: { backup } });
    const { jobs } = await without.run();
    expect(jobs[0]).toMatchObject({ state: 'succeeded', phases: { patch: { backup: null } } });
  });
});
