import { describe, expect, it } from 'vitest';
import { create, jobKey, jobs, load } from '../../core/entities.ts';
import { fences } from '../../core/fence.ts';
import { instantOf, plusSeconds } from '../../core/instant.ts';
import { isEnded } from '../../core/job.ts';
import { PortError } from '../../core/ports.ts';
import { rollbackKey, rollbacks } from '../../core/rollback.ts';
import { createCampaign } from '../../core/use-cases/create-campaign.ts';
import { pauseAll } from '../../core/use-cases/pause-all.ts';
import { rollBack, type rollBackInput } from '../../core/use-cases/roll-back.ts';
import { showRollback } from '../../core/use-cases/show-rollback.ts';
import { sweep } from '../../core/use-cases/sweep.ts';
import {
  campaignId,
  createWorld,
  readReport,
  serversOf,
  type World,
  type WorldOptions,
} from '../support/campaign-world.ts';
import { mortal } from '../support/interruptions.ts';

type Asked = Partial<(typeof rollBackInput)['_zod']['input']>;

const by = { by: 'ann', reason: 'the application does not like it' };

const ask = (world: World, asked: Asked = {}) =>
  world.clock.busy(() => rollBack(world.host.ports, { campaignId, ...by, ...asked }, world.now()));

const wait = (world: World, seconds: number) =>
  new Promise<void>((resolve) => world.clock.at(world.clock.now() + seconds * 1000, resolve));

/** Lets servers answer and their events come, and the sweeper look. */
async function comeBack(world: World, sweeps = 1): Promise<void> {
  for (let round = 0; round < sweeps; round++) {
    await wait(world, 301);
    expect((await world.clock.busy(() => sweep(world.host.ports, world.now()))).failed).toEqual([]);
  }
}

async function patched(options: Partial<WorldOptions> = {}): Promise<World> {
  const world = createWorld({ servers: serversOf(4), ...options });
  await world.run();
  return world;
}

const stateOf = async (world: World, number: number) =>
  (await load(world.records, jobs, jobKey(campaignId, serversOf(number)[number - 1]?.id ?? ''))).state;

const states = (world: World) => Promise.all([1, 2, 3, 4].map((number) => stateOf(world, number)));
const all = (state: string) => [state, state, state, state];
const shown = (world: World) => showRollback(world.host.ports, { campaignId });
const kept = (world: World) => load(world.records, rollbacks, rollbackKey(campaignId));

describe('a dry run', () => {
  it('says of every server what it would do, and moves no job', async () => {
    const world = await patched();
    expect(await ask(world, { dryRun: true })).toMatchObject({ number: 1, servers: 4, left: [] });
    await comeBack(world);
    expect(await states(world)).toEqual(all('succeeded'));
    const { complete, rows, endedAt, counts } = await shown(world);
    expect(complete).toBe(true);
    expect(endedAt).not.toBeNull();
    expect(counts).toEqual({ possible: 4 });
    expect(rows[0]).toMatchObject({ server: 'server-1', state: 'possible', reason: null });
    expect(rows[0]?.steps[0]).toMatch(/^packages\tdowngrade\topenssl\t/);
    const { report } = await readReport(world.objects);
    expect(report.rollbacks).toBeUndefined();
  });

  it('tells why a server could not go back, and who gave no answer', async () => {
    const refused = {
      result: 'refused' as const,
      reason: { code: 'no-way-back', detail: 'openssl 3.0.14 is nowhere' },
    };
    const world = await patched({
      behave: ({ name }, phase) =>
        phase !== 'rollback' ? {} : name === 'server-1' ? refused : name === 'server-2' ? { dies: true } : {},
    });
    await ask(world, { dryRun: true });
    await comeBack(world, 60);
    const { rows, counts } = await shown(world);
    expect(counts).toEqual({ refused: 1, 'no-answer': 1, possible: 2 });
    expect(rows[0]).toMatchObject({ state: 'refused', reason: 'openssl 3.0.14 is nowhere' });
    expect(rows[1]).toMatchObject({ state: 'no-answer' });
    expect(await states(world)).toEqual(all('succeeded'));
  });

  it('is followed by the rollback itself, which asks servers in earnest and as far as was said', async () => {
    const sent: Record<string, string | undefined>[] = [];
    const world = await patched({
      commands: (commands) => ({
        ...commands,
        send: (place, request) => {
          const { DryRun, RollbackTo, RebootReserve } = request.parameters;
          if (DryRun !== undefined) sent.push({ DryRun, RollbackTo, RebootReserve });
          return commands.send(place, request);
        },
      }),
    });
    await ask(world, { dryRun: true });
    await wait(world, 60);
    // The sweeper has not come by then: all have answered.
    expect(await ask(world, { to: 'kernel' })).toMatchObject({ number: 2 });
    await comeBack(world);
    expect(await states(world)).toEqual(all('rolled-back'));
    expect(sent.map(({ DryRun, RollbackTo }) => [DryRun, RollbackTo])).toEqual([
      ['yes', 'packages'],
      ['no', 'kernel'],
    ]);
    expect(Number(sent[1]?.RebootReserve)).toBeGreaterThan(0);
    expect((await kept(world)).past).toMatchObject([{ number: 1, dryRun: true, counts: { possible: 4 } }]);
  });
});

describe('a rollback by hand', () => {
  it('brings a whole campaign back after its end, and the report says who asked', async () => {
    const world = await patched();
    await ask(world);
    expect(await states(world)).toEqual(all('rolling-back'));
    await comeBack(world);
    expect(world.errors).toEqual([]);
    expect(await states(world)).toEqual(all('rolled-back'));
    const { report, jobs: rows } = await readReport(world.objects);
    expect(report.counts).toEqual({ 'rolled-back': 4 });
    expect(report.rollbacks).toMatchObject([{ number: 1, ...by, servers: 4, counts: { 'rolled-back': 4 } }]);
    expect(rows[0]?.reasons[0]?.detail).toContain('ann asked for it');
    // Versions of before again.
    expect(rows[0]?.packages[0]).toMatchObject({ from: rows[0]?.packages[0]?.to });
    expect(world.notices.at(-1)?.subject).toBe('Rolled back by hand: 4 of 4 servers');
  });

  it('leaves servers alone that nobody named', async () => {
    const world = await patched();
    await ask(world, { servers: ['SERVER-2'] });
    await comeBack(world);
    expect(await states(world)).toEqual(['succeeded', 'rolled-back', 'succeeded', 'succeeded']);
    const { report } = await readReport(world.objects);
    expect(report.counts).toEqual({ succeeded: 3, 'rolled-back': 1 });
  });

  it('takes one member of an HA group at a time', async () => {
    const servers = serversOf(4).map((server, index) => ({
      ...server,
      haGroups: [index < 2 ? 'db' : 'web'],
    }));
    const world = await patched({ servers: servers.filter((_, index) => index !== 3) });
    // Of the two of one group the campaign has patched one, and the second once it was well.
    const before = await Promise.all([1, 2, 3].map((number) => stateOf(world, number)));
    await expect(ask(world, { servers: ['server-1', 'server-2'], dryRun: true })).resolves.toBeDefined();
    await comeBack(world);
    expect(before).toEqual(['succeeded', 'succeeded', 'succeeded']);
    const { servers: going, left } = await ask(world);
    expect(going).toBe(2);
    expect(left).toEqual([
      { server: 'server-2', why: 'server-1 of HA group db goes back first: ask for server-2 when it has' },
    ]);
    await comeBack(world);
    expect(await ask(world)).toMatchObject({ servers: 1 });
    await comeBack(world);
    const after = await Promise.all([1, 2, 3].map((number) => stateOf(world, number)));
    expect(after).toEqual(['rolled-back', 'rolled-back', 'rolled-back']);
  });

  it('is loud where a server does not come back', async () => {
    const world = await patched({
      behave: ({ name }, phase) =>
        phase === 'rollback' && name === 'server-3'
          ? { result: 'failed', reason: { code: 'not-healthy', detail: 'nginx is down' } }
          : {},
    });
    await ask(world);
    await comeBack(world);
    expect(await stateOf(world, 3)).toBe('rollback-failed');
    expect(world.notices.at(-1)).toMatchObject({
      kind: 'campaign-stopped',
      subject: 'Rolled back by hand: 3 of 4 servers',
    });
    expect((await shown(world)).rows[2]).toMatchObject({
      state: 'rollback-failed',
      reason: 'nginx is down',
    });
  });

  it('ends where Run Command refuses its command, and may be asked for again', async () => {
    let isRefusing = false;
    const world = await patched({
      commands: (commands) => ({
        ...commands,
        send: (place, request) =>
          isRefusing
            ? Promise.reject(new PortError('refused', 'access denied'))
            : commands.send(place, request),
      }),
    });
    isRefusing = true;
    await ask(world);
    await comeBack(world);
    expect(await states(world)).toEqual(all('rollback-failed'));
    isRefusing = false;
    await ask(world);
    await comeBack(world);
    expect(await states(world)).toEqual(all('rolled-back'));
  });

  it('leaves no job on its way, wherever whoever asked for it died', async () => {
    let died = true;
    for (let call = 1; died; call += 5) {
      const world = await patched({ servers: serversOf(2) });
      const process = mortal(world.host.ports, call);
      died = false;
      await world.clock
        .busy(() => rollBack(process.ports, { campaignId, ...by }, world.now()))
        .catch(() => {
          died = true;
        });
      await comeBack(world, 24);
      const ends = await Promise.all([stateOf(world, 1), stateOf(world, 2)]);
      expect(ends.every(isEnded), `${call}: ${ends}`).toBe(true);
      const record = await world.records.get(rollbackKey(campaignId));
      if (record) expect((await kept(world)).endedAt, String(call)).not.toBeNull();
    }
  });
});

describe('a rollback by hand is refused', () => {
  const refusal = (world: World, asked: Asked = {}) =>
    ask(world, asked).then(
      () => 'not refused',
      (error: { code?: string; message: string }) => `${error.code}: ${error.message}`,
    );

  it('while everything is paused', async () => {
    const world = await patched();
    await pauseAll(world.host.ports, { by: 'bob', reason: 'an incident' }, world.now());
    expect(await refusal(world)).toMatch(/^paused: .*an incident/);
  });

  it('while the campaign has not ended, or where there is none', async () => {
    const world = createWorld({ servers: serversOf(2) });
    let said = '';
    world.at('2026-11-21T01:00:10.000Z', async () => {
      said = await refusal(world);
    });
    await world.run();
    expect(said).toMatch(/^campaign-not-ended/);
    expect(await refusal(world, { campaignId: 'campaign-0009' })).toMatch(/^unknown-campaign/);
  });

  it('while another one is under way, of which two that come together make one', async () => {
    const world = await patched();
    const both = await Promise.allSettled([ask(world), ask(world)]);
    expect(both.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await refusal(world)).toMatch(/^rollback-open: .*ann/);
  });

  it('where another one came in between, whether there was one before or not', async () => {
    const world = await patched();
    for (const number of [1, 2]) {
      const { records } = world.host.ports;
      let isFirst = true;
      const late = {
        ...world.host.ports,
        records: {
          ...records,
          create: async (record: Parameters<typeof records.create>[0]) => {
            if (isFirst) await rollBack(world.host.ports, { campaignId, ...by, dryRun: true }, world.now());
            isFirst = false;
            return records.create(record);
          },
        },
      };
      const asked = world.clock.busy(() => rollBack(late, { campaignId, ...by, dryRun: true }, world.now()));
      await expect(asked).rejects.toMatchObject({ code: 'rollback-open' });
      expect((await kept(world)).number).toBe(number);
      await comeBack(world);
    }
  });

  it('for servers that the campaign does not know or did not patch, or that went back', async () => {
    const world = await patched({
      behave: ({ name }, phase) =>
        name === 'server-4' && phase === 'prepare' ? { result: 'nothing-to-do', plan: [] } : {},
    });
    expect(await refusal(world, { servers: ['server-9'] })).toMatch(/^unknown-server: .*server-9/);
    expect(await refusal(world, { servers: ['server-1', 'server-4'] })).toMatch(
      /^can-not-go-back: .*server-4/,
    );
    expect((await ask(world)).left).toMatchObject([{ server: 'server-4' }]);
    await comeBack(world);
    expect(await refusal(world)).toMatch(/^nothing-to-roll-back: .*rolled-back/);
  });

  it('for a server behind a fence, or whose agent does not answer', async () => {
    let isOff = false;
    const world = await patched({
      behave: ({ name }) => (isOff && name === 'server-2' ? 'offline' : {}),
    });
    const [first] = serversOf(1);
    await create(world.records, fences, {
      schema: 1 as const,
      serverId: first?.id ?? '',
      since: world.now(),
      campaignId,
      by: 'bob',
    });
    isOff = true;
    expect(await refusal(world, { servers: ['server-1'] })).toMatch(/^can-not-go-back: .*root volume/);
    expect(await refusal(world, { servers: ['server-2'] })).toMatch(/^can-not-go-back: .*does not answer/);
    expect((await ask(world)).left.map(({ server }) => server)).toEqual(['server-1', 'server-2']);
  });

  it('for a server that a later campaign has patched, which it names', async () => {
    const world = await patched();
    const [server] = serversOf(1);
    const { policy } = (await readReport(world.objects)).report.campaign;
    const later = instantOf(world.clock.now() + 86_400_000);
    const window = { start: later, end: plusSeconds(later, 8 * 3600), zone: 'Europe/Berlin' };
    await world.clock.busy(() =>
      createCampaign(
        world.host.ports,
        {
          campaignId: 'campaign-0002',
          policy,
          quarter: '2027-Q2',
          window,
          requestedBy: 'requester@example.com',
          servers: server ? [server] : [],
        },
        world.now(),
      ),
    );
    await world.host.finish('campaign-0002');
    expect(await refusal(world, { servers: ['server-1'] })).toMatch(/^can-not-go-back: .*campaign-0002/);
    await ask(world, { servers: ['server-2'] });
    await comeBack(world);
    expect(await stateOf(world, 2)).toBe('rolled-back');
  });
});
