/** Owns time on the embedded host: real while work is under way, skipped ahead while everything only waits. */
import TinyQueue from 'tinyqueue';

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
  cancelled: boolean;
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
  // A simulation of 100,000 servers keeps that many timers, so the earliest must be cheap to find.
  const timers = new TinyQueue<Timer>([], (a, b) => a.due - b.due || a.order - b.order);
  let skipped = 0;
  let busyCount = 0;
  let order = 0;
  let settling = false;
  let realTimer: NodeJS.Timeout | undefined;

  const now = () => start + skipped + (realNow() - origin);

  const next = (): Timer | undefined => {
    while (timers.peek()?.cancelled) timers.pop();
    return timers.peek();
  };

  const fireDue = () => {
    for (let timer = next(); timer && timer.due <= now(); timer = next()) {
      timers.pop();
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
    timers.pop();
    timer.fire();
    settle();
  };

  return {
    now,
    at(due, fire) {
      const timer: Timer = { due, order: order++, fire, cancelled: false };
      timers.push(timer);
      settle();
      return () => {
        timer.cancelled = true;
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
