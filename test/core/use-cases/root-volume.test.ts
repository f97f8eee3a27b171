import { describe, expect, test } from 'vitest';
import { create, jobKey, jobs, load, update } from '../../../core/entities.ts';
import { type Fence, fencedBy, fenceKey, fences } from '../../../core/fence.ts';
import { plusSeconds } from '../../../core/instant.ts';
import type { Job } from '../../../core/job.ts';
import { PortError, type Ports, type RootVolumeTask } from '../../../core/ports.ts';
import { rootVolumeKey, rootVolumes } from '../../../core/root-volume.ts';
import { decideRootVolume } from '../../../core/use-cases/decide-root-volume.ts';
import { requestRootVolume } from '../../../core/use-cases/request-root-volume.ts';
import { sweep } from '../../../core/use-cases/sweep.ts';
import { type BareCampaign, createBareCampaign } from '../../support/bare-campaign.ts';
import { campaignId, frankfurt, jobOf, serverId, serverOf, summaryOf } from '../../support/samples.ts';

const server = serverOf(1);
const ref = { campaignId, serverId: server.id };
const byAnn = { ...ref, by: 'ann', reason: 'it does not start its services' };

/** A job that has failed after its patch, with snapshots that are completed. */
async function failedJob(changes: Partial<Job> = {}): Promise<BareCampaign> {
  const world = createBareCampaign([server]);
  const { snapshots } = world.ports;
  const volumes = (await snapshots.volumes(frankfurt, [server.id])).get(server.id) ?? [];
  const taken = await snapshots.take(frankfurt, {
    ...ref,
    expiresAt: '2027-06-01T00:00:00.000Z',
    keepLast: 3,
  });
  const of = (volumeId: string) => taken.find((snapshot) => snapshot.volumeId === volumeId);
  const job = jobOf({
    server,
    state: 'rollback-failed',
    dispatched: { at: world.now(), online: true },
    snapshots: volumes.map(({ volumeId, device, root }) => ({
      snapshotId: of(volumeId)?.snapshotId ?? '',
      volumeId,
      device,
      root,
      state: 'pending',
      startedAt: world.now(),
      encrypted: true,
    })),
    ...changes,
  });
  await create(world.ports.records, jobs, job);
  world.sleep(3600);
  return world;
}

const request = (world: BareCampaign) => requestRootVolume(world.ports, byAnn, world.now());
const stored = (world: BareCampaign) =>
  load(world.ports.records, rootVolumes, rootVolumeKey(campaignId, server.id));

async function decide(
  world: BareCampaign,
  { by = 'bob', approved = true, snapshotId = '', ports = {} as Partial<Ports> } = {},
) {
  const input = { ...ref, snapshotId: snapshotId || (await stored(world)).snapshotId, approved, by };
  return decideRootVolume({ ...world.ports, ...ports }, input, world.now());
}

async function requested(changes: Partial<Job> = {}): Promise<BareCampaign> {
  const world = await failedJob(changes);
  await request(world);
  return world;
}

describe('a request', () => {
  test('names the snapshot of the root volume, and asks people', async () => {
    const world = await failedJob();
    const { snapshotId, state, volumeId } = await request(world);
    const job = await world.job(server);
    expect(job.snapshots.find(({ root }) => root)).toMatchObject({ snapshotId, volumeId });
    expect(state).toBe('requested');
    expect(world.notices).toMatchObject([{ kind: 'approval-asked', campaignId }]);
    expect(world.notices[0]?.text).toContain(snapshotId);
  });

  test('keeps the last boot id that the campaign knew', async () => {
    const { boot } = summaryOf(server, 'patch');
    const result = {
      ...summaryOf(server, 'patch'),
      at: '2026-11-21T22:00:00.000Z',
      status: 'Success',
      unproven: null,
    };
    const world = await failedJob({ phases: { patch: { ...result, found: {}, boot } } });
    expect((await request(world)).bootId).toBe(boot?.after);
  });

  test('again by the same person is the same one, and by another is refused', async () => {
    const world = await requested();
    world.sleep(60);
    const before = await stored(world);
    expect(await request(world)).toEqual(before);
    const byCarol = requestRootVolume(world.ports, { ...byAnn, by: 'carol' }, world.now());
    await expect(byCarol).rejects.toMatchObject({ code: 'requested' });
  });

  test.each([
    ['under-way', { state: 'rolling-back' }],
    ['not-patched', { state: 'superseded', dispatched: null }],
    ['no-snapshot', { snapshots: [] }],
  ] as const)('is refused as %s', async (code, changes) => {
    const world = await failedJob(changes as Partial<Job>);
    await expect(request(world)).rejects.toMatchObject({ code });
    expect(world.notices).toEqual([]);
  });

  test('that was denied can be made anew, and is another one then', async () => {
    const world = await requested();
    await decide(world, { approved: false });
    expect((await stored(world)).state).toBe('denied');
    world.sleep(60);
    expect(await request(world)).toMatchObject({ state: 'requested', decision: null });
    expect(new Set(world.notices.map(({ id }) => id)).size).toBe(2);
  });
});

describe('an approval', () => {
  test('puts up the fence before EC2 is asked', async () => {
    const world = await requested();
    const seen: unknown[] = [];
    const watched: Ports['rootVolumes'] = {
      ...world.ports.rootVolumes,
      async replace(place, input) {
        seen.push(await load(world.ports.records, fences, fenceKey(server.id)), input);
        return world.ports.rootVolumes.replace(place, input);
      },
    };
    const { state, taskId } = await decide(world, { ports: { rootVolumes: watched } });
    expect({ state, taskId }).toEqual({ state: 'replacing', taskId: expect.stringMatching(/^replacevol-/) });
    expect(seen).toMatchObject([
      { serverId: server.id, since: world.now(), campaignId, by: 'bob' },
      { serverId: server.id, snapshotId: (await stored(world)).snapshotId },
    ]);
  });

  test('moves no fence back', async () => {
    const world = await requested();
    const later = plusSeconds(world.now(), 3600);
    const other: Fence = {
      schema: 1,
      serverId: server.id,
      since: later,
      campaignId: 'another-one',
      by: 'dave',
    };
    await create(world.ports.records, fences, other);
    await decide(world);
    expect((await load(world.ports.records, fences, fenceKey(server.id))).since).toBe(later);
  });

  test.each([
    ['own-request', { by: ' Ann ' }],
    ['other-snapshot', { snapshotId: 'snap-00000000000000000' }],
  ])('is refused as %s, and nothing is done', async (code, changes) => {
    const world = await requested();
    await expect(decide(world, changes)).rejects.toMatchObject({ code });
    expect(await stored(world)).toMatchObject({ state: 'requested', decision: null });
    expect(await world.ports.records.get(fenceKey(server.id))).toBeUndefined();
  });

  test('waits for the end of a rollback that was asked for since', async () => {
    const world = await requested();
    const move = (state: Job['state']) =>
      update(world.ports.records, jobs, jobKey(campaignId, server.id), (job) => ({ ...job, state }));
    await move('rolling-back');
    await expect(decide(world)).rejects.toMatchObject({ code: 'under-way' });
    expect((await stored(world)).state).toBe('requested');
    await move('rollback-failed');
    expect((await decide(world)).state).toBe('replacing');
  });

  test('that comes a day late is refused', async () => {
    const world = await requested();
    world.sleep(86_401);
    await expect(decide(world)).rejects.toMatchObject({ code: 'too-late' });
  });

  test('of what was denied is refused, and the other way round', async () => {
    const world = await requested();
    await decide(world, { by: 'ann', approved: false });
    await expect(decide(world)).rejects.toMatchObject({ code: 'decided' });
  });

  const looks = (changes: object) => (world: BareCampaign) => ({
    rootVolumes: {
      ...world.ports.rootVolumes,
      look: async () => {
        const view = await world.ports.rootVolumes.look(frankfurt, server.id);
        return 'gone' in changes ? undefined : { ...view, ...changes };
      },
    } as Ports['rootVolumes'],
  });
  const finds = (change: object | undefined) => (world: BareCampaign) => ({
    snapshots: {
      ...world.ports.snapshots,
      find: async () => {
        const found = await world.ports.snapshots.find(frankfurt, campaignId, [server.id]);
        return change ? found.map((snapshot) => ({ ...snapshot, ...change })) : [];
      },
    } as Ports['snapshots'],
  });

  test.each([
    ['snapshot-gone', 'the snapshot was deleted', finds(undefined)],
    ['snapshot-not-completed', 'it is copied still', finds({ state: 'pending' })],
    ['snapshot-not-completed', 'it ended in an error', finds({ state: 'error' })],
    ['not-running', 'the instance is stopped', looks({ instanceState: 'stopped' })],
    ['not-running', 'the instance is terminated', looks({ instanceState: 'terminated' })],
    ['not-running', 'EC2 knows no such instance', looks({ gone: true })],
    ['other-root-volume', 'its root volume is another one by now', looks({ rootVolumeId: 'vol-1' })],
    ['other-root-volume', 'it has none', looks({ rootVolumeId: null })],
  ])('is refused as %s where %s, and can be given again', async (code, _, ports) => {
    const world = await requested();
    await expect(decide(world, { ports: ports(world) })).rejects.toMatchObject({ code });
    expect((await stored(world)).state).toBe('requested');
    expect(await world.ports.records.get(fenceKey(server.id))).toBeUndefined();
    expect((await decide(world)).state).toBe('replacing');
  });

  test('that was cut off is taken up by the same decision, as the same task', async () => {
    const world = await requested();
    const tokens: string[] = [];
    const cut: Ports['rootVolumes'] = {
      ...world.ports.rootVolumes,
      async replace(_, { token }) {
        tokens.push(token);
        throw new PortError('ambiguous', 'CreateReplaceRootVolumeTask: TimeoutError');
      },
    };
    await expect(decide(world, { ports: { rootVolumes: cut } })).rejects.toThrow('TimeoutError');
    expect((await stored(world)).state).toBe('approved');
    world.sleep(60);
    await expect(decide(world, { ports: { rootVolumes: cut } })).rejects.toThrow('TimeoutError');
    expect(new Set(tokens).size).toBe(1);
    expect(tokens[0]).toMatch(/^[\x21-\x7e]{1,64}$/);
    expect((await decide(world)).state).toBe('replacing');
  });

  test('that EC2 refuses fails, with what EC2 says', async () => {
    const world = await requested();
    const refusing: Ports['rootVolumes'] = {
      ...world.ports.rootVolumes,
      replace: () => Promise.reject(new PortError('refused', 'UnauthorizedOperation: no')),
    };
    expect(await decide(world, { ports: { rootVolumes: refusing } })).toMatchObject({
      state: 'failed',
      reason: { code: 'replace-refused', detail: 'UnauthorizedOperation: no' },
    });
    const fence = await load(world.ports.records, fences, fenceKey(server.id));
    expect(fencedBy(fence, { id: 'next', createdAt: plusSeconds(world.now(), 1) })).toBeUndefined();
  });
});

describe('a sweep', () => {
  const swept = async (world: BareCampaign, ports: Partial<Ports> = {}) => {
    const { failed } = await sweep({ ...world.ports, ...ports }, world.now());
    expect(failed).toEqual([]);
    return stored(world);
  };
  async function replacing() {
    const world = await requested();
    await decide(world);
    return world;
  }
  const tasks = (world: BareCampaign, state: RootVolumeTask['state'] | undefined, look?: object) => ({
    rootVolumes: {
      ...world.ports.rootVolumes,
      task: async () => state && { state, completedAt: state === 'succeeded' ? world.now() : null },
      ...(look && { look: async () => look }),
    } as Ports['rootVolumes'],
  });

  test('calls it replaced once the task has ended, the root volume is another and the agent was heard of since', async () => {
    const world = await replacing();
    world.sleep(60);
    expect((await swept(world)).state).toBe('replacing');
    world.sleep(150);
    // The task has ended, and the agent is silent yet.
    expect((await swept(world)).state).toBe('replacing');
    world.sleep(60);
    const { state, proof, volumeId, completedAt } = await swept(world);
    expect(state).toBe('replaced');
    expect(proof?.volumeId).not.toBe(volumeId);
    expect(proof && completedAt && proof.agentSeenAt > completedAt).toBe(true);
    const told = world.notices.at(-1);
    expect(told).toMatchObject({ kind: 'root-volume', subject: expect.stringContaining('replaced') });
    expect(told?.text).toContain('Not proven');
    expect(told?.text).toContain(volumeId);
  });

  test('lets nothing be sent until it has ended, and nothing of campaigns that were made by then', async () => {
    const world = await replacing();
    const fence = () => load(world.ports.records, fences, fenceKey(server.id));
    const made = plusSeconds(world.now(), 1);
    const meanwhile = { id: 'made-meanwhile', createdAt: made };
    expect(fencedBy(await fence(), meanwhile)?.detail).toContain('is being replaced');
    world.sleep(3600);
    expect((await swept(world)).state).toBe('replaced');
    expect(await fence()).toMatchObject({ since: world.now(), campaignId, by: 'bob' });
    expect(fencedBy(await fence(), meanwhile)?.code).toBe('fenced');
    const afterwards = { id: 'made-afterwards', createdAt: plusSeconds(world.now(), 1) };
    expect(fencedBy(await fence(), afterwards)).toBeUndefined();
  });

  test('looks at it no more when it has ended', async () => {
    const world = await replacing();
    world.sleep(3600);
    await swept(world);
    const before = world.notices.length;
    expect((await sweep(world.ports, world.now())).looked).toBe(0);
    expect(world.notices).toHaveLength(before);
  });

  test.each([
    ['replace-failed', 'failed', 60],
    ['root-detached', 'failed-detached', 60],
    ['task-unknown', undefined, 1000],
    ['too-long', 'in-progress', 90_000],
  ] as const)('says %s of a task that is %s', async (code, state, seconds) => {
    const world = await replacing();
    world.sleep(seconds);
    expect(await swept(world, tasks(world, state))).toMatchObject({ state: 'failed', reason: { code } });
    expect(world.notices.at(-1)).toMatchObject({ kind: 'root-volume', text: expect.stringContaining(code) });
  });

  test('waits for a task that EC2 does not show yet', async () => {
    const world = await replacing();
    world.sleep(60);
    expect((await swept(world, tasks(world, undefined))).state).toBe('replacing');
  });

  test.each([
    ['agent-not-back', { instanceState: 'running', rootVolumeId: 'vol-new', agentSeenAt: null }],
    ['root-unchanged', { instanceState: 'running', rootVolumeId: null, agentSeenAt: null }],
  ])('says %s half an hour after the task, and not before', async (code, view) => {
    const world = await replacing();
    const ended = tasks(world, 'succeeded', view);
    const at = world.now();
    ended.rootVolumes.task = async () => ({ state: 'succeeded', completedAt: at });
    world.sleep(1700);
    expect((await swept(world, ended)).state).toBe('replacing');
    world.sleep(200);
    expect(await swept(world, ended)).toMatchObject({ state: 'failed', reason: { code } });
  });

  test('says that nobody knows when the answer of EC2 was never recorded', async () => {
    const world = await requested();
    await update(world.ports.records, rootVolumes, rootVolumeKey(campaignId, server.id), (current) => ({
      ...current,
      state: 'approved' as const,
      decision: { approved: true, by: 'bob', at: world.now(), reason: '' },
    }));
    world.sleep(3000);
    expect((await swept(world)).state).toBe('approved');
    world.sleep(700);
    expect(await swept(world)).toMatchObject({ state: 'failed', reason: { code: 'never-confirmed' } });
  });
});

test('a request lies beside its job and is no job', async () => {
  const world = await requested();
  expect(await load(world.ports.records, jobs, jobKey(campaignId, serverId(1)))).toMatchObject({
    state: 'rollback-failed',
  });
});
