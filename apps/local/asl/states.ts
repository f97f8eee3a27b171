/** Owns the walk from state to state, and the states that do no work of their own. */
import { DateTime } from 'luxon';
import type { Block, ChoiceState, FailState, State, WaitState } from './definition.ts';
import { Interrupted, StateFailure } from './errors.ts';
import type { Frame } from './frame.ts';
import { handled } from './handlers.ts';
import type { Json } from './json.ts';
import { runMap } from './map.ts';
import { runParallel } from './parallel.ts';
import { runTask } from './task.ts';
import { type Exit, Visit } from './visit.ts';

/** Runs a block from its first state to the one that ends it, and returns what that one puts out. */
export async function runBlock(frame: Frame, block: Block, input: Json): Promise<Json> {
  let name: string | undefined = block.startAt;
  let value = input;
  while (name !== undefined) {
    frame.line.check();
    const state: State | undefined = block.states.get(name);
    if (!state) throw new Error(`state ${name} is not in its block: the loader let a bad reference through`);
    const exit: Exit = await runState(new Visit(frame, state, value));
    value = exit.output;
    name = exit.next;
  }
  return value;
}

async function runState(visit: Visit): Promise<Exit> {
  const { state, frame } = visit;
  try {
    switch (state.type) {
      case 'Task':
        return await handled(visit, state, () => runTask(visit, state));
      case 'Map':
        return await handled(visit, state, () => runMap(visit, state));
      case 'Parallel':
        return await handled(visit, state, () => runParallel(visit, state));
      case 'Pass':
        return await visit.leave(state, {}, visit.input, state.next);
      case 'Succeed':
        return await visit.leave(state, {}, visit.input, undefined);
      case 'Wait':
        return await wait(visit, state);
      case 'Choice':
        return await choose(visit, state);
      case 'Fail':
        return await fail(visit, state);
    }
  } catch (error) {
    const type = state.type;
    const lasting = type === 'Task' || type === 'Wait' || type === 'Map' || type === 'Parallel';
    if (error instanceof Interrupted && lasting) frame.record(`${type}StateAborted`, { name: state.name });
    throw error;
  }
}

async function wait(visit: Visit, state: WaitState): Promise<Exit> {
  const { frame } = visit;
  if (state.seconds) {
    const seconds = await visit.evaluate(state.seconds);
    await frame.sleepUntil(frame.run.now() + seconds * 1000);
  } else if (state.timestamp) {
    // One that is past already is due at once.
    await frame.sleepUntil(DateTime.fromISO(await visit.evaluate(state.timestamp)).toMillis());
  }
  return visit.leave(state, {}, visit.input, state.next);
}

async function choose(visit: Visit, state: ChoiceState): Promise<Exit> {
  for (const rule of state.choices) {
    if (await visit.evaluate(rule.condition)) return visit.leave(rule, {}, visit.input, rule.next);
  }
  if (state.next === undefined) {
    throw visit.failure('States.NoChoiceMatched', 'No choice rule matched, and there is no Default.');
  }
  return visit.leave(state, {}, visit.input, state.next);
}

async function fail(visit: Visit, state: FailState): Promise<never> {
  const error = state.error ? await visit.evaluate(state.error) : '';
  const cause = state.cause ? await visit.evaluate(state.cause) : '';
  throw new StateFailure(error, cause);
}
