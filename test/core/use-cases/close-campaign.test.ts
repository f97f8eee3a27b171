import { describe, expect, test } from 'vitest';
import { campaigns, create as createItem, jobKey, jobs, load, update } from '../../../core/entities.ts';
import { isEnded, type JobState, jobStateSchema } from '../../../core/job.ts';
import { sha256Of } from '../../../core/plan.ts';
import { reportPartSchema, reportSchema } from '../../../core/report.ts';
import { serverPrefix } from '../../../core/result-object.ts';
import { closeCampaign } from '../../../core/use-cases/close-campaign.ts';
import { judgeWave } from '../../../core/use-cases/judge-wave.ts';
import { openCampaign } from '../../../core/use-cases/open-campaign.ts';
import { settleRun } from '../../../core/use-cases/settle-run.ts';
import type { BareCampaign } from '../../support/bare-campaign.ts';
import { budgetOf, carryOut, created, dispatch, opened, patching } from '../../support/campaign-stages.ts';
import { approvedCampaign, campaignId, entryOf, resultObjectOf, serverOf } from '../../support/samples.ts';

const reason = { code: 'error-budget', detail: 'too many failed' };
const close = (world: BareCampaign, ending: 'stopped' | 'completed' | 'missed' | 'broken' = 'stopped') =>
  closeCampaign(
    world.ports,
    { campaignId, ending, reason: ending === 'completed' ? null : reason },
    world.now(),
  );

async function read(world: BareCampaign) {
  const json = async (key: string) =>
    JSON.parse(Buffer.from((await world.ports.objects.get(key)) as Uint8Array).toString());
  const report = reportSchema.parse(await json(`campaigns/${campaignId}/report.json`));
  const parts = await Promise.all(report.parts.map(async (key) => reportPartSchema.parse(await json(key))));
  return { report, jobs: parts.flatMap((part) => part.jobs) };
}

describe('closing', () => {
  const states = jobStateSchema.options;
  const servers = states.map((_, index) => serverOf(index + 1));

  test('gives every job that has none an end, and leaves the others theirs', async () => {
    const world = await opened({ servers });
    for (const [index, state] of states.entries()) {
      const key = jobKey(campaignId, servers[index]?.id ?? '');
      await update(world.ports.records, jobs, key, (job) => ({ ...job, state }));
    }
    const { counts } = await close(world);
    const ends: Partial<Record<JobState, JobState>> = {
      planned: 'not-started',
      preparing: 'not-started',
      ready: 'not-started',
      patching: 'lost',
      verifying: 'lost',
      'rolling-back': 'rollback-failed',
    };
    const after = await world.states();
    expect(after).toEqual(states.map((state) => ends[state] ?? state));
    expect(after.every((state) => isEnded(state as JobState))).toBe(true);
    expect(Object.values(counts).reduce((sum, number) => sum + number, 0)).toBe(servers.length);
    const reasonOf = async (state: JobState) =>
      (await load(world.ports.records, jobs, jobKey(campaignId, servers[states.indexOf(state)]?.id ?? '')))
        .reasons[0];
    expect(await reasonOf('ready')).toEqual(reason);
    expect((await reasonOf('patching'))?.code).toBe('no-result');
    expect(await reasonOf('failed')).toBeUndefined();
  });

  test('again writes the same report, and the first ending stands', async () => {
    const world = await opened({ servers: [serverOf(1)] });
    const output = await close(world, 'stopped');
    const report = await world.ports.objects.get(output.report);
    world.sleep(3600);
    expect(await close(world, 'completed')).toEqual(output);
    expect(await world.ports.objects.get(output.report)).toEqual(report);
    expect(new Set(world.notices.map(({ id }) => id)).size).toBe(2);
  });

  test('keeps everything from being dispatched, and late answers from changing the report', async () => {
    const world = await patching({ servers: [serverOf(1), serverOf(2)] });
    await dispatch(world, 'w0-0001', 'patch');
    await close(world);
    await dispatch(world, 'w1-0001', 'patch', 'too late');
    await world.runCommand.answer();
    await settleRun(world.ports, { campaignId, batchId: 'w0-0001', phase: 'patch' }, world.now());
    expect(await world.states()).toEqual(['lost', 'not-started']);
    expect(world.answers.delivered.get('too late')).toEqual({
      batchId: 'w1-0001',
      counts: { 'not-started': 1 },
    });
    // What waits is answered all the same.
    expect(world.answers.delivered.get('w0-0001 patch')).toEqual({ batchId: 'w0-0001', counts: { lost: 1 } });
  });

  test('reports every server with what was planned and what is there now', async () => {
    const world = await patching({ servers: [serverOf(1), serverOf(2)] });
    for (const id of ['w0-0001', 'w1-0001'])
      for (const phase of ['patch', 'verify'] as const) await carryOut(world, id, phase);
    const { counts } = await close(world, 'completed');
    const { report, jobs: rows } = await read(world);
    expect(counts).toEqual({ succeeded: 2 });
    expect(report).toMatchObject({ state: 'completed', counts, reason: null });
    expect(rows.map(({ server }) => server.name)).toEqual(['web-1', 'web-2']);
    expect(rows[0]).toMatchObject({
      state: 'succeeded',
      packages: [{ name: 'openssl', from: '3.0.1-1', to: '3.0.2-1', planned: '3.0.2-1', security: true }],
    });
    expect(JSON.stringify(report)).not.toContain('token');
  });

  test('does not depend on what a server has made of its results since', async () => {
    const world = await patching({ servers: [serverOf(1), serverOf(2)] });
    await carryOut(world, 'w1-0001', 'patch');
    const lie = resultObjectOf({ plan: [entryOf({ to: '6.6.6-1' })] });
    await world.ports.objects.put(`${serverPrefix(serverOf(2))}/${campaignId}/patch.gz`, lie);
    await world.ports.objects.put(`${serverPrefix(serverOf(1))}/${campaignId}/prepare.gz`, 'garbage');
    await close(world);
    const { jobs: rows } = await read(world);
    expect(rows.map(({ packages }) => packages)).toEqual([
      [],
      [expect.objectContaining({ to: null, planned: '3.0.2-1' })],
    ]);
  });

  test('does not fail over results that nobody should read, and says nothing for them', async () => {
    const world = await patching({ servers: [serverOf(1), serverOf(2)] });
    await carryOut(world, 'w1-0001', 'patch');
    const huge = new Uint8Array(4 * 1024 * 1024 + 1);
    await world.ports.objects.put(`${serverPrefix(serverOf(2))}/${campaignId}/patch.gz`, huge);
    await world.ports.objects.put(`${serverPrefix(serverOf(1))}/${campaignId}/prepare.gz`, huge);
    await close(world);
    const { jobs: rows } = await read(world);
    expect(rows.map(({ packages }) => packages)).toEqual([[], [expect.objectContaining({ to: null })]]);
  });

  test('charges what is lost by it to the error budget, once, and holds the later campaigns', async () => {
    const world = await patching({ servers: [1, 2, 3, 4].map((n) => serverOf(n)) });
    // The canary was patched and never looked at again; of the next wave one server did not even answer.
    await carryOut(world, 'w0-0001', 'patch');
    world.runCommand.hosts.set(serverOf(4).id, { answers: { patch: 'nothing' } });
    await carryOut(world, 'w1-0001', 'patch');
    expect(await world.states()).toEqual(['verifying', 'verifying', 'verifying', 'patching']);
    expect(await budgetOf(world)).toMatchObject([{ batchId: 'w0-0001', dispatched: 1, failures: [] }]);
    for (let time = 0; time < 2; time++) {
      await close(world, 'broken');
      expect(await world.states()).toEqual(Array(4).fill('lost'));
      expect(await budgetOf(world)).toMatchObject([
        { batchId: 'w0-0001', dispatched: 1, failures: [{ servers: 1 }] },
        { batchId: 'w1-0001', dispatched: 3, failures: [{ servers: 3 }] },
      ]);
    }
    const later = approvedCampaign({ id: 'later-2027-web' });
    await createItem(world.ports.records, campaigns, later);
    const begin = { campaignId: later.id, wave: 0, at: 'begin' as const };
    expect((await judgeWave(world.ports, begin, world.now())).reason).toMatchObject({
      code: 'error-budget',
      detail: expect.stringContaining('4 of 4 patched servers'),
    });
  });

  test('charges nothing for servers that no command reached', async () => {
    const world = await patching({ servers: [serverOf(1), serverOf(2)] });
    await close(world, 'broken');
    expect(await world.states()).toEqual(['not-started', 'not-started']);
    expect(await budgetOf(world)).toEqual([]);
  });

  test('does not fail over a result that nobody can read', async () => {
    const garbage = Buffer.from('garbage');
    const object = {
      key: `${serverPrefix(serverOf(1))}/${campaignId}/patch.gz`,
      sha256: sha256Of(garbage),
      bytes: 7,
    };
    const answers = { patch: { object: garbage, says: { object } } };
    const world = await patching({ servers: [serverOf(1)], hosts: { 'web-1': { answers } } });
    await carryOut(world, 'w0-0001', 'patch');
    await close(world);
    expect((await read(world)).jobs[0]?.packages).toEqual([expect.objectContaining({ to: null })]);
  });

  test('names every server of a campaign that never opened', async () => {
    const world = await created({ servers });
    await close(world, 'missed');
    const { report, jobs: rows } = await read(world);
    expect(report.counts).toEqual({ 'not-started': servers.length });
    expect(rows.map(({ server }) => server.id).toSorted()).toEqual(servers.map(({ id }) => id).toSorted());
    expect(rows[0]?.reasons).toEqual([reason]);
  });

  test('names every server of a campaign that died while it opened', async () => {
    const many = Array.from({ length: 120 }, (_, index) => serverOf(index + 1));
    const world = await created({ servers: many });
    const { create } = world.ports.records;
    let left = 121;
    world.ports.records.create = async (record) => {
      if (left-- === 0) throw new Error('died');
      return create(record);
    };
    await expect(openCampaign(world.ports, { campaignId }, world.now())).rejects.toThrow('died');
    world.ports.records.create = create;
    const { counts } = await close(world, 'broken');
    expect(counts).toEqual({ 'not-started': 120 });
    expect((await read(world)).jobs).toHaveLength(120);
  });

  test('says in its notice how it ended and why', async () => {
    const world = await opened({ servers: [serverOf(1)] });
    await close(world);
    expect(world.notices.at(-1)).toMatchObject({
      kind: 'campaign-stopped',
      subject: 'Patching stopped: 0 of 1 servers succeeded',
      text: expect.stringContaining('Reason: too many failed'),
    });
  });
});
