/** Owns the decision to try again: which retrier answers for an error, how often, and after how long. */
import type { RetrierShape } from './definition-schema.ts';
import { matchesError, type StateFailure } from './errors.ts';

/** Counts attempts per retrier while one state is being executed. */
export class RetryBudget {
  readonly #retriers: readonly RetrierShape[];
  readonly #used = new Map<RetrierShape, number>();
  readonly #random: () => number;

  constructor(retriers: readonly RetrierShape[], random: () => number) {
    this.#retriers = retriers;
    this.#random = random;
  }

  /**
   * The seconds to wait before the next attempt, or undefined where the error goes to the catchers. The first
   * retrier that names the error answers for it; one that is used up does not hand over to a later one.
   */
  delayFor(failure: StateFailure): number | undefined {
    const retrier = this.#retriers.find(({ ErrorEquals }) => matchesError(ErrorEquals, failure));
    if (!retrier) return undefined;
    const used = this.#used.get(retrier) ?? 0;
    if (used >= (retrier.MaxAttempts ?? 3)) return undefined;
    this.#used.set(retrier, used + 1);
    const grown = (retrier.IntervalSeconds ?? 1) * (retrier.BackoffRate ?? 2) ** used;
    const delay = Math.min(grown, retrier.MaxDelaySeconds ?? Number.POSITIVE_INFINITY);
    return retrier.JitterStrategy === 'FULL' ? delay * this.#random() : delay;
  }
}
