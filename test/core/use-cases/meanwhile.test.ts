import { describe, expect, test } from 'vitest';
import { isFailure } from '../../../core/job.ts';
import { closeCampaign } from '../../../core/use-cases/close-campaign.ts';
import { dispatchBatch } from '../../../core/use-cases/dispatch-batch.ts';
import { settleRun } from '../../../core/use-cases/settle-run.ts';
import { stopCampaign } from '../../../core/use-cases/stop-campaign.ts';
import { sweep } from '../../../core/use-cases/sweep.ts';
import type { BareCampaign } from '../../support/bare-campaign.ts';
import { patching } from '../../support/campaign-stages.ts';
import { interposed } from '../../support/interruptions.ts';
import { campaignId, serverOf } from '../../support/samples.ts';

const servers = [1, 2, 3].map((n) => serverOf(n));
const batchId = 'w1-0001';
const ref = { campaignId, batchId, phase: 'patch' as const };

/** Dispatches a patch during which, before its n-th call, something else happens. */
async function dispatchWhile(call: number, act: (world: BareCampaign) => Promise<unknown>) {
  const world = await patching({ servers });
  const { ports, calls } = interposed(world.ports, call, () => act(world));
  await dispatchBatch(ports, { ...ref, taskToken: 'token' }, world.now());
  return { world, calls };
}

async function everyMoment(
  act: (world: BareCampaign) => Promise<unknown>,
  check: (world: BareCampaign, call: number) => Promise<void>,
) {
  const { calls } = await dispatchWhile(-1, act);
  expect(calls.length).toBeGreaterThan(20);
  for (let call = 0; call < calls.length; call++) await check((await dispatchWhile(call, act)).world, call);
}

/** Of the servers of the batch. */
async function patched(world: BareCampaign) {
  const jobs = await Promise.all(servers.slice(1).map(world.job));
  return jobs.map((job) => ({ job, reached: world.runCommand.reached.get(`${job.server.id} patch`) ?? 0 }));
}

describe('while a patch is being dispatched', () => {
  test('closing the campaign leaves no server that is patched and said not to be', async () => {
    const close = (world: BareCampaign) =>
      closeCampaign(world.ports, { campaignId, ending: 'broken', reason: null }, world.now());
    const seen = new Set<string>();
    await everyMoment(close, async (world) => {
      for (const { job, reached } of await patched(world)) {
        seen.add(`${job.state} ${reached}`);
        if (reached === 1) expect(job).toMatchObject({ state: 'lost', dispatched: { online: true } });
        else expect(isFailure(job) ? job.state : 'not-started').toMatch(/^(not-started|lost)$/);
      }
    });
    expect([...seen].toSorted()).toEqual(expect.arrayContaining(['lost 1', 'not-started 0']));
    expect(seen).not.toContain('not-started 1');
  });

  test('stopping the campaign leaves each server either untouched or seen through', async () => {
    const stop = (world: BareCampaign) =>
      stopCampaign(world.ports, { campaignId, by: 'bob', reason: 'incident' }, world.now());
    await everyMoment(stop, async (world) => {
      await world.runCommand.answer();
      await settleRun(world.ports, ref, world.now());
      for (const { job, reached } of await patched(world))
        expect([job.state, reached, job.dispatched !== null]).toEqual(
          reached === 1 ? ['verifying', 1, true] : ['not-started', 0, false],
        );
      expect(world.answers.delivered.has('token')).toBe(true);
    });
  });

  test('events and sweeps change nothing of what comes of it', async () => {
    const look = async (world: BareCampaign) => {
      await world.runCommand.answer();
      await settleRun(world.ports, ref, world.now());
      return { stored: await world.stored(), delivered: [...world.answers.delivered] };
    };
    const { world: alone } = await dispatchWhile(-1, async () => undefined);
    const expected = await look(alone);
    const settle = async (world: BareCampaign) => {
      await world.runCommand.answer();
      await settleRun(world.ports, ref, world.now());
      await sweep(world.ports, world.now());
    };
    await everyMoment(settle, async (world) => expect(await look(world)).toEqual(expected));
  });

  test('a second dispatcher with another token sends nothing, and one of the two is answered', async () => {
    const again = (world: BareCampaign) =>
      dispatchBatch(world.ports, { ...ref, taskToken: 'second' }, world.now()).catch(() => undefined);
    await everyMoment(again, async (world, call) => {
      // Before its first write the first had not begun: the second is the one that dispatches.
      const outcome = await patched(world);
      expect({ call, reached: outcome.map(({ reached }) => reached) }).toEqual({ call, reached: [1, 1] });
      await world.runCommand.answer();
      await settleRun(world.ports, ref, world.now());
      expect(world.answers.delivered.size).toBeGreaterThan(0);
    });
  });
});
