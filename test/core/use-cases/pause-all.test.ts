import { describe, expect, test } from 'vitest';
import { plusSeconds } from '../../../core/instant.ts';
import type { Ports } from '../../../core/ports.ts';
import { enterWindow } from '../../../core/use-cases/enter-window.ts';
import { judgeWave } from '../../../core/use-cases/judge-wave.ts';
import { pauseAll, pausedBy, resumeAll } from '../../../core/use-cases/pause-all.ts';
import type { BareCampaign } from '../../support/bare-campaign.ts';
import { carryOut, dispatch, opened, patching, sealed, settle } from '../../support/campaign-stages.ts';
import { interposed } from '../../support/interruptions.ts';
import { allGood, campaignId, serverOf, window } from '../../support/samples.ts';

const servers = [1, 2, 3].map((n) => serverOf(n));
const pause = (world: BareCampaign) =>
  pauseAll(world.ports, { by: 'bob', reason: 'an incident' }, world.now());
const resume = (world: BareCampaign) =>
  resumeAll(world.ports, { by: 'ann', reason: 'it is over' }, world.now());
const enter = (world: BareCampaign) => enterWindow(world.ports, { campaignId }, world.now());
const switchKey = { partition: 'pause', sort: 'switch' };

describe('the switch that pauses everything', () => {
  test('is off while nobody has touched it, and says who turned it on, when and why', async () => {
    const world = await opened({ servers });
    expect(await pausedBy(world.ports)).toBeUndefined();
    await pause(world);
    expect(await pausedBy(world.ports)).toMatchObject({
      code: 'paused',
      detail: expect.stringMatching(/2026-11-20T22:00:00.000Z by bob: an incident$/),
    });
    await resume(world);
    expect(await pausedBy(world.ports)).toBeUndefined();
  });

  test('counts as on when it can not be read, and can be turned all the same', async () => {
    const world = await opened({ servers });
    await world.ports.records.create({ key: switchKey, body: { schema: 2, mode: 'none' } });
    expect(await pausedBy(world.ports)).toMatchObject({ code: 'pause-unreadable' });
    await resume(world);
    expect(await pausedBy(world.ports)).toBeUndefined();
  });

  test('that the store does not tell lets nothing be dispatched', async () => {
    const world = await opened({ servers });
    const records: Ports['records'] = {
      ...world.ports.records,
      async get(key) {
        if (key.partition === 'pause') throw new Error('the store does not answer');
        return world.ports.records.get(key);
      },
    };
    const before = { ...world, ports: { ...world.ports, records } };
    await expect(dispatch(before, 'p-0001', 'prepare')).rejects.toThrow('does not answer');
    expect(world.runCommand.sent).toEqual([]);
  });
});

describe('while everything is paused', () => {
  test('nothing is prepared, and every server says why', async () => {
    const world = await opened({ servers });
    await pause(world);
    await dispatch(world, 'p-0001', 'prepare');
    expect(world.runCommand.sent).toEqual([]);
    expect(await world.states()).toEqual(['not-started', 'not-started', 'not-started']);
    expect((await world.job(serverOf(1))).reasons[0]).toMatchObject({ code: 'paused' });
  });

  test('nothing is patched, and every server says why', async () => {
    const world = await patching({ servers });
    await pause(world);
    await dispatch(world, 'w0-0001', 'patch');
    expect(world.runCommand.sent.filter(({ request }) => / patch /.test(request.comment))).toEqual([]);
    expect((await world.states())[0]).toBe('not-started');
  });

  test('what was patched is verified', async () => {
    const world = await patching({ servers });
    await carryOut(world, 'w0-0001', 'patch');
    await pause(world);
    await carryOut(world, 'w0-0001', 'verify');
    expect((await world.states())[0]).toBe('succeeded');
  });

  test('what is not well after its patch goes back', async () => {
    const sick = { says: { facts: { ...allGood, healthy: false } } };
    const world = await patching({ servers, hosts: { 'web-1': { answers: { verify: sick } } } });
    for (const phase of ['patch', 'verify'] as const) await carryOut(world, 'w0-0001', phase);
    await pause(world);
    await carryOut(world, 'w0-0001', 'rollback');
    expect((await world.job(serverOf(1))).state).toBe('rolled-back');
  });

  test('no wave begins', async () => {
    const world = await patching({ servers });
    await pause(world);
    expect(await judgeWave(world.ports, { campaignId, wave: 0, at: 'begin' }, world.now())).toMatchObject({
      verdict: 'stop',
      reason: { code: 'paused' },
    });
  });

  test('a campaign waits in its window, and goes on when that is resumed in time', async () => {
    const world = await sealed({ servers });
    await pause(world);
    world.sleepUntil(window.start);
    expect(await enter(world)).toEqual({ verdict: 'wait', until: plusSeconds(window.start, 300) });
    world.sleep(300);
    await resume(world);
    expect(await enter(world)).toEqual({ verdict: 'go' });
  });

  test('a campaign whose window closes has missed it because of the pause', async () => {
    const world = await sealed({ servers });
    await pause(world);
    world.sleepUntil(window.end);
    expect(await enter(world)).toMatchObject({ ending: 'missed', reason: { code: 'paused' } });
  });

  test('at whatever moment of a dispatch it is turned, servers are patched and seen through, or untouched', async () => {
    const seen = new Set<string>();
    for (let call = 0; ; call++) {
      const world = await patching({ servers });
      const { ports, calls } = interposed(world.ports, call, () => pause(world));
      await dispatch({ ...world, ports }, 'w1-0001', 'patch');
      if (calls.length <= call) break;
      await settle(world, 'w1-0001', 'patch');
      for (const server of servers.slice(1)) {
        const reached = world.runCommand.reached.get(`${server.id} patch`) ?? 0;
        seen.add(`${(await world.job(server)).state} ${reached}`);
      }
    }
    expect([...seen].toSorted()).toEqual(['not-started 0', 'verifying 1']);
  });
});
