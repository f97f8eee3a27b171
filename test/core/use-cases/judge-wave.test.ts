import { describe, expect, test } from 'vitest';
import { createMemoryAlarms } from '../../../apps/local/memory-alarms.ts';
import { phaseSeconds } from '../../../core/document.ts';
import { budgetEntries, create as createItem } from '../../../core/entities.ts';
import { plusSeconds } from '../../../core/instant.ts';
import { type Alarms, PortError } from '../../../core/ports.ts';
import { acknowledgeFailures } from '../../../core/use-cases/acknowledge-failures.ts';
import { judgeWave } from '../../../core/use-cases/judge-wave.ts';
import { stopCampaign } from '../../../core/use-cases/stop-campaign.ts';
import type { BareCampaign } from '../../support/bare-campaign.ts';
import { carryOut, dispatch, patching, plainPolicy } from '../../support/campaign-stages.ts';
import { allGood, campaignId, dublin, policyOf, serverOf, window } from '../../support/samples.ts';

const servers = [1, 2, 3, 4, 5].map((n) => serverOf(n, n === 5 ? { family: 'rhel' } : {}));
const broken = { status: 'failed' as const, says: { result: 'failed' as const, code: 100 } };
const strict = policyOf({ ...plainPolicy, errorBudget: { failures: 1, share: 0.5 } });

const judge = (world: BareCampaign, wave: number, at: 'begin' | 'patched' | 'verified' | 'rolled-back') =>
  judgeWave(world.ports, { campaignId, wave, at }, world.now());
const acknowledge = (world: BareCampaign) =>
  acknowledgeFailures(
    world.ports,
    { policy: 'production', quarter: '2027-Q1', by: 'bob', reason: 'looked at' },
    world.now(),
  );

/** What another campaign of the same policy left in the budget. */
function charge(world: BareCampaign, quarter: string, failed: number) {
  return createItem(world.ports.records, budgetEntries('production', quarter), {
    schema: 1 as const,
    campaignId: 'another-one',
    batchId: 'w0-0001',
    at: world.now(),
    dispatched: 10,
    failures: failed === 0 ? [] : [{ at: world.now(), servers: failed }],
  });
}

describe('a wave', () => {
  test('goes on while all is well, and says what to patch, how long to soak and whether it is the last', async () => {
    const world = await patching({ servers });
    expect(await judge(world, 0, 'begin')).toMatchObject({
      verdict: 'go',
      reason: null,
      patch: { key: `campaigns/${campaignId}/wave-0.json`, batches: 1, bucket: 'campaigns-111111111111' },
      soakUntil: plusSeconds(world.now(), 60),
      isLast: false,
    });
    await carryOut(world, 'w0-0001', 'patch');
    expect(await judge(world, 0, 'patched')).toMatchObject({ verdict: 'go' });
    await carryOut(world, 'w0-0001', 'verify');
    expect(await judge(world, 0, 'verified')).toMatchObject({ verdict: 'go', isLast: false });
    expect(await judge(world, 1, 'begin')).toMatchObject({
      verdict: 'go',
      isLast: true,
      patch: { batches: 2 },
    });
  });

  test('stops while one of its batches has no result', async () => {
    const world = await patching({ servers });
    expect((await judge(world, 1, 'patched')).reason).toMatchObject({
      code: 'wave-incomplete',
      detail: expect.stringContaining('2 of 2 batches of wave 1'),
    });
    await carryOut(world, 'w1-0001', 'patch');
    await dispatch(world, 'w1-0002', 'patch');
    expect((await judge(world, 1, 'patched')).reason).toMatchObject({
      code: 'wave-incomplete',
      detail: expect.stringMatching(/1 of 2 .*: w1-0002$/),
    });
  });

  test('stops when servers of it were not started', async () => {
    const world = await patching({ servers });
    await carryOut(world, 'w1-0001', 'patch');
    world.sleepUntil(plusSeconds(window.end, -600));
    await carryOut(world, 'w1-0002', 'patch');
    expect((await judge(world, 1, 'patched')).reason).toMatchObject({
      code: 'wave-cut-short',
      detail: expect.stringMatching(/^1 servers of wave 1/),
    });
  });

  test('goes on past one server that says it has no time: that is its own failure', async () => {
    const world = await patching({ servers });
    world.runCommand.hosts.set(serverOf(2).id, {
      answers: {
        patch: { says: { result: 'refused', code: 1, reasons: [{ code: 'no-time', detail: '' }] } },
      },
    });
    for (const id of ['w1-0001', 'w1-0002']) await carryOut(world, id, 'patch');
    expect(await world.job(serverOf(2))).toMatchObject({ state: 'failed', reasons: [{ code: 'no-time' }] });
    expect(await judge(world, 1, 'patched')).toMatchObject({ verdict: 'go', reason: null });
  });

  test('stops when no canary succeeded, whatever the budget says', async () => {
    const world = await patching({ servers });
    world.runCommand.hosts.set(serverOf(1).id, { presence: 'gone' });
    for (const phase of ['patch', 'verify'] as const) await carryOut(world, 'w0-0001', phase);
    expect((await judge(world, 0, 'verified')).reason?.code).toBe('canary-proved-nothing');
  });

  test('does not begin when the window is too short for it, nor after a stop', async () => {
    const world = await patching({ servers });
    world.sleepUntil(plusSeconds(window.end, -4000));
    expect((await judge(world, 1, 'begin')).reason?.code).toBe('window-too-short');
    await stopCampaign(world.ports, { campaignId, by: 'bob', reason: 'incident' }, world.now());
    for (const at of ['begin', 'patched', 'verified'] as const)
      expect((await judge(world, 1, at)).reason?.code).toBe('stopped-by-hand');
  });

  test('that is none is an error', async () => {
    const world = await patching({ servers });
    await expect(judge(world, 2, 'begin')).rejects.toThrow(`campaign ${campaignId} has no wave 2`);
  });
});

describe('the error budget', () => {
  test('of the wave itself stops it, until a person acknowledges', async () => {
    const world = await patching({
      servers,
      policy: strict,
      hosts: { 'web-1': { answers: { patch: broken } } },
    });
    await carryOut(world, 'w0-0001', 'patch');
    expect((await judge(world, 0, 'patched')).reason).toEqual({
      code: 'error-budget',
      detail: '1 of 1 patched servers of this policy and quarter failed; the error budget allows 50 %',
    });
    await acknowledge(world);
    await acknowledge(world);
    expect((await judge(world, 1, 'begin')).verdict).toBe('go');
    // It has been looked at, yet it proved nothing.
    await carryOut(world, 'w0-0001', 'verify');
    expect((await judge(world, 0, 'verified')).reason?.code).toBe('canary-proved-nothing');
  });

  test('is shared by all campaigns of the policy and quarter, and by no others', async () => {
    const world = await patching({ servers, policy: strict });
    await charge(world, '2027-Q2', 9);
    expect((await judge(world, 0, 'begin')).verdict).toBe('go');
    await charge(world, '2027-Q1', 2);
    expect((await judge(world, 0, 'begin')).reason).toMatchObject({
      code: 'error-budget',
      detail: expect.stringContaining('2 of 10'),
    });
  });

  test('counts what fails after an acknowledgement', async () => {
    const world = await patching({ servers, policy: strict });
    await acknowledge(world);
    world.sleep(1);
    await charge(world, '2027-Q1', 2);
    expect((await judge(world, 0, 'begin')).reason?.code).toBe('error-budget');
    await acknowledge(world);
    expect((await judge(world, 0, 'begin')).verdict).toBe('go');
  });

  test('is read to its end, however many batches have written to it', async () => {
    const world = await patching({ servers, policy: strict });
    for (let n = 0; n < 300; n++) {
      await createItem(world.ports.records, budgetEntries('production', '2027-Q1'), {
        schema: 1 as const,
        campaignId: `campaign-${String(n).padStart(4, '0')}`,
        batchId: 'w0-0001',
        at: world.now(),
        dispatched: 50,
        failures: n > 297 ? [{ at: world.now(), servers: 1 }] : [],
      });
    }
    expect((await judge(world, 0, 'begin')).reason).toMatchObject({
      detail: expect.stringContaining('2 of 15000'),
    });
  });
});

describe('servers that go back', () => {
  const sick = { says: { facts: { ...allGood, healthy: false } } };

  test('are named by their batches once they were verified, and only then', async () => {
    const world = await patching({ servers, hosts: { 'web-2': { answers: { verify: sick } } } });
    await carryOut(world, 'w0-0001', 'patch');
    await carryOut(world, 'w0-0001', 'verify');
    expect((await judge(world, 0, 'verified')).rollback.batches).toEqual([]);
    for (const id of ['w1-0001', 'w1-0002']) await carryOut(world, id, 'patch');
    expect((await judge(world, 1, 'patched')).rollback.batches).toEqual([]);
    for (const id of ['w1-0001', 'w1-0002']) await carryOut(world, id, 'verify');
    expect(await judge(world, 1, 'verified')).toMatchObject({
      verdict: 'go',
      rollback: { batches: [{ batchId: 'w1-0001' }] },
    });
    await carryOut(world, 'w1-0001', 'rollback');
    expect(await judge(world, 1, 'rolled-back')).toMatchObject({ verdict: 'go', rollback: { batches: [] } });
  });

  test('since their patch are not made too late by a long soak, which nobody else loses', async () => {
    const torn = { ...broken, says: { ...broken.says, facts: { ...allGood, installed: false } } };
    const policy = policyOf({
      ...plainPolicy,
      waves: { canary: 1, percentages: [100], soakSeconds: 86_400 },
      rollback: { graceSeconds: 3600 },
    });
    const soakOf = async (hosts: Parameters<typeof patching>[0]['hosts'] = {}) => {
      const world = await patching({ servers, policy, hosts });
      await carryOut(world, 'w0-0001', 'patch');
      const { soakUntil } = await judge(world, 0, 'patched');
      return { soakUntil, now: world.now() };
    };
    const well = await soakOf();
    expect(well.soakUntil).toBe(plusSeconds(well.now, 86_400));
    const { soakUntil } = await soakOf({ 'web-1': { answers: { patch: torn } } });
    expect(soakUntil).toBe(plusSeconds(window.end, 3600 - phaseSeconds({ policy }, 'verify')));
  });

  test('since their patch are named although the verification of their batch broke off', async () => {
    const torn = { ...broken, says: { ...broken.says, facts: { ...allGood, installed: false } } };
    const world = await patching({ servers, hosts: { 'web-1': { answers: { patch: torn } } } });
    await carryOut(world, 'w0-0001', 'patch');
    const { reason, rollback } = await judge(world, 0, 'verified');
    expect(reason?.code).toBe('wave-incomplete');
    expect(rollback.batches).toEqual([{ batchId: 'w0-0001' }]);
  });

  test('and did not come back stop the campaign, before all other reasons', async () => {
    const world = await patching({
      servers,
      policy: strict,
      hosts: { 'web-1': { answers: { verify: sick, rollback: broken } } },
    });
    for (const phase of ['patch', 'verify', 'rollback'] as const) await carryOut(world, 'w0-0001', phase);
    expect((await judge(world, 0, 'verified')).reason?.code).toBe('error-budget');
    expect((await judge(world, 0, 'rolled-back')).reason).toEqual({
      code: 'rollback-failed',
      detail: '1 of 1 servers of wave 0 that had to go back did not',
    });
  });

  test('and came back leave the reasons that there were before', async () => {
    const world = await patching({ servers, hosts: { 'web-1': { answers: { verify: sick } } } });
    for (const phase of ['patch', 'verify', 'rollback'] as const) await carryOut(world, 'w0-0001', phase);
    expect((await judge(world, 0, 'rolled-back')).reason?.code).toBe('canary-proved-nothing');
  });
});

describe('alarms of the policy', () => {
  const named = [{ name: 'errors' }, { name: 'latency', account: dublin.account, region: dublin.region }];
  const asking = policyOf({ ...plainPolicy, validation: { alarms: named } });
  const alarms = createMemoryAlarms();
  const setting = async (errors: 'ok' | 'alarm' | 'insufficient-data', use: Alarms = alarms) => {
    alarms.set(alarms.home, 'errors', errors);
    alarms.set(dublin, 'latency', 'ok');
    const world = await patching({ servers, policy: asking });
    return { ...world, ports: { ...world.ports, alarms: use } };
  };

  test('that are all well let a wave begin', async () => {
    expect(await judge(await setting('ok'), 0, 'begin')).toMatchObject({ verdict: 'go' });
  });

  test.each([
    ['alarm', 'alarm-rings', 'is in ALARM'],
    ['insufficient-data', 'alarm-unknown', 'has not enough data'],
  ] as const)('of which one is in %s hold it, and are named', async (state, code, words) => {
    const world = await setting(state);
    const { verdict, reason } = await judge(world, 0, 'begin');
    expect({ verdict, code: reason?.code }).toEqual({ verdict: 'stop', code });
    expect(reason?.detail).toContain(`alarm errors of 111111111111/eu-central-1 ${words}`);
  });

  test('are looked for where they are, and one that does not exist holds the wave', async () => {
    const world = await setting('ok', createMemoryAlarms({ account: '999999999999', region: 'eu-west-3' }));
    expect((await judge(world, 0, 'begin')).reason).toMatchObject({
      code: 'alarm-missing',
      detail: expect.stringContaining('alarm errors of 999999999999/eu-west-3'),
    });
  });

  test('that may not be read hold the wave', async () => {
    const closed: Alarms = {
      home: alarms.home,
      states: async () => {
        throw new PortError('refused', 'you are not authorized');
      },
    };
    expect((await judge(await setting('ok', closed), 0, 'begin')).reason?.code).toBe('alarm-unreadable');
  });

  test('that ring after the soak keep the next wave from beginning, and are not asked before it', async () => {
    const world = await setting('ok');
    await carryOut(world, 'w0-0001', 'patch');
    alarms.set(alarms.home, 'errors', 'alarm');
    expect((await judge(world, 0, 'patched')).verdict).toBe('go');
    await carryOut(world, 'w0-0001', 'verify');
    expect((await judge(world, 0, 'verified')).reason?.code).toBe('alarm-rings');
  });
});
