import { describe, expect, test } from 'vitest';
import { overdueAt } from '../../../core/campaign.ts';
import { batches, create as createItem } from '../../../core/entities.ts';
import { plusSeconds } from '../../../core/instant.ts';
import { reportKey } from '../../../core/report.ts';
import { askApproval } from '../../../core/use-cases/ask-approval.ts';
import { closeCampaign } from '../../../core/use-cases/close-campaign.ts';
import { createCampaign } from '../../../core/use-cases/create-campaign.ts';
import { decideApproval } from '../../../core/use-cases/decide-approval.ts';
import { openCampaign } from '../../../core/use-cases/open-campaign.ts';
import { sweep } from '../../../core/use-cases/sweep.ts';
import { createBareCampaign, inputOf } from '../../support/bare-campaign.ts';
import {
  budgetOf,
  carryOut,
  created,
  dispatch,
  opened,
  patching,
  plainPolicy,
  sealed,
} from '../../support/campaign-stages.ts';
import { campaignId, policyOf, serverId, serverOf, window } from '../../support/samples.ts';

const servers = [serverOf(1), serverOf(2)];
const down = 'the service is down';

describe('a sweep', () => {
  test('settles what no event told of', async () => {
    const world = await opened({ servers });
    await dispatch(world, 'p-0001', 'prepare', 'token');
    await world.runCommand.answer();
    world.sleep(299);
    expect(await sweep(world.ports, world.now())).toEqual({ looked: 0, failed: [] });
    world.sleep(1);
    expect(await sweep(world.ports, world.now())).toEqual({ looked: 1, failed: [] });
    expect(await world.states()).toEqual(['ready', 'ready']);
    expect(world.answers.delivered.has('token')).toBe(true);
    expect(await sweep(world.ports, world.now())).toEqual({ looked: 0, failed: [] });
  });

  test('gives an answer that could not be delivered', async () => {
    const world = await opened({ servers });
    const deliver = world.ports.callbacks.succeed;
    world.ports.callbacks.succeed = () => Promise.reject(new Error(down));
    await expect(carryOut(world, 'p-0001', 'prepare')).rejects.toThrow(down);
    expect((await world.batch('p-0001')).runs.prepare?.state).toBe('complete');
    world.ports.callbacks.succeed = deliver;
    world.sleep(300);
    await sweep(world.ports, world.now());
    expect(world.answers.delivered.get('p-0001 prepare')).toEqual({
      batchId: 'p-0001',
      counts: { ready: 2 },
    });
  });

  test('gives a redriven state its answer, when the dispatcher could not', async () => {
    const world = await opened({ servers });
    await carryOut(world, 'p-0001', 'prepare');
    const deliver = world.ports.callbacks.succeed;
    world.ports.callbacks.succeed = () => Promise.reject(new Error(down));
    await expect(dispatch(world, 'p-0001', 'prepare', 'redriven')).rejects.toThrow(down);
    world.ports.callbacks.succeed = deliver;
    world.sleep(300);
    await sweep(world.ports, world.now());
    expect(world.answers.delivered.get('redriven')).toEqual({ batchId: 'p-0001', counts: { ready: 2 } });
  });

  test('does not answer twice, nor a state that waits no more', async () => {
    const world = await opened({ servers });
    await dispatch(world, 'p-0001', 'prepare', 'token');
    await world.runCommand.answer();
    world.answers.expire('token');
    world.sleep(300);
    await sweep(world.ports, world.now());
    expect((await world.batch('p-0001')).runs.prepare?.state).toBe('answered');
    expect(world.answers.delivered.size).toBe(0);
  });

  test('leaves the newer token to be answered when two came at once', async () => {
    const world = await opened({ servers });
    await dispatch(world, 'p-0001', 'prepare', 'old');
    await world.runCommand.answer();
    const deliver = world.ports.callbacks.succeed;
    world.ports.callbacks.succeed = async (token, output) => {
      if (token === 'new') throw new Error(down);
      // While the old token is answered, a retry brings a new one, whose own answer is lost.
      await expect(dispatch(world, 'p-0001', 'prepare', 'new')).rejects.toThrow(down);
      return deliver(token, output);
    };
    world.sleep(300);
    await sweep(world.ports, world.now());
    expect([...world.answers.delivered.keys()]).toEqual(['old']);
    world.ports.callbacks.succeed = deliver;
    world.sleep(300);
    await sweep(world.ports, world.now());
    expect([...world.answers.delivered.keys()]).toEqual(['old', 'new']);
  });

  test('fails the token of a dispatcher that died, so that the state machine dispatches again', async () => {
    const world = await opened({ servers });
    world.runCommand.faults.push({ code: 'ambiguous', runs: true });
    await expect(dispatch(world, 'p-0001', 'prepare', 'dead')).rejects.toThrow();
    world.sleep(299);
    await sweep(world.ports, world.now());
    expect(world.answers.failed.size).toBe(0);
    world.sleep(1);
    await sweep(world.ports, world.now());
    expect([...world.answers.failed]).toEqual([['dead', 'DispatchLost']]);
    await dispatch(world, 'p-0001', 'prepare', 'again');
    await world.runCommand.answer();
    world.sleep(300);
    await sweep(world.ports, world.now());
    expect(world.answers.delivered.has('again')).toBe(true);
    expect([...world.runCommand.reached.values()]).toEqual([1, 1]);
  });

  test('gives a dispatcher that came later its own time', async () => {
    const world = await opened({ servers });
    world.runCommand.faults.push({ code: 'ambiguous', runs: false }, { code: 'ambiguous', runs: false });
    await expect(dispatch(world, 'p-0001', 'prepare', 'first')).rejects.toThrow();
    world.sleep(121);
    await expect(dispatch(world, 'p-0001', 'prepare', 'second')).rejects.toThrow();
    world.sleep(299);
    await sweep(world.ports, world.now());
    expect(world.answers.failed.size).toBe(0);
    world.sleep(1);
    await sweep(world.ports, world.now());
    expect([...world.answers.failed.keys()]).toEqual(['second']);
  });

  test('brings a decision that was recorded and not delivered', async () => {
    const policy = policyOf({ ...plainPolicy, approval: { required: true } });
    const world = await sealed({ servers, policy });
    await askApproval(world.ports, { campaignId, taskToken: 'approval', seconds: 3600 }, world.now());
    const deliver = world.ports.callbacks.succeed;
    world.ports.callbacks.succeed = () => Promise.reject(new Error(down));
    const root = (await world.campaign()).seal?.root ?? '';
    const decision = { campaignId, root, approved: true, by: 'bob' };
    await expect(decideApproval(world.ports, decision, world.now())).rejects.toThrow(down);
    world.ports.callbacks.succeed = deliver;
    world.sleep(300);
    await sweep(world.ports, world.now());
    expect([...world.answers.delivered]).toContainEqual(['approval', { approved: true }]);
    expect((await world.campaign()).approval?.answered).toBe(true);
  });

  test('goes on to the others when one can not be swept, and says which', async () => {
    const apart = [serverOf(1), serverOf(2, { family: 'rhel' })];
    const world = await opened({ servers: apart });
    await dispatch(world, 'p-0001', 'prepare', 'one');
    await dispatch(world, 'p-0002', 'prepare', 'two');
    await world.runCommand.answer();
    const { invocations } = world.ports.commands;
    world.ports.commands.invocations = async (place, id) => {
      if (id.includes('p-0001')) throw new Error('access denied');
      return invocations(place, id);
    };
    world.sleep(300);
    expect(await sweep(world.ports, world.now())).toEqual({
      looked: 2,
      failed: [{ item: `campaign#${campaignId}/batch#p-0001`, error: 'Error: access denied' }],
    });
    expect([...world.answers.delivered.keys()]).toEqual(['two']);
  });

  test('starts a campaign whose execution was never started, and goes on trying', async () => {
    const world = createBareCampaign(servers);
    const { start } = world.ports.executions;
    world.ports.executions.start = () => Promise.reject(new Error(down));
    await expect(createCampaign(world.ports, inputOf(servers), world.now())).rejects.toThrow(down);
    world.sleep(299);
    expect((await sweep(world.ports, world.now())).looked).toBe(0);
    world.sleep(1);
    expect((await sweep(world.ports, world.now())).failed).toMatchObject([{ error: `Error: ${down}` }]);
    world.ports.executions.start = start;
    await sweep(world.ports, world.now());
    expect(world.started).toEqual([campaignId]);
    await openCampaign(world.ports, { campaignId }, world.now());
    await sweep(world.ports, world.now());
    expect(world.started).toEqual([campaignId]);
  });

  test('closes a campaign whose execution has died, when it can not be at work any more', async () => {
    const world = await patching({ servers });
    world.runCommand.faults.push({ code: 'ambiguous', runs: true });
    await expect(dispatch(world, 'w0-0001', 'patch')).rejects.toThrow();
    const overdue = overdueAt(await world.campaign());
    expect(overdue > window.end).toBe(true);
    world.sleepUntil(plusSeconds(overdue, -1));
    await sweep(world.ports, world.now());
    expect((await world.campaign()).state).toBe('patching');
    world.sleep(1);
    expect((await sweep(world.ports, world.now())).failed).toEqual([]);
    expect(await world.campaign()).toMatchObject({ state: 'broken', reason: { code: 'execution-lost' } });
    expect(await world.states()).toEqual(['lost', 'not-started']);
    expect(await budgetOf(world)).toMatchObject([{ dispatched: 1, failures: [{ servers: 1 }] }]);
    expect(world.notices.at(-1)).toMatchObject({
      kind: 'campaign-stopped',
      subject: expect.stringContaining('broken'),
    });
    expect(await world.ports.objects.get(reportKey(campaignId))).toBeDefined();
    const { length } = world.notices;
    world.sleep(300);
    await sweep(world.ports, world.now());
    expect(world.notices).toHaveLength(length);
  });

  test('ends every server of a campaign that nobody ever started', async () => {
    const world = await created({ servers });
    world.sleepUntil(overdueAt(await world.campaign()));
    await sweep(world.ports, world.now());
    expect((await world.campaign()).state).toBe('broken');
    expect(await world.states()).toEqual(['not-started', 'not-started']);
  });

  test.each(['its jobs', 'its report', 'its notice'])(
    'closes again what was closed but for %s',
    async (missing) => {
      const world = await patching({ servers });
      const real = { ...world.ports.objects, ...world.ports.notices, getMany: world.ports.records.getMany };
      const fail = () => Promise.reject(new Error(down));
      if (missing === 'its jobs') world.ports.records.getMany = fail;
      if (missing === 'its report') world.ports.objects.put = fail;
      if (missing === 'its notice') world.ports.notices.send = fail;
      const reason = { code: 'error-budget', detail: 'too many failed' };
      const ending = { campaignId, ending: 'stopped' as const, reason };
      await expect(closeCampaign(world.ports, ending, world.now())).rejects.toThrow(down);
      world.ports.records.getMany = real.getMany;
      world.ports.objects.put = real.put;
      world.ports.notices.send = real.send;
      world.sleepUntil(overdueAt(await world.campaign()));
      expect((await sweep(world.ports, world.now())).failed).toEqual([]);
      // The first ending stands.
      expect(await world.campaign()).toMatchObject({ state: 'stopped', reason, endedAt: world.now() });
      expect(await world.states()).toEqual(['not-started', 'not-started']);
      expect(await world.ports.objects.get(reportKey(campaignId))).toBeDefined();
      expect(world.notices.filter(({ kind }) => kind === 'campaign-stopped')).toHaveLength(1);
      world.sleep(300);
      expect((await sweep(world.ports, world.now())).looked).toBe(0);
    },
  );

  test('comes to every batch, however many others can only wait', async () => {
    const world = await opened({ servers });
    await dispatch(world, 'p-0001', 'prepare', 'token');
    const batch = await world.batch('p-0001');
    const run = batch.runs.prepare;
    // More than one page of a shard, all older than the one that has something to say.
    for (let n = 2; n < 2000; n++) {
      const id = `p-${String(n).padStart(4, '0')}`;
      const waiting = {
        ...batch,
        id,
        serverIds: [serverId(n)],
        runs: {
          prepare: {
            ...run,
            serverIds: [],
            commands: {},
            state: 'dispatching' as const,
            startedAt: '2026-11-20T21:00:00.000Z',
            leaseUntil: '2026-12-01T00:00:00.000Z',
          },
        },
      };
      await createItem(world.ports.records, batches, waiting as typeof batch);
    }
    await world.runCommand.answer();
    world.sleep(300);
    const before = await sweep(world.ports, world.now());
    expect(before.failed).toEqual([]);
    expect(before.looked).toBeLessThan(1999);
    expect(world.answers.delivered.size).toBe(0);
    for (let round = 0; round < 2; round++) {
      world.sleep(60);
      await sweep(world.ports, world.now());
    }
    expect(world.answers.delivered.has('token')).toBe(true);
  });
});
