import { describe, expect, test } from 'vitest';
import { create } from '../../core/entities.ts';
import { type Fence, fencedBy, fences, stateWhenFenced } from '../../core/fence.ts';
import { stateBefore, stateDuring } from '../../core/gate.ts';
import { mayMove } from '../../core/job.ts';
import { phaseSchema } from '../../core/phase.ts';
import { dispatchBatch } from '../../core/use-cases/dispatch-batch.ts';
import type { BareCampaign } from '../support/bare-campaign.ts';
import { carryOut, dispatch, patching } from '../support/campaign-stages.ts';
import { campaignId, dayBefore, serverId, serverOf, window } from '../support/samples.ts';

const fence = (number: number, since: string): Fence => ({
  schema: 1,
  serverId: serverId(number),
  since,
  campaignId: 'winter-2026-web',
  by: 'bob',
});

const servers = [1, 2, 3].map((number) => serverOf(number));
const batchId = 'w1-0001';
const putUp = (world: BareCampaign, since = world.now()) =>
  create(world.ports.records, fences, fence(2, since));
const fenced = { code: 'fenced', detail: expect.stringContaining(serverId(2)) };

describe('a fence', () => {
  test.each([
    ['made before it', dayBefore, window.start, true],
    ['made at its moment', window.start, window.start, true],
    ['made after it', window.end, window.start, false],
  ])('keeps a server from a campaign %s: %#', (_, createdAt, since, isFenced) => {
    const reason = fencedBy(fence(1, since), { id: campaignId, createdAt });
    expect(reason?.code).toBe(isFenced ? 'fenced' : undefined);
  });

  test('that is not there keeps nobody', () => {
    expect(fencedBy(undefined, { id: campaignId, createdAt: dayBefore })).toBeUndefined();
  });

  test('leads to a state that its job may move to, in every phase', () => {
    for (const phase of phaseSchema.options)
      for (const state of [stateBefore[phase], stateDuring[phase]])
        expect(mayMove(state, stateWhenFenced(phase, state)), `${phase} ${state}`).toBe(true);
  });

  test('keeps a patch from its server alone, outside of the failure rate', async () => {
    const world = await patching({ servers });
    await putUp(world);
    await dispatch(world, batchId, 'patch');
    expect(await world.states()).toEqual(['ready', 'superseded', 'patching']);
    expect((await world.job(serverOf(2))).reasons).toEqual([fenced]);
    expect(world.runCommand.sent.at(-1)?.request.serverIds).toEqual([serverId(3)]);
  });

  test('keeps a verification from its server: what became of the patch is not known any more', async () => {
    const world = await patching({ servers });
    await carryOut(world, batchId, 'patch');
    await putUp(world);
    await dispatch(world, batchId, 'verify');
    expect((await world.job(serverOf(2))).state).toBe('lost');
    expect(world.runCommand.sent.at(-1)?.request.serverIds).toEqual([serverId(3)]);
  });

  test('keeps a command from being sent that an interrupted dispatch had let through the gate', async () => {
    const world = await patching({ servers });
    const dying = { ...world.ports.commands, send: () => Promise.reject(new Error('the process died')) };
    const input = { campaignId, batchId, phase: 'patch' as const, taskToken: 'first' };
    await expect(dispatchBatch({ ...world.ports, commands: dying }, input, world.now())).rejects.toThrow();
    await putUp(world);
    world.sleep(600);
    await dispatch(world, batchId, 'patch', 'second');
    expect((await world.job(serverOf(2))).state).toBe('lost');
    expect(world.runCommand.sent.at(-1)?.request.serverIds).toEqual([serverId(3)]);
  });

  test('of before the campaign keeps nothing from it', async () => {
    const world = await patching({ servers });
    await putUp(world, '2026-01-01T00:00:00.000Z');
    await dispatch(world, batchId, 'patch');
    expect((await world.job(serverOf(2))).state).toBe('patching');
  });
});
