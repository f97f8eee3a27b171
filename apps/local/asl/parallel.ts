/** Owns Parallel states, and the rule they share with inline Maps: the first failure ends the siblings. */
import type { ParallelState } from './definition.ts';
import { StateFailure } from './errors.ts';
import { Frame } from './frame.ts';
import type { Json } from './json.ts';
import type { Lifeline } from './lifeline.ts';
import { VariableScope, withinLimit } from './scope.ts';
import { runBlock } from './states.ts';
import type { Visit } from './visit.ts';

export async function runParallel(visit: Visit, state: ParallelState): Promise<Json> {
  const { frame } = visit;
  const input = state.arguments
    ? withinLimit('arguments of the branches', await visit.evaluate(state.arguments))
    : visit.input;
  const started = visit.record('ParallelStateStarted');
  const line = frame.line.fork();
  try {
    const outputs = await allOrFirstFailure(
      line,
      state.branches.map((branch) => async () => {
        const own = new Frame(frame.run, new VariableScope(frame.scope), line, started, frame.item);
        try {
          return await runBlock(own, branch, input);
        } finally {
          own.scope.close();
          frame.previous = own.previous;
        }
      }),
      state.branches.length,
    );
    visit.record('ParallelStateSucceeded');
    return outputs;
  } catch (failure) {
    if (failure instanceof StateFailure) {
      const { error, cause } = failure;
      visit.record('ParallelStateFailed', { error, ...(cause ? { cause } : {}) });
    }
    throw failure;
  } finally {
    line.end();
  }
}

/**
 * Runs `works` in order, at most `limit` at once, and returns their outputs in order. The first that fails ends
 * `line`; its failure is thrown once the others have stopped, so that their last events come before what follows.
 */
export async function allOrFirstFailure(
  line: Lifeline,
  works: readonly (() => Promise<Json>)[],
  limit: number,
): Promise<Json[]> {
  const outputs: Json[] = new Array(works.length).fill(null);
  const failures: unknown[] = [];
  let next = 0;
  const worker = async () => {
    while (next < works.length && !line.ended) {
      const index = next++;
      try {
        outputs[index] = (await works[index]?.()) ?? null;
      } catch (failure) {
        failures.push(failure);
        line.end();
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, works.length) }, worker));
  // The others only stopped because of the first.
  if (failures.length > 0) throw failures[0];
  line.check();
  return outputs;
}
