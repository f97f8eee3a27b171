/** Owns time that a test moves by hand: for what must not wait for real seconds, and must not skip them either. */
import { setImmediate as turn } from 'node:timers/promises';
import type { LocalClock } from '../../apps/local/clock.ts';

export interface ManualClock extends LocalClock {
  /** How many pieces of work are under way. */
  readonly busyWith: number;
  /** Moves on, firing what falls due on the way in its order. */
  advance(seconds: number): Promise<void>;
}

export function createManualClock(start: number): ManualClock {
  const timers = new Set<{ readonly due: number; readonly fire: () => void }>();
  let millis = start;
  let busyWith = 0;
  const nextBefore = (end: number) =>
    [...timers].filter(({ due }) => due <= end).toSorted((a, b) => a.due - b.due)[0];
  return {
    now: () => millis,
    at(due, fire) {
      const timer = { due, fire };
      timers.add(timer);
      return () => {
        timers.delete(timer);
      };
    },
    async busy(work) {
      busyWith++;
      try {
        return await work();
      } finally {
        busyWith--;
      }
    },
    get busyWith() {
      return busyWith;
    },
    async advance(seconds) {
      const end = millis + seconds * 1000;
      for (let timer = nextBefore(end); timer; timer = nextBefore(end)) {
        timers.delete(timer);
        millis = Math.max(millis, timer.due);
        timer.fire();
        await turn();
      }
      millis = end;
      await turn();
    },
  };
}
