/** Owns the pace of calls: a bucket that fills at a steady rate, and callers who wait their turn in order. */

export interface Pace {
  readonly perSecond: number;
  /** Calls that may go at once after a pause. */
  readonly burst: number;
  /** Milliseconds that never go back. */
  readonly stopwatch: () => number;
  readonly wait: (millis: number) => Promise<void>;
}

/** @returns takes one token, when there is one */
export function createTokenBucket({ perSecond, burst, stopwatch, wait }: Pace): () => Promise<void> {
  let tokens = burst;
  let filledAt = stopwatch();
  return async () => {
    const now = stopwatch();
    tokens = Math.min(burst, tokens + ((now - filledAt) / 1000) * perSecond);
    filledAt = now;
    // May go below nothing: each debt is a place in the queue.
    tokens -= 1;
    if (tokens < 0) await wait((-tokens / perSecond) * 1000);
  };
}
