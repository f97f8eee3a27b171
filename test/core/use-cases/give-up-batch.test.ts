import { describe, expect, test } from 'vitest';
import type { Phase } from '../../../core/phase.ts';
import { giveUpBatch } from '../../../core/use-cases/give-up-batch.ts';
import { judgeWave } from '../../../core/use-cases/judge-wave.ts';
import type { BareCampaign } from '../../support/bare-campaign.ts';
import { budgetOf, carryOut, dispatch, opened, patching } from '../../support/campaign-stages.ts';
import { campaignId, serverOf } from '../../support/samples.ts';

const servers = [serverOf(1), serverOf(2)];
const giveUp = (world: BareCampaign, batchId: string, phase: Phase) =>
  giveUpBatch(
    world.ports,
    { campaignId, batchId, phase, error: 'States.Timeout', cause: 'too slow' },
    world.now(),
  );
const silent = (phase: Phase) => ({ 'web-2': { answers: { [phase]: 'nothing' as const } } });

describe('giving a batch up', () => {
  test('that was never dispatched starts none of its servers', async () => {
    const world = await opened({ servers });
    await giveUp(world, 'p-0001', 'prepare');
    expect(await world.states()).toEqual(['not-started', 'not-started']);
    expect((await world.job(servers[0] as (typeof servers)[0])).reasons[0]).toEqual({
      code: 'batch-broke-off',
      detail: 'the prepare phase of batch p-0001 broke off: States.Timeout too slow',
    });
  });

  test.each([
    ['prepare', 'p-0001', ['ready', 'failed']],
    ['patch', 'w1-0001', ['ready', 'lost']],
    ['verify', 'w1-0001', ['ready', 'lost']],
  ] as const)('in its %s keeps the answers that came, and loses the others', async (phase, batchId, ends) => {
    const world = phase === 'prepare' ? await opened({ servers }) : await patching({ servers });
    if (phase === 'verify') await carryOut(world, batchId, 'patch');
    world.runCommand.hosts.set(serverOf(2).id, silent(phase)['web-2']);
    await dispatch(world, batchId, phase);
    await world.runCommand.answer();
    await giveUp(world, batchId, phase);
    expect(await world.states()).toEqual(ends);
    expect((await world.batch(batchId)).runs[phase]?.state).toBe('answered');
  });

  test('that may have been sent without being recorded loses its servers: they may be changed', async () => {
    const world = await patching({ servers });
    world.runCommand.faults.push({ code: 'ambiguous', runs: true });
    await expect(dispatch(world, 'w1-0001', 'patch')).rejects.toThrow();
    await giveUp(world, 'w1-0001', 'patch');
    expect(await world.job(serverOf(2))).toMatchObject({ state: 'lost', dispatched: { online: true } });
    // A retry or redrive that comes all the same sends nothing.
    await dispatch(world, 'w1-0001', 'patch', 'redriven');
    expect(world.runCommand.reached.get(`${serverOf(2).id} patch`)).toBe(1);
    expect(world.answers.delivered.get('redriven')).toEqual({ batchId: 'w1-0001', counts: { lost: 1 } });
  });

  test.each([
    ['prepare', 'p-0001', 'failed'],
    ['patch', 'w1-0001', 'lost'],
    ['verify', 'w1-0001', 'lost'],
  ] as const)('in its %s does so although Run Command tells nothing', async (phase, batchId, state) => {
    const world = phase === 'prepare' ? await opened({ servers }) : await patching({ servers });
    if (phase === 'verify') await carryOut(world, batchId, 'patch');
    await dispatch(world, batchId, phase);
    await world.runCommand.answer();
    world.ports.commands.invocations = () => Promise.reject(new Error('access denied'));
    await giveUp(world, batchId, phase);
    expect((await world.job(serverOf(2))).state).toBe(state);
    expect((await world.batch(batchId)).runs[phase]?.state).toBe('answered');
    if (phase !== 'prepare') expect(await budgetOf(world)).toMatchObject([{ failures: [{ servers: 1 }] }]);
  });

  test('that was refused starts none of its servers, charges nothing, and holds nobody', async () => {
    const world = await patching({ servers });
    world.runCommand.faults.push({ code: 'refused', runs: false });
    await expect(dispatch(world, 'w1-0001', 'patch')).rejects.toThrow();
    await giveUp(world, 'w1-0001', 'patch');
    expect(await world.job(serverOf(2))).toMatchObject({ state: 'not-started', dispatched: null });
    expect(await budgetOf(world)).toMatchObject([{ dispatched: 0, failures: [] }]);
    const begin = { campaignId, wave: 0, at: 'begin' as const };
    expect((await judgeWave(world.ports, begin, world.now())).verdict).toBe('go');
  });

  test('again changes nothing', async () => {
    const world = await patching({ servers });
    await dispatch(world, 'w1-0001', 'patch');
    await giveUp(world, 'w1-0001', 'patch');
    const stored = await world.stored();
    await giveUp(world, 'w1-0001', 'patch');
    expect(await world.stored()).toEqual(stored);
  });

  test('that is complete changes nothing', async () => {
    const world = await opened({ servers });
    await carryOut(world, 'p-0001', 'prepare');
    const stored = await world.stored();
    await giveUp(world, 'p-0001', 'prepare');
    expect(await world.stored()).toEqual(stored);
  });
});
