/** Owns the way of an event: a rule that matches it, a queue that keeps it, a function that takes it in batches. */
import type { LocalClock } from './clock.ts';

/** What best-effort delivery may do to an event before it reaches the queue; shares in [0, 1]. */
export interface EventFaults {
  readonly lose: number;
  readonly double: number;
  /** Up to this many seconds late, each event on its own, so that they also change places. */
  readonly delaySeconds: number;
}

const noFaults: EventFaults = { lose: 0, double: 0, delaySeconds: 0 };

export interface EventBusOptions<E> {
  readonly clock: LocalClock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly faults?: EventFaults;
  readonly matches: (event: E) => boolean;
  /** @returns the events of the batch that failed: they come again */
  readonly consume: (batch: readonly E[]) => Promise<readonly E[]>;
  readonly onQueued?: (event: E) => void;
  readonly batchSize?: number;
  /** How long the queue waits for a batch to fill. */
  readonly windowSeconds?: number;
  readonly visibilitySeconds?: number;
  readonly maxReceives?: number;
}

export interface EventBus<E> {
  publish(event: E): void;
  /** Events that failed too often. */
  readonly deadLetters: readonly E[];
}

interface Message<E> {
  readonly event: E;
  receives: number;
}

export function createEventBus<E>(options: EventBusOptions<E>): EventBus<E> {
  const { clock, random, matches, consume, onQueued = () => {} } = options;
  const {
    faults = noFaults,
    batchSize = 100,
    windowSeconds = 5,
    visibilitySeconds = 30,
    maxReceives = 10,
  } = options;
  const queue: Message<E>[] = [];
  const deadLetters: E[] = [];
  let isPolling = false;

  const later = (seconds: number, fire: () => void) => clock.at(clock.now() + seconds * 1000, fire);

  const enqueue = (message: Message<E>) => {
    queue.push(message);
    if (isPolling) return;
    isPolling = true;
    later(windowSeconds, () => {
      isPolling = false;
      void clock.busy(poll);
    });
  };

  const poll = async () => {
    while (queue.length > 0) {
      const batch = queue.splice(0, batchSize);
      for (const message of batch) message.receives++;
      const events = batch.map(({ event }) => event);
      // A function that throws has failed all of its batch.
      const failed = new Set(await consume(events).catch(() => events));
      for (const message of batch.filter(({ event }) => failed.has(event))) {
        if (message.receives >= maxReceives) deadLetters.push(message.event);
        else later(visibilitySeconds, () => enqueue(message));
      }
    }
  };

  return {
    deadLetters,
    publish(event) {
      if (!matches(event) || random() < faults.lose) return;
      for (let copies = random() < faults.double ? 2 : 1; copies > 0; copies--) {
        const arrive = () => {
          onQueued(event);
          enqueue({ event, receives: 0 });
        };
        if (faults.delaySeconds > 0) later(random() * faults.delaySeconds, arrive);
        else arrive();
      }
    },
  };
}
