/** Owns what both implementations of JSONata are asked: every expression of the definitions, and a corpus. */
import { expressionIn } from '../../../apps/local/asl/expression.ts';
import { isObject, type Json, type JsonObject } from '../../../apps/local/asl/json.ts';
import type { Question } from './evaluators.ts';
import type { Seen, SeenState } from './rehearsal.ts';

/** The expressions of each state, by its name. */
export function expressionsIn(definition: Json): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  const read = (value: Json, state: string): void => {
    if (typeof value === 'string') {
      const expression = expressionIn(value);
      if (expression !== undefined) found.set(state, (found.get(state) ?? new Set()).add(expression));
    } else if (Array.isArray(value)) for (const item of value) read(item, state);
    else if (isObject(value)) {
      for (const [key, item] of Object.entries(value)) {
        const inner = isObject(item) && typeof item.Type === 'string';
        read(item as Json, inner ? key : state);
      }
    }
  };
  read(definition, '');
  return found;
}

const failure = { Error: 'TypeError', Cause: '{"errorType":"TypeError","errorMessage":"no \\"é\\" 🚀"}' };

/** Asks a state's expressions with what it had when it was visited, and with what it might have had. */
export function questionsAbout(definition: JsonObject, seen: readonly Seen[]): Question[] {
  const expressions = expressionsIn(definition);
  const questions = new Map<string, Question>();
  for (const { states } of seen.flatMap(({ runs }) => runs)) {
    let before: JsonObject = {};
    for (const state of states) {
      const real = bindingsOf(state, before);
      for (const bindings of [real, ...variationsOf(real)]) {
        for (const expression of expressions.get(state.name) ?? []) {
          questions.set(JSON.stringify([expression, bindings]), { expression, bindings });
        }
      }
      before = state.variables ?? before;
    }
  }
  return [...questions.values()];
}

function bindingsOf(state: SeenState, before: JsonObject): JsonObject {
  const { input, output = null, variables = before } = state;
  return {
    // What a task has before it assigns is not what it has after: both are asked about.
    ...before,
    ...variables,
    states: {
      input,
      result: { Payload: output, StatusCode: 200 },
      errorOutput: failure,
      context: { Map: { Item: { Index: 0, Value: input } }, Task: { Token: 'token' } },
    },
  };
}

const strange: readonly Json[] = [
  null,
  [],
  [null],
  ['one'],
  '',
  'naïve 漢字 🚀 "quoted"',
  123_456_789_012_345,
  1e21,
  -0.1,
  false,
  {},
];

/** The same with every leaf replaced by one strange thing, and with every second member missing. */
function variationsOf(bindings: JsonObject): JsonObject[] {
  const replaced = strange.map((leaf) => leaves(bindings, () => leaf));
  return [...(replaced as JsonObject[]), thinned(bindings) as JsonObject];
}

function leaves(value: Json, replace: () => Json): Json {
  if (Array.isArray(value)) return value.map((item) => leaves(item, replace));
  if (!isObject(value)) return replace();
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, leaves(item as Json, replace)]));
}

function thinned(value: Json): Json {
  if (Array.isArray(value)) return value.map(thinned);
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter((_entry, index) => index % 2 === 0);
  return Object.fromEntries(kept.map(([key, item]) => [key, thinned(item as Json)]));
}
