/** Owns an engine in purely virtual time, with functions and objects that a test writes down. */
import { createEngine, type Engine, type EngineOptions } from '../../../../apps/local/asl/engine.ts';
import type { Execution } from '../../../../apps/local/asl/execution.ts';
import { createClock, type LocalClock } from '../../../../apps/local/clock.ts';

export type Handler = (payload: never) => unknown;

export interface Simulation {
  readonly engine: Engine;
  readonly clock: LocalClock;
  /** Objects by `bucket/key`. */
  readonly objects: Map<string, string>;
  readonly calls: { readonly name: string; readonly payload: unknown; readonly at: number }[];
  /** Loads the definition as `m`, with JSONata on top, and starts it. */
  start(definition: object, input?: unknown): Execution;
  /** Runs it to its end. */
  run(definition: object, input?: unknown): Promise<Execution>;
}

export interface SimulationOptions extends Partial<Pick<EngineOptions, 'random' | 'children' | 'observe'>> {
  /** Functions run on no time of this clock: it goes on while they think. */
  readonly elsewhere?: boolean;
}

export const epoch = Date.UTC(2026, 10, 3, 22);

export function simulate(
  handlers: Record<string, Handler> = {},
  { elsewhere, ...options }: SimulationOptions = {},
): Simulation {
  const local = createClock(epoch, () => 0);
  const clock = elsewhere ? { ...local, busy: <T>(work: () => Promise<T>) => work() } : local;
  const objects = new Map<string, string>();
  const calls: { name: string; payload: unknown; at: number }[] = [];
  const engine = createEngine({
    clock,
    random: options.random ?? dice(),
    async invoke(name, payload) {
      calls.push({ name, payload, at: clock.now() });
      const handler = handlers[name];
      if (!handler) throw new Error(`no handler ${name}`);
      return handler(payload as never);
    },
    objects: {
      async get(bucket, key) {
        const body = objects.get(`${bucket}/${key}`);
        if (body === undefined) throw new Error('NoSuchKey');
        return body;
      },
      async put(bucket, key, body) {
        if (bucket === 'locked') throw new Error('AccessDenied');
        objects.set(`${bucket}/${key}`, body);
      },
    },
    ...options,
  });
  const start = (definition: object, input: unknown = {}) => {
    engine.load('m', { QueryLanguage: 'JSONata', ...definition });
    return engine.start('m', undefined, input);
  };
  return {
    engine,
    clock,
    objects,
    calls,
    start,
    async run(definition, input) {
      const execution = start(definition, input);
      await execution.done;
      return execution;
    },
  };
}

/** Repeatable numbers in [0, 1). */
export function dice(seed = 1): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A machine of these states, the first of which is the start. */
export function machine(states: Record<string, object>): { StartAt: string; States: object } {
  return { StartAt: Object.keys(states)[0] ?? '', States: states };
}

export const invoke = (name: string, payload: unknown = {}): object => ({
  Type: 'Task',
  Resource: 'arn:aws:states:::lambda:invoke',
  Arguments: { FunctionName: name, Payload: payload },
});

export const callback = (name: string, more: object = {}): object => ({
  Type: 'Task',
  Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken',
  Arguments: { FunctionName: name, Payload: { token: '{% $states.context.Task.Token %}' } },
  ...more,
});

export const types = (execution: Execution): string[] => execution.history.map(({ type }) => type);
