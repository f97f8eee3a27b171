/** Owns what small definitions for both engines are put together from. */
import type { Json, JsonObject } from '../../../apps/local/asl/json.ts';
import type { Answer, Rehearsal } from './rehearsal.ts';

type States = Record<string, JsonObject>;

export function machine(states: States, rest: JsonObject = {}): JsonObject {
  return { QueryLanguage: 'JSONata', StartAt: Object.keys(states)[0] ?? '', States: states, ...rest };
}

export function call(payload: Json, rest: JsonObject): JsonObject {
  return {
    Type: 'Task',
    Resource: 'arn:aws:states:::lambda:invoke',
    Arguments: { FunctionName: 'work', Payload: payload },
    Output: '{% $states.result.Payload %}',
    ...rest,
  };
}

export function callback(payload: JsonObject, rest: JsonObject): JsonObject {
  return {
    Type: 'Task',
    Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken',
    Arguments: {
      FunctionName: 'ask',
      Payload: { ...payload, taskToken: '{% $states.context.Task.Token %}' },
    },
    TimeoutSeconds: 3600,
    ...rest,
  };
}

export const echo = (_name: string, payload: JsonObject): Answer => ({ result: payload });

export function rehearsal(
  states: States,
  input: Json = {},
  answer: Rehearsal['answer'] = echo,
  rest: Partial<Rehearsal> = {},
): Rehearsal {
  return { definition: machine(states), input, answer, dice: { constant: 0.25 }, ...rest };
}

export const failing =
  (times: number, error = 'Broken', message = 'it "broke"\nhere'): Rehearsal['answer'] =>
  (_name, payload, attempt) =>
    attempt <= times ? { error, message } : { result: { ...payload, attempt } };

export const caught = {
  Type: 'Pass',
  Output: { caught: '{% $states.input %}' },
  End: true,
};
export const catchAll: Json = [{ ErrorEquals: ['States.ALL'], Next: 'Caught' }];

export const inlineMap = (processor: States, rest: JsonObject): JsonObject => ({
  Type: 'Map',
  ItemProcessor: {
    ProcessorConfig: { Mode: 'INLINE' },
    StartAt: Object.keys(processor)[0] ?? '',
    States: processor,
  },
  ...rest,
});

export const distributedMap = (processor: States, rest: JsonObject): JsonObject => ({
  Type: 'Map',
  Label: 'Each',
  ItemProcessor: {
    ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
    StartAt: Object.keys(processor)[0] ?? '',
    States: processor,
  },
  ...rest,
});

export const branch = (states: States): JsonObject => ({
  StartAt: Object.keys(states)[0] ?? '',
  States: states,
});
