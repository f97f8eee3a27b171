/** Owns Map states: their items, what each item becomes, and inline iterations. */
import type { MapState } from './definition.ts';
import { runDistributed } from './distributed-map.ts';
import { EvaluationFailure, Interrupted, StateFailure } from './errors.ts';
import { Frame } from './frame.ts';
import { readItems } from './item-reader.ts';
import type { Json } from './json.ts';
import { allOrFirstFailure } from './parallel.ts';
import { VariableScope, withinLimit } from './scope.ts';
import { runBlock } from './states.ts';
import type { Visit } from './visit.ts';

/** Inline iterations that the service runs at once, whatever MaxConcurrency says. */
const inlineLimit = 40;

export async function runMap(visit: Visit, state: MapState): Promise<Json> {
  const items = state.reader ? await readItems(visit, state.reader) : await itemsOf(visit, state);
  const concurrency = state.maxConcurrency ? await visit.evaluate(state.maxConcurrency) : 0;
  visit.record('MapStateStarted', { length: items.length });
  try {
    const inputs = await selectInputs(visit, state, items);
    const result = state.distributed
      ? await runDistributed(visit, state, inputs, concurrency)
      : await runInline(visit, state, items, inputs, concurrency);
    visit.record('MapStateSucceeded');
    return result;
  } catch (failure) {
    if (failure instanceof StateFailure) {
      const { error, cause } = failure;
      visit.record('MapStateFailed', { error, ...(cause ? { cause } : {}) });
    }
    throw failure;
  }
}

async function itemsOf(visit: Visit, state: MapState): Promise<Json[]> {
  if (state.items) return visit.evaluate(state.items);
  if (Array.isArray(visit.input)) return visit.input;
  return visit.evaluate({
    async evaluate() {
      throw new EvaluationFailure('Items', 'The input of a Map without Items must be an array.');
    },
  });
}

async function selectInputs(visit: Visit, state: MapState, items: readonly Json[]): Promise<Json[]> {
  const { selector } = state;
  const inputs: Json[] = [];
  for (const [Index, Value] of items.entries()) {
    const input = selector ? await visit.evaluate(selector, { item: { Index, Value } }) : Value;
    inputs.push(withinLimit('input of an item', input));
  }
  return inputs;
}

async function runInline(
  visit: Visit,
  state: MapState,
  items: readonly Json[],
  inputs: readonly Json[],
  concurrency: number,
): Promise<Json> {
  const { frame } = visit;
  const started = frame.previous;
  const line = frame.line.fork();
  const works = inputs.map((input, index) => async () => {
    const item = { Index: index, Value: items[index] ?? null };
    const own = new Frame(frame.run, new VariableScope(frame.scope), line, started, item);
    const about = { name: state.name, index };
    own.record('MapIterationStarted', about);
    try {
      const output = await runBlock(own, state.processor, input);
      own.record('MapIterationSucceeded', about);
      return output;
    } catch (failure) {
      if (failure instanceof StateFailure) own.record('MapIterationFailed', about);
      else if (failure instanceof Interrupted) own.record('MapIterationAborted', about);
      throw failure;
    } finally {
      own.scope.close();
      frame.previous = own.previous;
    }
  });
  try {
    return await allOrFirstFailure(line, works, Math.min(concurrency || inlineLimit, inlineLimit));
  } finally {
    line.end();
  }
}
