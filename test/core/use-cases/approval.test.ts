import { describe, expect, test } from 'vitest';
import { askApproval } from '../../../core/use-cases/ask-approval.ts';
import { DecisionRefused, decideApproval } from '../../../core/use-cases/decide-approval.ts';
import { enterWindow } from '../../../core/use-cases/enter-window.ts';
import { expireApproval } from '../../../core/use-cases/expire-approval.ts';
import { stopCampaign } from '../../../core/use-cases/stop-campaign.ts';
import type { BareCampaign } from '../../support/bare-campaign.ts';
import { opened, plainPolicy, sealed } from '../../support/campaign-stages.ts';
import { campaignId, policyOf, serverOf, window } from '../../support/samples.ts';

const policy = policyOf({ ...plainPolicy, approval: { required: true } });
const cast = { servers: [serverOf(1), serverOf(2)], policy };

const ask = (world: BareCampaign, taskToken = 'token') =>
  askApproval(world.ports, { campaignId, taskToken, seconds: 3600 }, world.now());
const rootOf = async (world: BareCampaign) => (await world.campaign()).seal?.root ?? '';
const decide = async (world: BareCampaign, approved: boolean, by = 'bob', root?: string) =>
  decideApproval(world.ports, { campaignId, root: root ?? (await rootOf(world)), approved, by }, world.now());
const enter = async (world: BareCampaign) => {
  world.sleepUntil(window.start);
  return enterWindow(world.ports, { campaignId }, world.now());
};
const answers = (world: BareCampaign) =>
  Object.fromEntries([...world.answers.delivered].filter(([token]) => !token.includes(' ')));

async function asked() {
  const world = await sealed(cast);
  await ask(world);
  return world;
}

describe('an approval', () => {
  test('of what was sealed lets patching begin', async () => {
    const world = await asked();
    await decide(world, true);
    expect(answers(world)).toEqual({ token: { approved: true } });
    expect(await enter(world)).toEqual({ verdict: 'go' });
  });

  test('that is denied ends the campaign with who, when and why', async () => {
    const world = await asked();
    await decideApproval(
      world.ports,
      { campaignId, root: await rootOf(world), approved: false, by: 'bob', reason: 'fair week' },
      world.now(),
    );
    expect(answers(world)).toEqual({ token: { approved: false } });
    expect(await enter(world)).toMatchObject({
      verdict: 'end',
      ending: 'denied',
      reason: { code: 'approval-denied', detail: expect.stringContaining('by bob: fair week') },
    });
  });

  test('that nobody gives is a denial, also when it comes afterwards', async () => {
    const world = await asked();
    world.sleep(3600);
    await expect(decide(world, true)).rejects.toThrow(/had to come before/);
    expect(await expireApproval(world.ports, { campaignId }, world.now())).toEqual({ approved: false });
    await expect(decide(world, true)).rejects.toThrow(/already denied .* by quarterdeck/);
    expect(await enter(world)).toMatchObject({ ending: 'denied' });
  });

  test('that came in time stands, though its answer was lost', async () => {
    const world = await asked();
    world.ports.callbacks.succeed = () => Promise.reject(new Error('lost'));
    await expect(decide(world, true)).rejects.toThrow('lost');
    world.sleep(3600);
    expect(await expireApproval(world.ports, { campaignId }, world.now())).toEqual({ approved: true });
    expect(await enter(world)).toEqual({ verdict: 'go' });
  });

  test('is never missing: not asked for is not given', async () => {
    const world = await sealed(cast);
    expect(await enter(world)).toMatchObject({ ending: 'denied', reason: { code: 'not-approved' } });
    await expect(decide(world, true)).rejects.toThrow('has not asked for an approval');
    expect(await expireApproval(world.ports, { campaignId }, world.now())).toEqual({ approved: false });
  });

  test('is not asked for before there is something to approve', async () => {
    const world = await opened(cast);
    await expect(ask(world)).rejects.toThrow('is not sealed');
  });

  test('by the requester is refused, and a denial by the requester is not', async () => {
    const world = await asked();
    for (const by of ['ann', 'Ann', ' ANN ', 'ann\t'])
      await expect(decide(world, true, by)).rejects.toThrow('somebody else must approve it');
    expect(answers(world)).toEqual({});
    await decide(world, false, 'ann');
    expect(answers(world)).toEqual({ token: { approved: false } });
  });

  test('of other plans than the sealed ones is refused', async () => {
    const world = await asked();
    const refusal = decide(world, true, 'bob', 'f'.repeat(64));
    await expect(refusal).rejects.toThrow(DecisionRefused);
    await expect(refusal).rejects.toMatchObject({
      code: 'other-plans',
      message: expect.stringContaining('look at them again'),
    });
    expect(answers(world)).toEqual({});
  });

  test('that was given stands against a later one, and is delivered again when repeated', async () => {
    const world = await asked();
    await decide(world, true);
    await decide(world, true, 'carol');
    await expect(decide(world, false)).rejects.toThrow('already approved');
    expect((await world.campaign()).approval?.decision).toMatchObject({ approved: true, by: 'bob' });
    expect(answers(world)).toEqual({ token: { approved: true } });
  });

  test('is asked for once, whatever token waits for it', async () => {
    const world = await asked();
    const { approval } = await world.campaign();
    world.sleep(60);
    world.answers.expire('token');
    await ask(world, 'new');
    expect((await world.campaign()).approval).toEqual({ ...approval, token: 'new' });
    expect(
      new Set(world.notices.filter(({ kind }) => kind === 'approval-asked').map(({ id }) => id)).size,
    ).toBe(1);
    await decide(world, true);
    expect(answers(world)).toEqual({ new: { approved: true } });
    await ask(world, 'newer');
    expect(answers(world)).toEqual({ new: { approved: true }, newer: { approved: true } });
  });

  test('is announced with the root, the window and the moment by which it must come', async () => {
    const world = await asked();
    const notice = world.notices.find(({ kind }) => kind === 'approval-asked');
    const { approval, seal } = await world.campaign();
    expect(notice?.subject).toBe(`Approve patching of 2 servers by ${approval?.expiresAt}`);
    for (const part of [seal?.root, window.start, window.end, 'nothing is patched'])
      expect(notice?.text).toContain(part);
  });
});

describe('a stop by hand', () => {
  const stop = (world: BareCampaign) =>
    stopCampaign(world.ports, { campaignId, by: 'carol', reason: 'incident' }, world.now());

  test('denies an approval that is waited for, at once', async () => {
    const world = await asked();
    await stop(world);
    expect(answers(world)).toEqual({ token: { approved: false } });
    await expect(decide(world, true)).rejects.toThrow('already denied');
    expect(await enter(world)).toMatchObject({ ending: 'stopped', reason: { code: 'stopped-by-hand' } });
  });

  test('that came before the question denies it, and bothers nobody', async () => {
    const world = await sealed(cast);
    await stop(world);
    await ask(world);
    expect(answers(world)).toEqual({ token: { approved: false } });
    expect(world.notices.some(({ kind }) => kind === 'approval-asked')).toBe(false);
  });

  test('ends what was approved, and keeps its first reason', async () => {
    const world = await asked();
    await decide(world, true);
    await stop(world);
    await stopCampaign(world.ports, { campaignId, by: 'dave', reason: 'another' }, world.now());
    expect((await world.campaign()).stop).toMatchObject({ by: 'carol', reason: 'incident' });
    expect(await enter(world)).toMatchObject({ ending: 'stopped' });
    expect((await world.campaign()).state).toBe('awaiting-approval');
  });
});

describe('entering the window', () => {
  test('too early waits for its start', async () => {
    const world = await asked();
    await decide(world, true);
    const early = await enterWindow(world.ports, { campaignId }, world.now());
    expect(early).toEqual({ verdict: 'wait', until: window.start });
    expect((await world.campaign()).state).toBe('awaiting-approval');
  });

  test('too late misses it', async () => {
    const world = await asked();
    await decide(world, true);
    expect(await enterWindow(world.ports, { campaignId }, window.end)).toMatchObject({
      ending: 'missed',
      reason: { code: 'window-closed' },
    });
  });
});
