/**
 * Owns random small machines within what both engines run alike: no Output that reads what its state assigns
 * (differences.ts), and no failure beside a running sibling, where it is chance how far the sibling came.
 */
import fc from 'fast-check';
import type { Json, JsonObject } from '../../../apps/local/asl/json.ts';
import type { Answer, Rehearsal } from './rehearsal.ts';

/** How a function behaves is its name; every attempt is told apart by its payload. */
const behaviours: Readonly<Record<string, (payload: JsonObject, attempt: number) => Answer>> = {
  works: (payload) => ({ result: payload }),
  'works third': (payload, attempt) =>
    attempt % 3 === 0 ? { result: payload } : { error: 'Broken', message: `"${attempt}"` },
  breaks: () => ({ error: 'Broken', message: 'for good' }),
  refuses: () => ({ error: 'Lambda.ServiceException', message: 'busy' }),
  hangs: () => ({ silent: true }),
};
const callbacks: typeof behaviours = {
  answers: (payload) => ({ success: payload }),
  'answers second': (payload, attempt) =>
    attempt % 2 === 0 ? { success: payload } : { failure: 'Refused', cause: 'a "cause"\n' },
  'fails first': () => ({ error: 'Broken', message: 'before it asked' }),
  'hears nothing': () => ({ silent: true }),
};

const errors = ['Broken', 'Refused', 'States.Timeout', 'States.TaskFailed', 'Lambda.ServiceException'];

/** Without escapes in strings and negative whole numbers, which moto alters in literals (differences.ts). */
const value: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(null, true, 0, -1.5, 1e9, '', 'plain', [], {}),
  fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 3 }),
  fc.record({ a: fc.integer({ min: 0, max: 9 }), b: fc.constantFrom<Json>(null, 'x', [1]) }),
);

/** Draws of one machine, made into a machine by a reader that knows what is in scope. */
class Writer {
  readonly #pick: <T>(from: fc.Arbitrary<T>) => T;
  #named = 0;
  concurrent = false;

  constructor(pick: <T>(from: fc.Arbitrary<T>) => T) {
    this.#pick = pick;
  }

  machine(): JsonObject {
    const assigned = { v0: this.#pick(value), v1: this.#pick(value), v2: 0 };
    const rest = this.block(['v0', 'v1', 'v2'], [], 0, this.#pick(fc.integer({ min: 1, max: 6 })));
    const begin = { Type: 'Pass', Assign: assigned, Next: rest.StartAt } as JsonObject;
    return {
      QueryLanguage: 'JSONata',
      StartAt: 'Begin',
      States: { Begin: begin, ...(rest.States as JsonObject) },
    };
  }

  /**
   * @param own variables that this block may assign
   * @param outer those that it may only read
   */
  block(own: string[], outer: string[], depth: number, length: number): JsonObject {
    const names = Array.from({ length }, () => `S${this.#named++}`);
    const end = `S${this.#named++}`;
    const states: JsonObject = {};
    for (const [index, name] of names.entries()) {
      const later = [...names.slice(index + 1), end];
      states[name] = this.#state(name, own, outer, later, depth);
    }
    states[end] = this.#last(own, outer, depth);
    return { StartAt: names[0] ?? end, States: states };
  }

  #state(name: string, own: string[], outer: string[], later: string[], depth: number): JsonObject {
    const Next = later[0] as string;
    const kinds = ['Pass', 'Wait', 'Choice', 'Task', 'Callback', ...(depth < 2 ? ['Parallel', 'Map'] : [])];
    const kind = this.#pick(fc.constantFrom(...kinds));
    switch (kind) {
      case 'Wait':
        return {
          Type: 'Wait',
          Seconds: this.#pick(fc.integer({ min: 0, max: 9999 })),
          ...this.#results(own, outer),
          Next,
        };
      case 'Choice':
        return this.#choice(own, outer, later);
      case 'Task':
      case 'Callback':
        return this.#task(name, kind === 'Callback', own, outer, later, depth);
      case 'Parallel':
        this.concurrent = true;
        return {
          Type: 'Parallel',
          Branches: [1, 2].map(() => this.#inner([...own, ...outer], depth)),
          ...this.#results(own, outer, '$states.result'),
          Next,
        };
      case 'Map':
        this.concurrent = true;
        return {
          Type: 'Map',
          Items: [10, 20, 30].slice(0, this.#pick(fc.integer({ min: 0, max: 3 }))),
          ItemSelector: {
            at: '{% $states.context.Map.Item.Index %}',
            v: '{% $states.context.Map.Item.Value %}',
          },
          MaxConcurrency: this.#pick(fc.integer({ min: 0, max: 2 })),
          ItemProcessor: { ProcessorConfig: { Mode: 'INLINE' }, ...this.#inner([...own, ...outer], depth) },
          ...this.#results(own, outer, '$states.result'),
          Next,
        };
      default:
        return { Type: 'Pass', ...this.#results(own, outer), Next };
    }
  }

  /** Begins by remembering where it is, so that equal functions in equal iterations are told apart. */
  #inner(outer: string[], depth: number): JsonObject {
    const first = `S${this.#named++}`;
    const own = [`at${first}`, `w${first}`];
    const rest = this.block(own, outer, depth + 1, this.#pick(fc.integer({ min: 1, max: 3 })));
    const begin = {
      Type: 'Pass',
      Assign: { [`at${first}`]: '{% [$states.input] %}', [`w${first}`]: 0 },
      Next: rest.StartAt,
    } as JsonObject;
    return { StartAt: first, States: { [first]: begin, ...(rest.States as JsonObject) } };
  }

  #choice(own: string[], outer: string[], later: string[]): JsonObject {
    const [Default, ...others] = later;
    // A rule and Default that go to the same state are one to moto (differences.ts).
    const rules = others.slice(0, 2).map((Next) => ({
      Condition: this.#pick(
        fc.constantFrom(
          '{% $exists($states.input.a) %}',
          '{% $count($v0) > 1 %}',
          '{% $v2 = 0 %}',
          '{% false %}',
        ),
      ),
      Next,
      ...this.#results(own, outer),
    }));
    if (rules.length === 0) return { Type: 'Pass', Next: Default as string };
    return { Type: 'Choice', Choices: rules, Default: Default as string, ...this.#results(own, outer) };
  }

  #task(
    name: string,
    callback: boolean,
    own: string[],
    outer: string[],
    later: string[],
    depth: number,
  ): JsonObject {
    const behaviour = this.#pick(fc.constantFrom(...Object.keys(callback ? callbacks : behaviours)));
    const where = Object.fromEntries(
      [...own, ...outer]
        .filter((variable) => variable.startsWith('at'))
        .map((variable) => [variable, `{% $${variable} %}`]),
    );
    const retriers = this.#pick(fc.array(fc.constantFrom(...errors), { maxLength: 2 }));
    const catches = this.#pick(fc.array(fc.constantFrom(...errors), { maxLength: 1 }));
    // What fails within a branch ends its siblings somewhere: so there everything is caught.
    if (depth > 0) catches.push('States.ALL');
    return {
      Type: 'Task',
      Resource: `arn:aws:states:::lambda:invoke${callback ? '.waitForTaskToken' : ''}`,
      Arguments: {
        FunctionName: behaviour,
        Payload: {
          name,
          ...where,
          x: this.#expression([...own, ...outer]),
          ...(callback ? { taskToken: '{% $states.context.Task.Token %}' } : {}),
        },
      },
      TimeoutSeconds: 600,
      Retry: [...new Set(retriers)].map((error) => ({
        ErrorEquals: [error],
        IntervalSeconds: this.#pick(fc.integer({ min: 1, max: 5 })),
        BackoffRate: this.#pick(fc.constantFrom(1, 1.5, 2)),
        MaxAttempts: this.#pick(fc.integer({ min: 0, max: 3 })),
        MaxDelaySeconds: this.#pick(fc.integer({ min: 6, max: 20 })),
        JitterStrategy: this.#pick(fc.constantFrom('FULL', 'NONE')),
      })),
      Catch: catches.map((error) => ({
        ErrorEquals: [error],
        ...this.#results(own, outer, '$states.errorOutput'),
        Next: this.#pick(fc.constantFrom(...later)),
      })),
      ...this.#results(own, outer, callback ? '$states.result' : '$states.result.Payload', true),
      Next: later[0] as string,
    };
  }

  #last(own: string[], outer: string[], depth: number): JsonObject {
    const kinds = depth === 0 ? ['Succeed', 'Pass', 'Fail', 'Nothing'] : ['Succeed', 'Pass'];
    switch (this.#pick(fc.constantFrom(...kinds))) {
      case 'Succeed':
        return { Type: 'Succeed', Output: [this.#expression([...own, ...outer])] };
      case 'Fail':
        return { Type: 'Fail', Error: "{% 'E' & $string($v2) %}", Cause: '{% $string($states.input) %}' };
      case 'Nothing':
        return { Type: 'Pass', Output: '{% $states.input.nothing.at.all %}', End: true };
      default:
        return { Type: 'Pass', Output: [this.#expression([...own, ...outer])], End: true };
    }
  }

  /** @param always an Output even where the dice want none: what a task puts out by itself has HTTP around it */
  #results(own: string[], outer: string[], result = '$states.input', always = false): JsonObject {
    const target = this.#pick(
      fc.option(fc.constantFrom(...own.filter((name) => !name.startsWith('at'))), { nil: undefined }),
    );
    const readable = [...own, ...outer].filter((name) => name !== target);
    const output = always || this.#pick(fc.boolean());
    return {
      ...(target === undefined ? {} : { Assign: { [target]: this.#expression([...own, ...outer], result) } }),
      ...(output ? { Output: { r: `{% ${result} %}`, x: this.#expression(readable) } } : {}),
    };
  }

  #expression(variables: string[], result = '$states.input'): string {
    const variable = this.#pick(fc.constantFrom(...variables.map((name) => `$${name}`), result));
    const form = this.#pick(
      fc.constantFrom(
        (x: string) => x,
        (x: string) => `[${x}]`,
        (x: string) => `{"k": ${x}, "t": $type(${x})}`,
        (x: string) => `$string(${x})`,
        (x: string) => `$count(${x} ~> $string)`,
        (x: string) => `$exists(${x}.a) ? ${x}.a : 'none'`,
        (x: string) => `$length($string(${x})) + $floor($random() * 100)`,
        (x: string) => `$substring($string(${x}), 0, 7) & '~'`,
      ),
    );
    return `{% ${form(variable)} %}`;
  }
}

export const generated: fc.Arbitrary<Rehearsal> = fc
  .record({ gen: fc.gen(), input: value, seed: fc.integer({ min: 0, max: 2 ** 31 }) })
  .map(({ gen, input, seed }) => {
    const writer = new Writer((from) => gen(() => from));
    const definition = writer.machine();
    return {
      definition,
      input,
      dice: writer.concurrent ? { constant: 65 / 256 } : { seed },
      answer: (name: string, payload: JsonObject, attempt: number) =>
        (behaviours[name] ?? callbacks[name] ?? (() => ({ silent: true }) as Answer))(payload, attempt),
    };
  });
