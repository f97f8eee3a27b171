import { describe, expect, test } from 'vitest';
import { createClock } from '../../../apps/local/clock.ts';
import { createLocalSchedules } from '../../../apps/local/local-schedules.ts';
import { instantOf, millisOf } from '../../../core/instant.ts';
import { describeSchedules } from '../../contracts/schedules.contract.ts';

describeSchedules('the embedded host', async () => {
  // Real time: nothing of the contract fires.
  const clock = createClock(millisOf('2026-11-21T00:00:00.000Z'), () => 0);
  let done = () => {};
  const held = clock.busy(() => new Promise<void>((resolve) => (done = resolve)));
  return {
    schedules: createLocalSchedules({ clock, target: async () => {}, onGivenUp: () => {} }),
    async close() {
      done();
      await held;
    },
  };
});

function world(target: (input: unknown, at: string) => Promise<unknown>) {
  const clock = createClock(millisOf('2026-11-21T00:00:00.000Z'), () => 0);
  const givenUp: string[] = [];
  const schedules = createLocalSchedules({
    clock,
    target: (input) => target(input, instantOf(clock.now())),
    onGivenUp: ({ name }, error) => givenUp.push(`${name}: ${String(error)}`),
  });
  const until = (at: string) => new Promise<void>((resolve) => clock.at(millisOf(at), resolve));
  return { schedules, givenUp, until };
}

describe('by the local clock', () => {
  test('a schedule fires once at its moment, and is gone', async () => {
    const fired: unknown[] = [];
    const { schedules, until } = world(async (input, at) => void fired.push([input, at]));
    await schedules.create({ name: 'one', at: '2026-11-21T10:00:00.000Z', input: { a: 1 } });
    await until('2026-11-21T12:00:00.000Z');
    expect(fired).toEqual([[{ a: 1 }, '2026-11-21T10:00:00.000Z']]);
    expect(await schedules.list()).toEqual([]);
  });

  test('one that was moved fires at its new moment alone, one that was deleted never', async () => {
    const fired: unknown[] = [];
    const { schedules, until } = world(async (input, at) => void fired.push([input, at]));
    await schedules.create({ name: 'moved', at: '2026-11-21T10:00:00.000Z', input: 'moved' });
    await schedules.create({ name: 'deleted', at: '2026-11-21T10:00:00.000Z', input: 'deleted' });
    await schedules.update({ name: 'moved', at: '2026-11-21T11:00:00.000Z', input: 'moved' });
    await schedules.delete('deleted');
    await until('2026-11-21T12:00:00.000Z');
    expect(fired).toEqual([['moved', '2026-11-21T11:00:00.000Z']]);
  });

  test('a target that fails is called again, and stays listed meanwhile', async () => {
    let calls = 0;
    const { schedules, givenUp, until } = world(async () => {
      if (++calls < 3) throw new Error('busy');
    });
    await schedules.create({ name: 'one', at: '2026-11-21T10:00:00.000Z', input: null });
    await until('2026-11-21T10:03:00.000Z');
    expect((await schedules.list()).length).toBe(1);
    await until('2026-11-21T12:00:00.000Z');
    expect([calls, givenUp, await schedules.list()]).toEqual([3, [], []]);
  });

  test('a target that fails for an hour is given up, aloud', async () => {
    let calls = 0;
    const { schedules, givenUp, until } = world(async () => {
      calls++;
      throw new Error('broken');
    });
    await schedules.create({ name: 'one', at: '2026-11-21T10:00:00.000Z', input: null });
    await until('2026-11-21T12:00:00.000Z');
    expect([calls, givenUp, await schedules.list()]).toEqual([10, ['one: Error: broken'], []]);
  });
});
