import { describe, expect, test } from 'vitest';
import { createMemoryRecords } from '../../../apps/local/memory-records.ts';
import { update } from '../../../core/entities.ts';
import { plusSeconds } from '../../../core/instant.ts';
import type { Records } from '../../../core/ports.ts';
import { rebootKey, reboots } from '../../../core/reboot.ts';
import { acknowledgeFailures } from '../../../core/use-cases/acknowledge-failures.ts';
import { claimRestart } from '../../../core/use-cases/claim-ha-groups.ts';
import { dispatchBatch } from '../../../core/use-cases/dispatch-batch.ts';
import { requestReboot } from '../../../core/use-cases/request-reboot.ts';
import type { BareCampaign } from '../../support/bare-campaign.ts';
import { carryOut, dispatch, patching, plainPolicy, settle } from '../../support/campaign-stages.ts';
import { interposed } from '../../support/interruptions.ts';
import { campaignId, policyOf, serverOf, window } from '../../support/samples.ts';

const orders = { haGroups: ['Orders DB'] };
/** The canary and one of the others are members; the third is not. */
const servers = [serverOf(1, orders), serverOf(2, orders), serverOf(3)];
const key = { partition: 'ha#orders db', sort: 'claims' };
const patches = (world: BareCampaign) =>
  servers.map(({ id }) => world.runCommand.reached.get(`${id} patch`) ?? 0);
const broken = { status: 'failed' as const, says: { result: 'failed' as const, code: 100 } };

describe('before a patch is sent', () => {
  test('a member waits for its peer to be verified healthy, and the others of its batch do not', async () => {
    const world = await patching({ servers });
    await dispatch(world, 'w0-0001', 'patch');
    await dispatch(world, 'w1-0001', 'patch');
    expect(patches(world)).toEqual([1, 0, 1]);
    const held = await world.job(servers[1] as (typeof servers)[0]);
    expect(held).toMatchObject({ state: 'held', reasons: [{ code: 'ha-peer-under-way' }], dispatched: null });
    expect(held.reasons[0]?.detail).toContain('web-1 of HA group Orders DB');
  });

  test('a member follows its peer once that is verified healthy', async () => {
    const world = await patching({ servers });
    await carryOut(world, 'w0-0001', 'patch');
    await carryOut(world, 'w0-0001', 'verify');
    await carryOut(world, 'w1-0001', 'patch');
    expect(patches(world)).toEqual([1, 1, 1]);
  });

  test('a peer that was patched and not verified yet is not well', async () => {
    const world = await patching({ servers });
    await carryOut(world, 'w0-0001', 'patch');
    await dispatch(world, 'w1-0001', 'patch');
    expect(patches(world)).toEqual([1, 0, 1]);
  });

  test('a peer that failed keeps its group from being patched, until somebody has looked at it', async () => {
    const failed = async () => {
      const world = await patching({ servers, hosts: { 'web-1': { answers: { patch: broken } } } });
      await carryOut(world, 'w0-0001', 'patch');
      return world;
    };
    const world = await failed();
    await dispatch(world, 'w1-0001', 'patch');
    expect(patches(world)).toEqual([1, 0, 1]);
    expect((await world.job(servers[1] as (typeof servers)[0])).reasons[0]).toMatchObject({
      code: 'ha-peer-not-healthy',
      detail: expect.stringContaining('acknowledge the failures of production in 2027-Q1'),
    });
    const looked = await failed();
    const input = { policy: 'production', quarter: '2027-Q1', by: 'bob', reason: 'mended by hand' };
    await acknowledgeFailures(looked.ports, input, looked.now());
    await dispatch(looked, 'w1-0001', 'patch');
    expect(patches(looked)).toEqual([1, 1, 1]);
  });

  test('of two members in one batch one is patched', async () => {
    const policy = policyOf({ ...plainPolicy, waves: { canary: 3, percentages: [100], soakSeconds: 60 } });
    const world = await patching({ servers, policy });
    await dispatch(world, 'w0-0001', 'patch');
    expect(patches(world).slice(0, 2).toSorted()).toEqual([0, 1]);
    expect(patches(world)[2]).toBe(1);
  });

  test('what can not be read of a group holds its members', async () => {
    const world = await patching({ servers });
    await world.ports.records.create({ key, body: { schema: 7 } });
    await dispatch(world, 'w0-0001', 'patch');
    expect(await world.job(servers[0] as (typeof servers)[0])).toMatchObject({
      state: 'held',
      reasons: [{ code: 'ha-group-unreadable' }],
    });
  });

  test('whenever the two dispatches meet, one member is patched at a time', async () => {
    for (let call = 0; ; call++) {
      const world = await patching({ servers });
      const { ports, calls } = interposed(world.ports, call, () => dispatch(world, 'w0-0001', 'patch'));
      const ref = { campaignId, batchId: 'w1-0001', phase: 'patch' as const };
      await dispatchBatch(ports, { ...ref, taskToken: 'token' }, world.now());
      if (calls.length <= call) break;
      await settle(world, 'w1-0001', 'patch');
      expect(patches(world)[0] as number).toBe(1 - (patches(world)[1] as number));
    }
  });
});

describe('before a restart is sent', () => {
  const members = [serverOf(1, orders), serverOf(2, orders)] as const;
  const now = '2027-01-10T01:10:00.000Z';
  const restart = {
    start: '2027-01-10T01:00:00.000Z',
    end: '2027-01-10T09:00:00.000Z',
    zone: 'Europe/Berlin',
  };

  async function asked() {
    const records = createMemoryRecords();
    for (const server of members) {
      const input = { server, policy: plainPolicy, reason: 'a kernel', by: 'ann', window: restart };
      await requestReboot({ records }, input, '2027-01-10T00:00:00.000Z');
    }
    return records;
  }
  const claim = (records: Records, index: 0 | 1, at = now) => claimRestart({ records }, members[index], at);
  const becomes = (records: Records, state: 'sent' | 'completed' | 'timeout') =>
    update(records, reboots, rebootKey(members[0].id), (reboot) => ({
      ...reboot,
      state,
      endedAt: state === 'sent' ? null : now,
    }));

  test('a member waits for another that is being restarted, though neither was ever patched', async () => {
    const records = await asked();
    expect(await claim(records, 0)).toBeUndefined();
    expect(await claim(records, 0)).toBeUndefined();
    expect(await claim(records, 1)).toMatchObject({
      code: 'ha-peer-under-way',
      detail: expect.stringContaining('web-1 of HA group Orders DB is being restarted'),
    });
    await becomes(records, 'sent');
    expect(await claim(records, 1, '2027-01-10T02:00:00.000Z')).toMatchObject({ code: 'ha-peer-under-way' });
    await becomes(records, 'completed');
    expect(await claim(records, 1)).toBeUndefined();
  });

  test('whoever claimed and died before sending keeps the others for ten minutes alone', async () => {
    const records = await asked();
    await claim(records, 0);
    expect(await claim(records, 1, plusSeconds(now, 599))).toBeDefined();
    expect(await claim(records, 1, plusSeconds(now, 600))).toBeUndefined();
  });

  test('one that did not come back keeps the others for a day', async () => {
    const records = await asked();
    await claim(records, 0);
    await becomes(records, 'timeout');
    expect(await claim(records, 1, plusSeconds(now, 3600))).toMatchObject({ code: 'ha-peer-not-healthy' });
    expect(await claim(records, 1, plusSeconds(now, 86_400))).toBeUndefined();
  });

  test('no member is patched beside it, and none is restarted beside a patch', async () => {
    const world = await patching({ servers });
    const input = { server: members[1], policy: plainPolicy, reason: 'a kernel', by: 'ann', window };
    await requestReboot(world.ports, input, world.now());
    expect(await claimRestart(world.ports, members[1], world.now())).toBeUndefined();
    await dispatch(world, 'w0-0001', 'patch');
    expect(patches(world)[0]).toBe(0);
    const other = await patching({ servers });
    await dispatch(other, 'w0-0001', 'patch');
    expect(await claimRestart(other.ports, members[1], other.now())).toMatchObject({
      code: 'ha-peer-under-way',
    });
  });
});
