import { setTimeout as realSleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createClock } from '../../../apps/local/clock.ts';

const virtual = () => createClock(1_000, () => 0);
const turns = () => realSleep(20);

describe('the embedded clock', () => {
  it('jumps over days when nothing is busy', async () => {
    const clock = virtual();
    let fired = 0;
    clock.at(1_000 + 7 * 86_400_000, () => {
      fired = clock.now();
    });
    await turns();
    expect(fired).toBe(1_000 + 7 * 86_400_000);
  });

  it('does not jump while work is under way', async () => {
    const clock = virtual();
    let fired = false;
    let finish = () => {};
    const work = clock.busy(() => new Promise<void>((resolve) => (finish = resolve)));
    clock.at(5_000, () => {
      fired = true;
    });
    await turns();
    expect(fired).toBe(false);
    expect(clock.now()).toBe(1_000);
    finish();
    await work;
    await turns();
    expect(fired).toBe(true);
  });

  it('lets real time pass while work is under way', async () => {
    const clock = createClock(0, () => performance.now());
    let fired = false;
    await clock.busy(async () => {
      clock.at(clock.now() + 20, () => {
        fired = true;
      });
      await realSleep(120);
    });
    expect(fired).toBe(true);
    expect(clock.now()).toBeGreaterThanOrEqual(100);
  });

  it('never fires what was cancelled', async () => {
    const clock = virtual();
    let fired = false;
    const cancel = clock.at(2_000, () => {
      fired = true;
    });
    cancel();
    await turns();
    expect(fired).toBe(false);
  });

  it('fires in the order of due times, and of calls where they are equal', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 30 }), async (delays) => {
        const clock = virtual();
        const fired: { due: number; index: number; now: number }[] = [];
        const done = new Promise<void>((resolve) => {
          delays.forEach((delay, index) => {
            clock.at(1_000 + delay, () => fired.push({ due: 1_000 + delay, index, now: clock.now() }));
          });
          clock.at(10_000, resolve);
        });
        await done;
        expect(fired).toEqual(
          fired
            .toSorted((a, b) => a.due - b.due || a.index - b.index)
            .map((entry) => ({ ...entry, now: entry.due })),
        );
        expect(fired).toHaveLength(delays.length);
      }),
      { numRuns: 30 },
    );
  });
});
