/** Owns what follows when a Task, Map or Parallel fails: the next attempt, a catcher, or the end. */
import type { MapState, ParallelState, TaskState } from './definition.ts';
import { matchesError, StateFailure } from './errors.ts';
import type { Json } from './json.ts';
import { RetryBudget } from './retry.ts';
import type { Exit, Visit } from './visit.ts';

export async function handled(
  visit: Visit,
  state: TaskState | MapState | ParallelState,
  attempt: () => Promise<Json>,
): Promise<Exit> {
  const { frame } = visit;
  const budget = new RetryBudget(state.retry, frame.run.services.random);
  for (;;) {
    try {
      const result = await attempt();
      return await visit.leave(state, { result }, result, state.next);
    } catch (failure) {
      if (!(failure instanceof StateFailure)) throw failure;
      const seconds = budget.delayFor(failure);
      if (seconds !== undefined) {
        await frame.sleepUntil(frame.run.now() + seconds * 1000);
        visit.retried();
        continue;
      }
      const catcher = state.catch.find(({ errorEquals }) => matchesError(errorEquals, failure));
      if (!catcher) throw failure;
      const errorOutput = { Error: failure.error, Cause: failure.cause };
      return await visit.leave(catcher, { errorOutput }, errorOutput, catcher.next);
    }
  }
}
