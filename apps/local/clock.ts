/** Owns time on the embedded host: real while work is under way, skipped ahead while everything only waits. */

/** Undoes what it came from; calling it again does nothing. */
export type Cancel = () => void;

export interface LocalClock {
  /** Epoch milliseconds on this clock. */
  now(): number;
  /** Calls `fire` once, at or after `due` (epoch milliseconds on this clock). */
  at(due: number, fire: () => void): Cancel;
  /** Runs `work`; the clock does not skip ahead until it has settled. Wrap every real I/O in it. */
  busy<T>(work: () => Promise<T>): Promise<T>;
}

interface Timer {
  readonly due: number;
  readonly order: number;
  readonly fire: () => void;
}

/**
 * A campaign lasts weeks and the demonstration must not. A clock that merely ran fast would let a thirty-second
 * package transaction overrun its window, so this one runs at the speed of the real clock while anything is busy
 * and jumps to the next timer when nothing is.
 *
 * @param start epoch milliseconds at which this clock begins
 * @param realNow source of real milliseconds; a constant function gives purely virtual time, for simulations
 */
export function createClock(start: number, realNow: () => number): LocalClock {
  const origin = realNow();
  const timers = new Set<Timer>();
  let skipped = 0;
  let busyCount = 0;
  let order = 0;
  let settling = false;
  let realTimer: NodeJS.Timeout | undefined;

  const now = () => start + skipped + (realNow() - origin);

  const next = (): Timer | undefined => {
    let first: Timer | undefined;
    for (const timer of timers) {
      if (!first || timer.due < first.due || (timer.due === first.due && timer.order < first.order)) first = timer;
    }
    return first;
  };

  const fireDue = () => {
    for (let timer = next(); timer && timer.due <= now(); timer = next()) {
      timers.delete(timer);
      timer.fire();
    }
  };

  const settle = () => {
    if (settling) return;
    settling = true;
    // Two turns of the event loop: whatever the last callback started has then announced itself as busy.
    setImmediate(() =>
      setImmediate(() => {
        settling = false;
        advance();
      }),
    );
  };

  const advance = () => {
    clearTimeout(realTimer);
    const timer = next();
    if (!timer) return;
    if (busyCount > 0) {
      const wait = Math.min(Math.max(timer.due - now(), 0), 2 ** 31 - 1);
      realTimer = setTimeout(() => {
        fireDue();
        settle();
      }, wait);
      realTimer.unref();
      return;
    }
    // One timer at a time: what it wakes may schedule something earlier than the timer after it.
    skipped += Math.max(timer.due - now(), 0);
    timers.delete(timer);
    timer.fire();
    settle();
  };

  return {
    now,
    at(due, fire) {
      const timer: Timer = { due, order: order++, fire };
      timers.add(timer);
      settle();
      return () => {
        timers.delete(timer);
      };
    },
    async busy(work) {
      busyCount++;
      settle();
      try {
        return await work();
      } finally {
        busyCount--;
        settle();
      }
    },
  };
}
