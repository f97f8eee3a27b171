import { describe, expect, test } from 'vitest';
import { commandSeconds, dispatchSeconds, phaseSeconds } from '../../../core/document.ts';
import { create as createItem, exceptions } from '../../../core/entities.ts';
import { plusSeconds } from '../../../core/instant.ts';
import { dispatchBatch } from '../../../core/use-cases/dispatch-batch.ts';
import { settleRun } from '../../../core/use-cases/settle-run.ts';
import { stopCampaign } from '../../../core/use-cases/stop-campaign.ts';
import {
  budgetOf,
  carryOut,
  dispatch,
  opened,
  patching,
  plainPolicy,
  settle,
} from '../../support/campaign-stages.ts';
import {
  approvedCampaign,
  campaignId,
  entryOf,
  exceptionOf,
  policyOf,
  resultObjectOf,
  serverOf,
  window,
} from '../../support/samples.ts';

const servers = [1, 2, 3, 4, 5].map((n) => serverOf(n));
const [first, second, third] = servers as [(typeof servers)[0], (typeof servers)[0], (typeof servers)[0]];
/** Of the second wave: all servers but the canary. */
const batchId = 'w1-0001';
const lease = 121;

/** The last moment at which a patch under the policy of these tests may be dispatched. */
const latest = plusSeconds(window.end, -phaseSeconds(approvedCampaign({ policy: plainPolicy }), 'patch'));

const times = (of: ReadonlyMap<string, number>, phase: string) =>
  servers.map(({ id }) => of.get(`${id} ${phase}`) ?? 0);

describe('a dispatch', () => {
  test('sends one command with the pinned document, the order and nothing secret', async () => {
    const world = await opened({ servers });
    await dispatch(world, 'p-0001', 'prepare', 'the token');
    const [sent] = world.runCommand.sent;
    expect(world.runCommand.sent).toHaveLength(1);
    expect(sent?.request).toMatchObject({
      document: { name: 'Quarterdeck-Debian-Prepare', version: '7' },
      serverIds: servers.map(({ id }) => id),
      comment: `${campaignId} p-0001 prepare 0-4`,
      deliveryTimeout: 300,
    });
    const parameters = JSON.stringify(sent?.request.parameters);
    expect(parameters).not.toContain('the token');
    const order = await world.ports.objects.get(String(sent?.request.parameters.OrderKey));
    expect(Buffer.from(order as Uint8Array).toString()).toContain(`server\t${first.id}\n`);
    expect(await world.states()).toEqual(Array(5).fill('preparing'));
  });

  test('with a new token replaces the old one, sends nothing, and the answer goes to the new one', async () => {
    const world = await opened({ servers });
    await dispatch(world, 'p-0001', 'prepare', 'old');
    await dispatch(world, 'p-0001', 'prepare', 'new');
    await settle(world, 'p-0001', 'prepare');
    expect(world.runCommand.sent).toHaveLength(1);
    expect([...world.answers.delivered]).toEqual([['new', { batchId: 'p-0001', counts: { ready: 5 } }]]);
  });

  test('of what is complete answers the new token at once', async () => {
    const world = await opened({ servers });
    await carryOut(world, 'p-0001', 'prepare');
    await dispatch(world, 'p-0001', 'prepare', 'redriven');
    expect(world.runCommand.sent).toHaveLength(1);
    expect(world.answers.delivered.get('redriven')).toEqual({ batchId: 'p-0001', counts: { ready: 5 } });
    expect((await world.batch('p-0001')).runs.prepare).toMatchObject({
      state: 'answered',
      token: 'redriven',
    });
  });

  test('while another is at it comes back later', async () => {
    const world = await opened({ servers });
    world.runCommand.faults.push({ code: 'ambiguous', runs: false });
    await expect(dispatch(world, 'p-0001', 'prepare')).rejects.toThrow(/as the test has it/);
    await expect(dispatch(world, 'p-0001', 'prepare')).rejects.toThrow(/is being dispatched until/);
    world.sleep(lease);
    await dispatch(world, 'p-0001', 'prepare');
    expect(world.runCommand.sent).toHaveLength(1);
  });

  test('that was throttled is tried again at once, and has its whole time from then on', async () => {
    const world = await opened({ servers });
    world.runCommand.faults.push({ code: 'throttled', runs: false }, { code: 'throttled', runs: false });
    await expect(dispatch(world, 'p-0001', 'prepare')).rejects.toThrow();
    await expect(dispatch(world, 'p-0001', 'prepare')).rejects.toThrow();
    world.sleep(3000);
    await dispatch(world, 'p-0001', 'prepare');
    const seconds = commandSeconds(await world.campaign(), 'prepare');
    // A command that was sent just now is not overdue before it can have ended.
    world.sleep(seconds);
    await settleRun(world.ports, { campaignId, batchId: 'p-0001', phase: 'prepare' }, world.now());
    expect(await world.states()).toEqual(Array(5).fill('preparing'));
    expect(times(world.runCommand.reached, 'prepare')).toEqual([1, 1, 1, 1, 1]);
  });

  test.each([true, false])(
    'whose send was ambiguous sends no second command when the first ran: %s',
    async (runs) => {
      const world = await opened({ servers });
      world.runCommand.faults.push({ code: 'ambiguous', runs });
      await expect(dispatch(world, 'p-0001', 'prepare')).rejects.toThrow();
      world.sleep(lease);
      await dispatch(world, 'p-0001', 'prepare', 'retry');
      await settle(world, 'p-0001', 'prepare');
      expect(times(world.runCommand.reached, 'prepare')).toEqual([1, 1, 1, 1, 1]);
      expect(world.answers.delivered.has('retry')).toBe(true);
    },
  );

  test('is not answered by a settlement before all its commands are out', async () => {
    const world = await opened({ servers, hosts: { 'web-5': { isUnknown: true } } });
    // The whole is refused; the first half goes out; the second half does not.
    const send = world.ports.commands.send;
    world.ports.commands.send = async (place, request) => {
      if (request.serverIds.includes(serverOf(4).id) && request.serverIds.length === 1)
        throw new Error('cut off');
      return send(place, request);
    };
    await expect(dispatch(world, 'p-0001', 'prepare')).rejects.toThrow('cut off');
    await settle(world, 'p-0001', 'prepare');
    expect(await world.states()).toEqual(['ready', 'ready', 'ready', 'preparing', 'preparing']);
    expect(world.answers.delivered.size).toBe(0);
    world.ports.commands.send = send;
    world.sleep(lease);
    await carryOut(world, 'p-0001', 'prepare');
    expect(await world.states()).toEqual(['ready', 'ready', 'ready', 'ready', 'unreachable']);
    expect(world.answers.delivered.size).toBe(1);
    expect(times(world.runCommand.reached, 'prepare')).toEqual([1, 1, 1, 1, 0]);
  });
});

describe('a dispatch that broke off', () => {
  test('has no overdue servers while it may still send to them', async () => {
    const world = await patching({ servers });
    world.runCommand.faults.push({ code: 'throttled', runs: false });
    await expect(dispatch(world, batchId, 'patch')).rejects.toThrow();
    const { deadline } = (await world.batch(batchId)).runs.patch ?? {};
    await settleRun(world.ports, { campaignId, batchId, phase: 'patch' }, deadline ?? '');
    expect(await world.states()).toEqual(['ready', ...Array(4).fill('patching')]);
    await carryOut(world, batchId, 'patch');
    expect(await world.states()).toEqual(['ready', ...Array(4).fill('verifying')]);
  });
});

describe('a server that Run Command does not know', () => {
  test.each([
    [['web-1']],
    [['web-3']],
    [['web-1', 'web-5']],
    [['web-1', 'web-2', 'web-3', 'web-4', 'web-5']],
  ])('is found by halving, and keeps the others from nothing: %j', async (unknown) => {
    const hosts = Object.fromEntries(unknown.map((name) => [name, { isUnknown: true }]));
    const world = await opened({ servers, hosts });
    await carryOut(world, 'p-0001', 'prepare');
    const expected = servers.map(({ name }) => (unknown.includes(name) ? 'unreachable' : 'ready'));
    expect(await world.states()).toEqual(expected);
    expect(times(world.runCommand.reached, 'prepare')).toEqual(
      expected.map((state) => (state === 'ready' ? 1 : 0)),
    );
    expect(world.answers.delivered.size).toBe(1);
  });

  test('and is known after an interruption gives no second command to those that had theirs', async () => {
    const hosts = { 'web-5': { isUnknown: true } };
    const world = await opened({ servers, hosts });
    const replace = world.ports.records.replace;
    let isDead = false;
    // Dies between sending the first half and recording it.
    const send = world.ports.commands.send;
    world.ports.commands.send = async (place, request) => {
      const id = await send(place, request);
      isDead = true;
      return id;
    };
    world.ports.records.replace = async (...args) => {
      if (isDead) throw new Error('died');
      return replace(...args);
    };
    await expect(dispatch(world, 'p-0001', 'prepare')).rejects.toThrow('died');
    world.ports.records.replace = replace;
    world.ports.commands.send = send;
    world.runCommand.hosts.set(serverOf(5).id, {});
    world.sleep(lease);
    await carryOut(world, 'p-0001', 'prepare');
    expect(times(world.runCommand.reached, 'prepare')).toEqual([1, 1, 1, 1, 1]);
    expect(await world.states()).toEqual(Array(5).fill('ready'));
  });

  test('at its patch is unreachable, and no failure of the patch that it never got', async () => {
    const world = await patching({ servers });
    world.runCommand.hosts.set(second.id, { isUnknown: true });
    await carryOut(world, batchId, 'patch');
    expect(await world.states()).toEqual(['ready', 'unreachable', 'verifying', 'verifying', 'verifying']);
    const job = await world.job(second);
    expect(job).toMatchObject({ dispatched: null, reasons: [{ code: 'server-unknown' }] });
    expect(await budgetOf(world)).toMatchObject([{ dispatched: 3, failures: [] }]);
  });

  test('at its verification is lost, not superseded: it was patched', async () => {
    const world = await patching({ servers });
    await carryOut(world, 'w0-0001', 'patch');
    world.runCommand.hosts.set(first.id, { isUnknown: true });
    await carryOut(world, 'w0-0001', 'verify');
    expect(await world.job(first)).toMatchObject({ state: 'lost', reasons: [{ code: 'server-unknown' }] });
  });
});

describe('a send of which nobody knows how it ended', () => {
  test.each([true, false])(
    'and that is never found loses its servers when the window closes, whether it ran or not: %s',
    async (runs) => {
      const world = await patching({ servers });
      world.ports.commands.find = async () => [];
      world.runCommand.faults.push({ code: 'ambiguous', runs });
      await expect(dispatch(world, batchId, 'patch')).rejects.toThrow();
      world.sleepUntil(plusSeconds(window.end, -600));
      await dispatch(world, batchId, 'patch', 'retry');
      expect(await world.states()).toEqual(['ready', ...Array(4).fill('lost')]);
      expect(await world.job(second)).toMatchObject({
        dispatched: { online: true },
        reasons: [{ code: 'window-too-short' }],
      });
      expect(times(world.runCommand.reached, 'patch')).toEqual(runs ? [0, 1, 1, 1, 1] : [0, 0, 0, 0, 0]);
      expect(await budgetOf(world)).toMatchObject([{ dispatched: 4, failures: [{ servers: 4 }] }]);
    },
  );

  test('and that a refusal made plain is none: what it names was not started', async () => {
    const world = await patching({ servers });
    world.runCommand.faults.push({ code: 'refused', runs: false });
    await expect(dispatch(world, batchId, 'patch')).rejects.toThrow();
    expect((await world.batch(batchId)).runs.patch?.attempted).toEqual([]);
    world.sleepUntil(plusSeconds(window.end, -600));
    await dispatch(world, batchId, 'patch', 'retry');
    expect(await world.states()).toEqual(['ready', ...Array(4).fill('not-started')]);
    expect(await budgetOf(world)).toMatchObject([{ dispatched: 0, failures: [] }]);
  });
});

describe('the gate of a patch', () => {
  test('holds what an exception covers since the seal, and no other server', async () => {
    const world = await patching({ servers });
    await createItem(
      world.ports.records,
      exceptions,
      exceptionOf({ scope: { kind: 'server', serverId: second.id } }),
    );
    await createItem(world.ports.records, exceptions, exceptionOf({ id: 'other', package: 'bash' }));
    await carryOut(world, batchId, 'patch');
    expect(await world.states()).toEqual(['ready', 'held', 'verifying', 'verifying', 'verifying']);
    expect((await world.job(second)).reasons[0]?.code).toBe('excepted-after-sealing');
    expect(world.runCommand.reached.has(`${second.id} patch`)).toBe(false);
  });

  test('lets out who is gone, and sends to who is offline without counting that as a failure', async () => {
    const hosts = {
      'web-2': { presence: 'online' as const },
      'web-3': { answers: { patch: 'nothing' as const } },
    };
    const world = await patching({ servers, hosts });
    world.runCommand.hosts.set(second.id, { presence: 'gone' });
    world.runCommand.hosts.set(third.id, { presence: 'offline', answers: { patch: 'nothing' } });
    await dispatch(world, batchId, 'patch');
    expect(await world.job(second)).toMatchObject({ state: 'superseded', dispatched: null });
    expect((await world.job(third)).dispatched).toMatchObject({ online: false });
  });

  test.each([
    ['before the window', plusSeconds(window.start, -1), 'window-not-open'],
    ['too late in the window', plusSeconds(window.end, -4000), 'window-too-short'],
    // The command alone would just end in time, but its dispatch may take a while.
    ['too late for a slow dispatch', plusSeconds(latest, 0.001), 'window-too-short'],
    ['in the time of its dispatch', plusSeconds(latest, dispatchSeconds), 'window-too-short'],
    ['after the window', window.end, 'window-closed'],
  ])('%s sends nothing and says why', async (_, at, code) => {
    const world = await patching({ servers });
    await dispatchBatch(world.ports, { campaignId, batchId, phase: 'patch', taskToken: 'late' }, at);
    expect(world.runCommand.sent.filter(({ request }) => request.comment.includes('patch'))).toEqual([]);
    expect(await world.states()).toEqual(['ready', ...Array(4).fill('not-started')]);
    expect((await world.job(second)).reasons[0]?.code).toBe(code);
    expect(world.answers.delivered.get('late')).toEqual({ batchId, counts: { 'not-started': 4 } });
  });

  test('at the last moment sends', async () => {
    const world = await patching({ servers });
    await dispatchBatch(world.ports, { campaignId, batchId, phase: 'patch', taskToken: 'just' }, latest);
    expect(times(world.runCommand.reached, 'patch')).toEqual([0, 1, 1, 1, 1]);
  });

  test('that was passed is looked at again before the command is sent', async () => {
    const world = await patching({ servers });
    const { put } = world.ports.objects;
    // The order is written when the gate has let the servers through.
    world.ports.objects.put = async (key, content) => {
      if (key.startsWith('orders/'))
        await stopCampaign(world.ports, { campaignId, by: 'bob', reason: 'incident' }, world.now());
      return put(key, content);
    };
    await dispatch(world, batchId, 'patch', 'token');
    expect(times(world.runCommand.reached, 'patch')).toEqual([0, 0, 0, 0, 0]);
    expect(await world.job(second)).toMatchObject({
      state: 'not-started',
      dispatched: null,
      reasons: [{ code: 'stopped-by-hand' }],
    });
    expect(world.answers.delivered.get('token')).toEqual({ batchId, counts: { 'not-started': 4 } });
  });

  test('that closes between two attempts lets nothing more out, and nobody counts as dispatched', async () => {
    const world = await patching({ servers });
    world.runCommand.faults.push({ code: 'throttled', runs: false });
    await expect(dispatch(world, batchId, 'patch')).rejects.toThrow();
    await stopCampaign(world.ports, { campaignId, by: 'bob', reason: 'incident' }, world.now());
    await dispatch(world, batchId, 'patch', 'retry');
    expect(await world.job(second)).toMatchObject({
      state: 'not-started',
      dispatched: null,
      reasons: [{ code: 'stopped-by-hand' }],
    });
    expect(times(world.runCommand.reached, 'patch')).toEqual([0, 0, 0, 0, 0]);
    expect(world.answers.delivered.get('retry')).toEqual({ batchId, counts: { 'not-started': 4 } });
  });

  test.each([
    ['to be read at all', 'something else'],
    ['what was sealed', resultObjectOf({ plan: [entryOf({ to: '6.6.6-1' })] })],
    ['small enough to be read', new Uint8Array(4 * 1024 * 1024 + 1)],
  ])('does not let through a plan that is not %s', async (_, content) => {
    const world = await patching({ servers });
    const key = (await world.job(second)).plan?.objectKey as string;
    await world.ports.objects.put(key, content);
    await carryOut(world, batchId, 'patch');
    expect(await world.job(second)).toMatchObject({
      state: 'failed',
      dispatched: null,
      reasons: [{ code: 'sealed-plan-unreadable' }],
    });
    expect(world.runCommand.reached.has(`${second.id} patch`)).toBe(false);
  });

  test('is closed while nobody has approved, and when the approval binds another root', async () => {
    const policy = policyOf({ ...plainPolicy, approval: { required: true } });
    const world = await patching({ servers, policy });
    const campaign = await world.campaign();
    const record = await world.ports.records.get({ partition: `campaign#${campaignId}`, sort: 'campaign' });
    const approval = { ...campaign.approval, root: 'f'.repeat(64) };
    await world.ports.records.replace(
      { key: { partition: `campaign#${campaignId}`, sort: 'campaign' }, body: { ...campaign, approval } },
      record?.revision ?? 0,
    );
    await dispatch(world, batchId, 'patch');
    expect(await world.states()).toEqual(['ready', ...Array(4).fill('not-started')]);
    expect((await world.job(second)).reasons[0]?.code).toBe('approval-of-other-plans');
  });
});
