import { afterEach, describe, expect, onTestFailed, test } from 'vitest';
import { readReport } from '../support/campaign-world.ts';
import {
  type AwsWorld,
  type AwsWorldOptions,
  campaignId,
  openAwsWorld,
  troubleOf,
} from './campaign-world.ts';

let world: AwsWorld;
afterEach(() => world?.close());

async function run(options: AwsWorldOptions, approved = true) {
  world = await openAwsWorld(options);
  onTestFailed(() => console.error(troubleOf(world)));
  expect(await world.create()).toMatchObject({ servers: options.servers, leftOut: [] });
  world.decide(approved);
  const end = await world.finish();
  expect(end.errors).toEqual([]);
  return end;
}

const told = async () => (await world.people.received()).map(({ attributes }) => attributes.kind);
const callsOf = (operation: string) => world.proxy.calls.filter((call) => call.operation === operation);

describe('a campaign on the resources of the template', () => {
  test('patches every server once, tells people of it, and leaves nothing behind', async () => {
    const { status, campaign, states } = await run({ servers: 7 });
    expect(status).toBe('SUCCEEDED');
    expect(campaign).toMatchObject({ state: 'completed', approval: { decision: { approved: true } } });
    expect(new Set(Object.values(states))).toEqual(new Set(['succeeded']));
    expect([...world.fleet.patched.values()]).toEqual(Array(7).fill(1));
    const { report, jobs } = await readReport(world.objects, campaignId);
    expect(report).toMatchObject({ campaign: { id: campaignId }, state: 'completed' });
    expect(jobs.map(({ state }) => state)).toEqual(Array(7).fill('succeeded'));
    const notices = await world.people.received();
    expect(notices.map(({ attributes }) => attributes)).toMatchObject(
      ['campaign-opened', 'approval-asked', 'campaign-closed'].map((kind) => ({ kind, campaignId })),
    );
    expect(notices[1]?.text).toContain(campaign.seal?.root);
    expect(await world.queue.dead()).toEqual([]);
    // The canary, then the others: what a function sends is one command for a batch.
    expect(callsOf('SendCommand').map(({ caller, input }) => [caller, input.DocumentName])).toEqual(
      ['Prepare', 'Patch', 'Verify', 'Patch', 'Verify'].map((phase) => [
        'dispatch-batch',
        `Quarterdeck-Debian-${phase}`,
      ]),
    );
  });

  test('stops after a canary that failed, takes it back, and touches no other server', async () => {
    const { status, campaign, states } = await run({
      servers: 5,
      behave: (_, phase) => (phase === 'patch' ? { result: 'failed', facts: { installed: false } } : {}),
    });
    expect(status).toBe('FAILED');
    expect(campaign).toMatchObject({ state: 'stopped', reason: { code: 'error-budget' } });
    expect(Object.values(states).toSorted()).toEqual([...Array(4).fill('not-started'), 'rolled-back']);
    expect(callsOf('SendCommand').at(-1)?.input.DocumentName).toBe('Quarterdeck-Debian-Rollback');
    expect(world.fleet.patched.size).toBe(1);
    expect(await told()).toContain('campaign-stopped');
  });

  test('whose canary does not come back is loud: it fails, and the alarm has its metric', async () => {
    const { campaign, states } = await run({
      servers: 2,
      behave: (_, phase) => (phase === 'verify' || phase === 'rollback' ? { facts: { healthy: false } } : {}),
    });
    expect(campaign).toMatchObject({ state: 'stopped', reason: { code: 'rollback-failed' } });
    expect(Object.values(states).toSorted()).toEqual(['not-started', 'rollback-failed']);
    const metrics = (['dispatch-batch', 'settle-events', 'sweep'] as const).flatMap((name) =>
      world.functions.lines(name).filter((line) => JSON.stringify(line).includes('RollbacksFailed')),
    );
    expect(metrics).toHaveLength(1);
  });

  test('ends at a denial, and patches nothing', async () => {
    const { campaign, states } = await run({ servers: 3 }, false);
    expect(campaign).toMatchObject({ state: 'denied', approval: { decision: { approved: false } } });
    expect(new Set(Object.values(states))).toEqual(new Set(['not-started']));
    expect(world.fleet.patched.size).toBe(0);
  });

  test('is brought to its end by the sweeper when no event ever comes', async () => {
    const { campaign, states } = await run({ servers: 3, delivers: () => false });
    expect(campaign.state).toBe('completed');
    expect(new Set(Object.values(states))).toEqual(new Set(['succeeded']));
    expect(world.functions.lines('settle-events')).toEqual([]);
    expect(callsOf('SendTaskSuccess').map(({ caller }) => caller)).toContain('sweep');
  });

  test('takes every event twice without doing anything twice', async () => {
    const { states } = await run({ servers: 3, delivers: () => 'twice' });
    expect(new Set(Object.values(states))).toEqual(new Set(['succeeded']));
    expect([...world.fleet.taken.values()].every((times) => times === 1)).toBe(true);
    expect((await readReport(world.objects, campaignId)).jobs).toHaveLength(3);
  });
});
