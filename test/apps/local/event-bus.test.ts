import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createClock } from '../../../apps/local/clock.ts';
import { createEventBus, type EventBusOptions, type EventFaults } from '../../../apps/local/event-bus.ts';

interface Event {
  readonly id: number;
  readonly ours: boolean;
}

/** Numbers in [0, 1) from a list, over and over. */
function repeating(numbers: readonly number[]): () => number {
  let index = 0;
  return () => numbers[index++ % numbers.length] ?? 0;
}

const event = (id: number, ours = true): Event => ({ id, ours });

function createRun(options: Partial<EventBusOptions<Event>> = {}) {
  const clock = createClock(0, () => 0);
  const batches: { readonly at: number; readonly events: readonly Event[] }[] = [];
  const { consume = async () => [], ...rest } = options;
  const bus = createEventBus<Event>({
    clock,
    random: () => 0.5,
    matches: ({ ours }) => ours,
    ...rest,
    consume: (events) => {
      batches.push({ at: clock.now() / 1000, events });
      return consume(events);
    },
  });
  return {
    clock,
    bus,
    batches,
    until: (seconds: number) => new Promise<void>((resolve) => clock.at(seconds * 1000, resolve)),
    /** How often each event was received. */
    received: () => {
      const counts = new Map<number, number>();
      for (const { events } of batches)
        for (const { id } of events) counts.set(id, (counts.get(id) ?? 0) + 1);
      return counts;
    },
  };
}

const forEver = 100_000;

describe('the event bus', () => {
  it('takes what its rule matches to the consumer, in batches that it waits for', async () => {
    const run = createRun({ windowSeconds: 5, batchSize: 3 });
    for (const id of [1, 2]) run.bus.publish(event(id));
    run.bus.publish(event(3, false));
    await run.until(4);
    for (const id of [4, 5]) run.bus.publish(event(id));
    expect(run.batches).toEqual([]);
    await run.until(6);
    expect(run.batches).toEqual([
      { at: 5, events: [event(1), event(2), event(4)] },
      { at: 5, events: [event(5)] },
    ]);
  });

  it('brings again what failed, alone, once it is visible again', async () => {
    let fails = 1;
    const run = createRun({
      windowSeconds: 0,
      visibilitySeconds: 30,
      consume: async (events) => events.filter(({ id }) => id === 2 && fails-- > 0),
    });
    for (const id of [1, 2]) run.bus.publish(event(id));
    await run.until(100);
    expect(run.batches).toEqual([
      { at: 0, events: [event(1), event(2)] },
      { at: 30, events: [event(2)] },
    ]);
    expect(run.bus.deadLetters).toEqual([]);
  });

  it('takes a consumer that throws for one that failed its whole batch', async () => {
    let calls = 0;
    const run = createRun({
      consume: async () => {
        if (++calls === 1) throw new Error('out of memory');
        return [];
      },
    });
    for (const id of [1, 2]) run.bus.publish(event(id));
    await run.until(forEver);
    expect(run.received()).toEqual(
      new Map([
        [1, 2],
        [2, 2],
      ]),
    );
  });

  it('puts aside what failed too often', async () => {
    const run = createRun({ maxReceives: 3, consume: async (events) => events.filter(({ id }) => id === 1) });
    for (const id of [1, 2]) run.bus.publish(event(id));
    await run.until(forEver);
    expect(run.received().get(1)).toBe(3);
    expect(run.bus.deadLetters).toEqual([event(1)]);
  });

  it('tells of each copy that reaches the queue', async () => {
    const queued: number[] = [];
    const run = createRun({
      faults: { lose: 0.4, double: 0.6, delaySeconds: 0 },
      // Of each event: whether it is lost, then whether it is doubled.
      random: repeating([0.39, 0.41, 0.59, 0.41, 0.61]),
      onQueued: ({ id }) => queued.push(id),
    });
    for (const id of [1, 2, 3]) run.bus.publish(event(id));
    await run.until(forEver);
    expect(queued).toEqual([2, 2, 3]);
    expect(run.received()).toEqual(
      new Map([
        [2, 2],
        [3, 1],
      ]),
    );
  });

  it('lets late events overtake each other, within the delay', async () => {
    const run = createRun({
      windowSeconds: 0,
      faults: { lose: 0, double: 0, delaySeconds: 60 },
      // Of each event: lost, doubled, how late.
      random: repeating([0.5, 0.5, 0.9, 0.5, 0.5, 0.1]),
    });
    for (const id of [1, 2]) run.bus.publish(event(id));
    await run.until(forEver);
    expect(run.batches).toEqual([
      { at: 6, events: [event(2)] },
      { at: 54, events: [event(1)] },
    ]);
  });

  it('delivers every event that is not lost at least once, or shows it among the dead letters', async () => {
    const faults: fc.Arbitrary<EventFaults> = fc.record({
      lose: fc.constantFrom(0, 0.3),
      double: fc.constantFrom(0, 0.5),
      delaySeconds: fc.constantFrom(0, 90),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          ours: fc.array(fc.boolean(), { maxLength: 40 }),
          faults,
          numbers: fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 1, maxLength: 50 }),
          failures: fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1 }),
          batchSize: fc.integer({ min: 1, max: 10 }),
          maxReceives: fc.integer({ min: 1, max: 4 }),
        }),
        async ({ ours, faults, numbers, failures, batchSize, maxReceives }) => {
          const copies = new Map<number, number>();
          const done = new Map<number, number>();
          const leftToFail = new Map(ours.map((_, id) => [id, failures[id % failures.length] ?? 0]));
          const run = createRun({
            faults,
            batchSize,
            maxReceives,
            random: repeating(numbers),
            onQueued: ({ id }) => copies.set(id, (copies.get(id) ?? 0) + 1),
            consume: async (events) =>
              [...new Set(events)].filter(({ id }) => {
                const left = leftToFail.get(id) ?? 0;
                leftToFail.set(id, left - 1);
                if (left <= 0) done.set(id, (done.get(id) ?? 0) + 1);
                return left > 0;
              }),
          });
          ours.forEach((isOurs, id) => {
            run.bus.publish(event(id, isOurs));
          });
          await run.until(forEver);
          const dead = new Set(run.bus.deadLetters.map(({ id }) => id));
          ours.forEach((isOurs, id) => {
            const reached = copies.get(id) ?? 0;
            const receives = run.received().get(id) ?? 0;
            if (!isOurs) expect(reached).toBe(0);
            if (isOurs && faults.lose === 0) expect(reached).toBeGreaterThan(0);
            expect(reached).toBeLessThanOrEqual(faults.double === 0 ? 1 : 2);
            expect(receives).toBeGreaterThanOrEqual(reached);
            expect(receives).toBeLessThanOrEqual(reached * maxReceives);
            expect(done.has(id) || dead.has(id)).toBe(reached > 0);
          });
          for (const { events } of run.batches) expect(events.length).toBeLessThanOrEqual(batchSize);
        },
      ),
      { numRuns: 60 },
    );
  });
});
