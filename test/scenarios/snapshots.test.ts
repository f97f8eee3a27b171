import { describe, expect, it } from 'vitest';
import { policySchema } from '../../core/policy.ts';
import { PortError, type Snapshots } from '../../core/ports.ts';
import { createWorld, serversOf } from '../support/campaign-world.ts';

const asking = (snapshots: 'required' | 'best-effort') => ({
  errorBudget: { failures: 5, share: 1 },
  backup: policySchema.shape.backup.parse({ snapshots, waiver: 'stateless, made anew from an image' }),
});

/** EC2 takes none of this server, and puts the first call for every other off. */
const reluctant = (name: string) => (snapshots: Snapshots) => {
  const asked = new Set<string>();
  return {
    ...snapshots,
    async take(...[place, order]: Parameters<Snapshots['take']>) {
      if (order.serverId === name) throw new PortError('refused', 'you are not authorized');
      if (asked.has(order.serverId)) return snapshots.take(place, order);
      asked.add(order.serverId);
      throw new PortError('throttled', 'SnapshotCreationPerInstanceRateExceeded');
    },
  };
};

describe('a policy that asks for snapshots', () => {
  it('has one of each volume before its patch is sent', async () => {
    const world = createWorld({ servers: serversOf(2), policy: asking('required') });
    const end = await world.run();
    expect(world.errors).toEqual([]);
    expect(end.state).toBe('completed');
    for (const { snapshots, dispatched } of end.jobs) {
      expect(snapshots.map(({ device, root }) => [device, root])).toEqual([
        ['/dev/xvda', true],
        ['/dev/xvdb', false],
      ]);
      expect(snapshots.every(({ startedAt }) => startedAt <= String(dispatched?.at))).toBe(true);
    }
  });

  it('waits for EC2, and does not patch a server that can have none', async () => {
    const servers = serversOf(3);
    const world = createWorld({
      servers,
      policy: asking('required'),
      snapshots: reluctant(String(servers[1]?.id)),
    });
    const end = await world.run();
    expect(end.states).toEqual({ 'server-1': 'succeeded', 'server-2': 'failed', 'server-3': 'succeeded' });
    expect(end.jobs[1]).toMatchObject({ dispatched: null, reasons: [{ code: 'snapshot-failed' }] });
    expect(world.fleet.patched.has(String(servers[1]?.id))).toBe(false);
  });

  it('and waives them in words patches all the same, and keeps the words', async () => {
    const servers = serversOf(2);
    const world = createWorld({
      servers,
      policy: asking('best-effort'),
      snapshots: reluctant(String(servers[0]?.id)),
    });
    const end = await world.run();
    expect(end.states['server-1']).toBe('succeeded');
    expect(end.jobs[0]?.noSnapshots?.detail).toContain('waived: stateless');
  });

  it('does not patch where the step that takes them breaks', async () => {
    const world = createWorld({
      servers: serversOf(1),
      policy: asking('required'),
      snapshots: (snapshots) => ({
        ...snapshots,
        volumes: async () => {
          throw new Error('as the test has it');
        },
      }),
    });
    const end = await world.run();
    expect(end.states['server-1']).toBe('failed');
    expect(world.fleet.patched.size).toBe(0);
  });
});
