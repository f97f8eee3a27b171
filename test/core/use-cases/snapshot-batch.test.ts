import { describe, expect, test } from 'vitest';
import { createMemorySnapshots } from '../../../apps/local/memory-snapshots.ts';
import { jobKey, jobs, load, update } from '../../../core/entities.ts';
import { type Policy, policySchema } from '../../../core/policy.ts';
import { PortError, type Snapshots } from '../../../core/ports.ts';
import { pauseAll } from '../../../core/use-cases/pause-all.ts';
import { type SnapshotBatchOutput, snapshotBatch } from '../../../core/use-cases/snapshot-batch.ts';
import type { BareCampaign } from '../../support/bare-campaign.ts';
import { dispatch, patching, plainPolicy } from '../../support/campaign-stages.ts';
import { campaignId, serverOf } from '../../support/samples.ts';

const servers = [1, 2, 3, 4].map((number) => serverOf(number));
const hybrid = serverOf(9, { id: 'mi-00000000000000009' });
const batchId = 'w1-0001';
const waiver = 'stateless servers, made anew from their image';
const done = { verdict: 'done', waitSeconds: 0, attempt: 0, unencrypted: [] };

function policyWith(snapshots: 'required' | 'best-effort' | 'none'): Policy {
  return policySchema.parse({ ...plainPolicy, backup: { snapshots, keepDays: 30, keepLast: 2, waiver } });
}

/** What the function is asked with, time after time, as the state machine does. */
async function untilDone(world: BareCampaign, snapshots: Snapshots): Promise<SnapshotBatchOutput[]> {
  const answers: SnapshotBatchOutput[] = [];
  for (let attempt = 0; answers.at(-1)?.verdict !== 'done'; attempt = answers.at(-1)?.attempt ?? 0) {
    answers.push(await take(world, snapshots, attempt));
    world.sleep(answers.at(-1)?.waitSeconds ?? 0);
  }
  return answers;
}

function take(world: BareCampaign, snapshots: Snapshots = world.ports.snapshots, attempt = 0) {
  return snapshotBatch({ ...world.ports, snapshots }, { campaignId, batchId, attempt }, world.now());
}

const jobOf = (world: BareCampaign, index: number) => world.job(servers[index] ?? hybrid);
/** Servers of the second wave: all but the canary. */
const inBatch = [1, 2, 3];

describe('the snapshots of a batch', () => {
  test('are of every volume, and are on record before the patch', async () => {
    const world = await patching({ servers, policy: policyWith('required') });
    expect(await take(world)).toEqual(done);
    for (const index of inBatch) {
      const { snapshots, state } = await jobOf(world, index);
      expect(state).toBe('ready');
      expect(snapshots.map(({ device, root, encrypted }) => ({ device, root, encrypted }))).toEqual([
        { device: '/dev/xvda', root: true, encrypted: true },
        { device: '/dev/xvdb', root: false, encrypted: true },
      ]);
    }
    const [taken] = await world.ports.snapshots.find(servers[1]?.place ?? hybrid.place, campaignId, [
      servers[1]?.id ?? '',
    ]);
    expect(taken).toMatchObject({ keepLast: 2 });
    expect(Date.parse(taken?.expiresAt ?? '') - Date.parse(world.now())).toBe(30 * 86_400_000);
  });

  test('of volumes that are not encrypted are told, and not refused', async () => {
    const world = await patching({ servers, policy: policyWith('required') });
    const memory = createMemorySnapshots(world.now);
    const plain: Snapshots = {
      ...memory,
      take: async (place, order) =>
        (await memory.take(place, order)).map((snapshot, index) => ({ ...snapshot, encrypted: index > 0 })),
    };
    const { verdict, unencrypted } = await take(world, plain);
    expect(verdict).toBe('done');
    const [root] = (await jobOf(world, 1)).snapshots;
    expect(root).toMatchObject({ root: true, encrypted: false });
    expect(unencrypted).toHaveLength(inBatch.length);
    expect(unencrypted).toContain(root?.volumeId);
  });

  test('are not taken twice, whoever dies where', async () => {
    const world = await patching({ servers, policy: policyWith('required') });
    await take(world);
    // As if nothing had been recorded.
    for (const index of inBatch)
      await update(world.ports.records, jobs, jobKey(campaignId, servers[index]?.id ?? ''), (job) => ({
        ...job,
        snapshots: [],
      }));
    await take(world);
    const { snapshots } = await world.ports.snapshots.list(hybrid.place);
    expect(snapshots).toHaveLength(2 * inBatch.length);
    expect((await jobOf(world, 1)).snapshots).toHaveLength(2);
  });

  test('are not taken where the policy does not ask for them', async () => {
    const world = await patching({ servers, policy: policyWith('none') });
    expect(await take(world)).toEqual(done);
    expect((await world.ports.snapshots.list(hybrid.place)).snapshots).toEqual([]);
  });

  test('are not taken while everything is paused, since nothing is patched then', async () => {
    const world = await patching({ servers, policy: policyWith('required') });
    await pauseAll(world.ports, { by: 'ann', reason: 'an incident' }, world.now());
    expect(await take(world)).toEqual(done);
    expect((await world.ports.snapshots.list(hybrid.place)).snapshots).toEqual([]);
    expect(await world.states()).toEqual(Array(4).fill('ready'));
  });

  test('are asked for again a little later where EC2 has too much to do', async () => {
    const world = await patching({ servers, policy: policyWith('required') });
    const memory = createMemorySnapshots(world.now);
    let refusals = 4;
    const throttled: Snapshots = {
      ...memory,
      async take(place, order) {
        if (refusals-- > 0) throw new PortError('throttled', 'RequestLimitExceeded');
        return memory.take(place, order);
      },
    };
    const answers = await untilDone(world, throttled);
    expect(answers.map(({ verdict }) => verdict)).toEqual(['wait', 'wait', 'done']);
    expect(answers[0]?.waitSeconds).toBeGreaterThanOrEqual(15);
    expect((await memory.list(hybrid.place)).snapshots).toHaveLength(2 * inBatch.length);
  });

  test('that nobody knows to have been taken are looked for, and not taken again', async () => {
    const world = await patching({ servers, policy: policyWith('required') });
    const memory = createMemorySnapshots(world.now);
    let isCut = true;
    const cut: Snapshots = {
      ...memory,
      async take(place, order) {
        const taken = await memory.take(place, order);
        if (!isCut) return taken;
        isCut = false;
        throw new PortError('ambiguous', 'CreateSnapshots: TimeoutError');
      },
    };
    const answers = await untilDone(world, cut);
    expect(answers).toHaveLength(2);
    expect((await memory.list(hybrid.place)).snapshots).toHaveLength(2 * inBatch.length);
    for (const index of inBatch) expect((await jobOf(world, index)).snapshots).toHaveLength(2);
  });

  test('that failed are taken again', async () => {
    const world = await patching({ servers, policy: policyWith('required') });
    const memory = createMemorySnapshots(world.now);
    let failing = true;
    const broken: Snapshots = {
      ...memory,
      async take(place, order) {
        const taken = await memory.take(place, order);
        return failing ? taken.map((snapshot) => ({ ...snapshot, state: 'error' as const })) : taken;
      },
      find: async () => [],
    };
    const first = await take(world, broken);
    expect(first.verdict).toBe('wait');
    failing = false;
    expect(await take(world, broken, first.attempt)).toMatchObject({ verdict: 'done' });
    expect((await jobOf(world, 1)).snapshots).toHaveLength(2);
  });

  test.each([
    ['refused', 1],
    ['throttled', 9],
  ] as const)('that are %s for good fail the server, untouched, after %i calls', async (code, calls) => {
    const world = await patching({ servers, policy: policyWith('required') });
    const never: Snapshots = {
      ...createMemorySnapshots(world.now),
      take: () => Promise.reject(new PortError(code, 'CreateSnapshots: not today')),
    };
    expect(await untilDone(world, never)).toHaveLength(calls);
    const job = await jobOf(world, 1);
    expect(job).toMatchObject({
      state: 'failed',
      dispatched: null,
      reasons: [{ code: 'snapshot-failed', detail: 'CreateSnapshots: not today' }],
    });
  });

  test('that a server can not have fail it where they are required', async () => {
    const world = await patching({
      servers: [...servers.slice(0, 2), hybrid],
      policy: policyWith('required'),
    });
    await take(world);
    expect(await world.job(hybrid)).toMatchObject({
      state: 'failed',
      reasons: [{ code: 'snapshot-impossible', detail: `${hybrid.id} is no EC2 instance` }],
    });
    expect(await jobOf(world, 1)).toMatchObject({ state: 'ready', snapshots: [{}, {}] });
  });

  test('that a server can not have are waived where its policy does, in its words', async () => {
    const world = await patching({
      servers: [...servers.slice(0, 2), hybrid],
      policy: policyWith('best-effort'),
    });
    await take(world);
    const { state, noSnapshots } = await world.job(hybrid);
    expect(state).toBe('ready');
    expect(noSnapshots).toEqual({
      code: 'snapshot-impossible',
      detail: `${hybrid.id} is no EC2 instance; waived: ${waiver}`,
    });
  });

  test('of a server that is gone are nobody’s, and the dispatch says so', async () => {
    const world = await patching({ servers, policy: policyWith('required') });
    const memory = createMemorySnapshots(world.now);
    memory.lose(servers[1]?.id ?? '');
    expect(await take(world, memory)).toEqual(done);
    expect(await jobOf(world, 1)).toMatchObject({ state: 'ready', snapshots: [] });
  });
});

describe('a dispatch', () => {
  test('says of a server that has none, and may do without, that nobody knows why', async () => {
    const world = await patching({ servers, policy: policyWith('best-effort') });
    await dispatch(world, batchId, 'patch');
    expect(await jobOf(world, 1)).toMatchObject({
      state: 'patching',
      noSnapshots: { code: 'snapshot-missing', detail: expect.stringContaining(`waived: ${waiver}`) },
    });
  });

  test('sends no patch to a server without the snapshots that its policy requires', async () => {
    const world = await patching({ servers, policy: policyWith('required') });
    await take(world);
    await update(world.ports.records, jobs, jobKey(campaignId, servers[2]?.id ?? ''), (job) => ({
      ...job,
      snapshots: [],
    }));
    await dispatch(world, batchId, 'patch');
    expect(await jobOf(world, 2)).toMatchObject({
      state: 'failed',
      dispatched: null,
      reasons: [{ code: 'snapshot-missing' }],
    });
    expect(world.runCommand.sent.at(-1)?.request.serverIds).toEqual([servers[1]?.id, servers[3]?.id]);
  });

  test('sends it where they are waived', async () => {
    const world = await patching({ servers, policy: policyWith('best-effort') });
    await dispatch(world, batchId, 'patch');
    expect((await load(world.ports.records, jobs, jobKey(campaignId, servers[1]?.id ?? ''))).state).toBe(
      'patching',
    );
  });
});
