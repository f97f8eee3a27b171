import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { planHash, sha256Of } from '../../../core/plan.ts';
import { serverPrefix } from '../../../core/result-object.ts';
import { acknowledgeFailures } from '../../../core/use-cases/acknowledge-failures.ts';
import { settleCommand, settleRun } from '../../../core/use-cases/settle-run.ts';
import { budgetOf, carryOut, dispatch, opened, patching, settle } from '../../support/campaign-stages.ts';
import { campaignId, entryOf, resultObjectOf, serverId, serverOf, summaryOf } from '../../support/samples.ts';
import type { Answer } from '../../support/scripted-run-command.ts';

const servers = [serverOf(1), serverOf(2)];
const [first, second] = servers as [(typeof servers)[0], (typeof servers)[0]];
const ref = { campaignId, batchId: 'p-0001', phase: 'prepare' as const };

/** What becomes of one server that answers its preparation so. */
async function prepareWith(answer: Answer | 'nothing') {
  const world = await opened({ servers, hosts: { 'web-1': { answers: { prepare: answer } } } });
  await carryOut(world, 'p-0001', 'prepare');
  return world;
}

describe('an event', () => {
  test('that comes before its command is recorded is given back', async () => {
    const world = await opened({ servers });
    await expect(settleCommand(world.ports, 'command 1', world.now())).rejects.toThrow(/not recorded/);
  });

  test('settles the servers that have answered, and the rest later', async () => {
    const world = await opened({ servers, hosts: { 'web-2': { answers: { prepare: 'nothing' } } } });
    await dispatch(world, 'p-0001', 'prepare', 'token');
    const commandId = world.runCommand.sent[0]?.commandId ?? '';
    await world.runCommand.answer();
    await settleCommand(world.ports, commandId, world.now());
    expect(await world.states()).toEqual(['ready', 'preparing']);
    expect(world.answers.delivered.size).toBe(0);
    world.runCommand.hosts.set(second.id, {});
    await world.runCommand.answer();
    await settleCommand(world.ports, commandId, world.now());
    expect(world.answers.delivered.get('token')).toEqual({ batchId: 'p-0001', counts: { ready: 2 } });
  });

  test('that comes late or again changes nothing', async () => {
    const world = await prepareWith({});
    const stored = await world.stored();
    for (const { commandId } of world.runCommand.sent)
      await settleCommand(world.ports, commandId, world.now());
    await settleRun(world.ports, ref, world.now());
    expect(await world.stored()).toEqual(stored);
    expect(world.answers.delivered.size).toBe(1);
  });

  test('of a phase that was never dispatched, or of another campaign, changes nothing', async () => {
    const world = await opened({ servers });
    const stored = await world.stored();
    await settleRun(world.ports, ref, world.now());
    expect(await world.stored()).toEqual(stored);
    await expect(settleRun(world.ports, { ...ref, campaignId: 'another-one' }, world.now())).rejects.toThrow(
      'no stored item campaign#another-one/batch#p-0001',
    );
  });
});

describe('a summary', () => {
  const good = JSON.stringify(summaryOf(first, 'prepare'));
  test.each([
    ['empty', ''],
    ['cut at the end', good.slice(0, -1)],
    ['cut in the middle', good.slice(0, 200)],
    ['followed by something', `${good}\nroot@web-1:~#`],
    ['not JSON', 'Segmentation fault'],
    ['no summary', '{"schema":1}'],
    ['of another schema', good.replace('"schema":1', '"schema":2')],
    ['of another server', good.replace(first.id, serverId(99))],
    ['of another campaign', good.replace(campaignId, 'another-one')],
    ['of another phase', good.replace('"prepare"', '"verify"')],
    ['with a result that is none', good.replace('"planned"', '"perfect"')],
    ['with a code that is none', good.replace('"code":0', '"code":"0"')],
    [
      'too long to be one',
      good.replace('"reasons":[]', `"reasons":[{"code":"long","detail":"${'x'.repeat(401)}"}]`),
    ],
    [
      'with more reasons than there are',
      good.replace('"reasons":[]', `"reasons":[${Array(6).fill('{"code":"no","detail":""}')}]`),
    ],
  ])('that is %s proves nothing, and does not keep the batch', async (_, prints) => {
    const world = await prepareWith({ prints });
    expect(await world.states()).toEqual(['failed', 'ready']);
    expect(await world.job(first)).toMatchObject({
      reasons: [{ code: 'summary-unreadable' }],
      plan: null,
      phases: { prepare: { result: null, object: null } },
    });
    expect(world.answers.delivered.size).toBe(1);
  });

  test('of a failure is read although the agent says the same below it', async () => {
    const blocked = summaryOf(first, 'prepare', { code: 1, result: 'blocked' });
    const prints = `${JSON.stringify(blocked)}\n\n----------ERROR-------\nfailed to run commands: exit status 1`;
    const world = await prepareWith({ status: 'failed', prints });
    expect((await world.job(first)).phases.prepare).toMatchObject({ result: 'blocked' });
  });

  test('counts whatever Run Command says of the command that brought it', async () => {
    const world = await prepareWith({ status: 'execution-timed-out' });
    expect((await world.job(first)).state).toBe('ready');
  });
});

describe('a result object', () => {
  const key = `${serverPrefix(first)}/${campaignId}/prepare.gz`;
  const says = (content: Uint8Array, at = key) => ({
    object: { key: at, sha256: sha256Of(content), bytes: content.length },
  });
  const garbage = Buffer.from('garbage');
  const withoutPlan = gzipSync('quarterdeck-result 1\nsection log 0\n\n');
  const altered = resultObjectOf({ plan: [entryOf({ to: '9.9.9-1' })] });
  const bomb = gzipSync(Buffer.alloc(65 * 1024 * 1024));

  test.each<[string, Answer, RegExp]>([
    ['that is missing', { object: null }, /is not in the bucket/],
    ['that the server could not write', { says: { object: null } }, /could not write/],
    ['that is altered', { object: altered }, /hashes to .* the server said/],
    [
      "in another server's folder",
      { says: says(resultObjectOf(), `${serverPrefix(second)}/${campaignId}/prepare.gz`) },
      /instead of/,
    ],
    ['of another phase', { says: says(resultObjectOf(), key.replace('prepare', 'patch')) }, /instead of/],
    ['that is no gzip', { object: garbage, says: says(garbage) }, /can not be read/],
    ['without a plan', { object: withoutPlan, says: says(withoutPlan) }, /holds no plan/],
    ['with another plan than said', { object: altered, says: says(altered) }, /the plan hashes to/],
    ['that unpacks to more than any log', { object: bomb, says: says(bomb) }, /can not be read/],
  ])('%s seals nothing', async (_, answer, detail) => {
    const world = await prepareWith(answer);
    expect(await world.states()).toEqual(['failed', 'ready']);
    const job = await world.job(first);
    expect(job.reasons).toEqual([{ code: 'result-unproven', detail: expect.stringMatching(detail) }]);
    expect(job.plan).toBeNull();
    expect((await world.batch('p-0001')).sealed?.plans.map((plan) => plan.serverId)).toEqual([second.id]);
  });

  test("with another server's plan seals nothing", async () => {
    const plan = [entryOf()];
    const world = await prepareWith({
      says: { plan: { sha256: planHash(second.id, plan), entries: 1, security: 1, downloadBytes: 1 } },
    });
    expect(await world.states()).toEqual(['failed', 'ready']);
  });

  test('that proves its plan seals what it says', async () => {
    const world = await prepareWith({});
    expect((await world.job(first)).plan).toMatchObject({
      sha256: planHash(first.id, [entryOf()]),
      objectKey: key,
    });
  });

  test('of a patch that proves nothing does not undo the patch, but no verification makes it good', async () => {
    const world = await patching({
      servers: [first],
      hosts: { 'web-1': { answers: { patch: { object: null } } } },
    });
    await carryOut(world, 'w0-0001', 'patch');
    expect((await world.job(first)).state).toBe('verifying');
    await carryOut(world, 'w0-0001', 'verify');
    expect(await world.job(first)).toMatchObject({ state: 'failed', reasons: [{ code: 'result-unproven' }] });
  });
});

describe('a server that gives no answer', () => {
  test.each([
    ['prepare', 'failed'],
    ['patch', 'lost'],
    ['verify', 'lost'],
  ] as const)('is waited for until its deadline, and then its %s is %s', async (phase, state) => {
    const world = await patching({ servers: [first] });
    if (phase === 'verify') await carryOut(world, 'w0-0001', 'patch');
    const fresh = phase === 'prepare' ? await opened({ servers: [first] }) : world;
    const batchId = phase === 'prepare' ? 'p-0001' : 'w0-0001';
    fresh.runCommand.hosts.set(first.id, { answers: { [phase]: 'nothing' } });
    await dispatch(fresh, batchId, phase, 'silence');
    const deadline = (await fresh.batch(batchId)).runs[phase]?.deadline ?? '';
    await settleRun(fresh.ports, { campaignId, batchId, phase }, fresh.now());
    expect(fresh.answers.delivered.has('silence')).toBe(false);
    await settleRun(fresh.ports, { campaignId, batchId, phase }, deadline);
    expect(await fresh.job(first)).toMatchObject({ state, reasons: [{ code: 'no-answer' }] });
    expect(fresh.answers.delivered.get('silence')).toEqual({ batchId, counts: { [state]: 1 } });
    // Too late: the answer changes nothing any more.
    fresh.runCommand.hosts.set(first.id, {});
    await settle(fresh, batchId, phase);
    expect((await fresh.job(first)).state).toBe(state);
  });

  test('though its agent did when the command was sent is lost: it may have begun', async () => {
    const world = await patching({
      servers,
      hosts: { 'web-1': { answers: { patch: { status: 'delivery-timed-out', prints: '' } } } },
    });
    await carryOut(world, 'w0-0001', 'patch');
    expect(await world.job(first)).toMatchObject({
      state: 'lost',
      reasons: [{ code: 'delivery-timed-out', detail: expect.stringContaining('may have begun') }],
    });
    expect(await budgetOf(world)).toMatchObject([{ dispatched: 1, failures: [{ servers: 1 }] }]);
  });

  test('nor did its agent when the command was sent is unreachable, which says nothing of the patch', async () => {
    const world = await patching({ servers });
    const patch = { status: 'delivery-timed-out' as const, prints: '' };
    world.runCommand.hosts.set(first.id, { presence: 'offline', answers: { patch } });
    await carryOut(world, 'w0-0001', 'patch');
    expect((await world.job(first)).state).toBe('unreachable');
    expect(await budgetOf(world)).toMatchObject([{ dispatched: 1, failures: [] }]);
  });

  test('after its patch was sent is charged to the error budget', async () => {
    const world = await patching({ servers });
    world.runCommand.hosts.set(first.id, { answers: { patch: 'nothing' } });
    await dispatch(world, 'w0-0001', 'patch');
    const deadline = (await world.batch('w0-0001')).runs.patch?.deadline ?? '';
    await settleRun(world.ports, { campaignId, batchId: 'w0-0001', phase: 'patch' }, deadline);
    expect((await world.job(first)).state).toBe('lost');
    expect(await budgetOf(world)).toMatchObject([{ dispatched: 1, failures: [{ servers: 1 }] }]);
  });
});

describe('the error budget of a policy and quarter', () => {
  test('is charged for what was dispatched and failed, once per batch', async () => {
    const broken = { status: 'failed' as const, says: { result: 'failed' as const, code: 100 } };
    const world = await patching({
      servers: [serverOf(1), serverOf(2), serverOf(3), serverOf(4)],
      hosts: {
        'web-2': { answers: { patch: broken } },
        'web-3': {
          answers: {
            verify: {
              says: {
                facts: {
                  installed: true,
                  rebootPending: false,
                  rebooted: true,
                  healthy: false,
                  compliant: true,
                },
              },
            },
          },
        },
      },
    });
    world.runCommand.hosts.set(serverId(4), { presence: 'gone' });
    await carryOut(world, 'w1-0001', 'patch');
    const [patched] = await budgetOf(world);
    expect(patched).toMatchObject({ dispatched: 2, failures: [{ servers: 1 }] });
    await acknowledgeFailures(
      world.ports,
      { policy: 'production', quarter: '2027-Q1', by: 'bob', reason: 'known' },
      world.now(),
    );
    world.sleep(60);
    await carryOut(world, 'w1-0001', 'verify');
    await settleRun(world.ports, { campaignId, batchId: 'w1-0001', phase: 'verify' }, world.now());
    const all = await budgetOf(world);
    expect(all).toHaveLength(1);
    expect(all[0]?.failures).toEqual([patched?.failures[0], { at: world.now(), servers: 1 }]);
  });
});
