/** Owns the compiled definition: what the schema let through, with its expressions compiled and its references checked. */
import type { z } from 'zod';
import {
  branchSchema,
  type CatcherShape,
  machineSchema,
  processorSchema,
  type RetrierShape,
  type StateShape,
  stateSchema,
} from './definition-schema.ts';
import { DefinitionError } from './errors.ts';
import type { ExpressionWorld } from './expression-functions.ts';
import { isObject, type Json } from './json.ts';
import { substitute } from './substitution.ts';
import { type Compilation, compileTemplate, type Template, typed, type View } from './template.ts';

export interface Typed<T> {
  evaluate(view: View): Promise<T>;
}

export interface Results {
  readonly assign?: Readonly<Record<string, Template>>;
  readonly output?: Template;
}

export interface Catcher extends Results {
  readonly errorEquals: readonly string[];
  readonly next: string;
}

interface Common extends Results {
  readonly name: string;
  /** Undefined where the state ends its block. */
  readonly next?: string;
}

interface Handled extends Common {
  readonly retry: readonly RetrierShape[];
  readonly catch: readonly Catcher[];
}

export interface TaskState extends Handled {
  readonly type: 'Task';
  readonly callback: boolean;
  readonly arguments: Template;
  readonly timeout?: Typed<number>;
  readonly heartbeat?: Typed<number>;
}
export interface PassState extends Common {
  readonly type: 'Pass';
}
export interface WaitState extends Common {
  readonly type: 'Wait';
  readonly seconds?: Typed<number>;
  readonly timestamp?: Typed<string>;
}
export interface ChoiceState extends Common {
  readonly type: 'Choice';
  readonly choices: readonly (Results & { condition: Typed<boolean>; next: string })[];
}
export interface SucceedState extends Common {
  readonly type: 'Succeed';
}
export interface FailState extends Common {
  readonly type: 'Fail';
  readonly error?: Typed<string>;
  readonly cause?: Typed<string>;
}
export interface ParallelState extends Handled {
  readonly type: 'Parallel';
  readonly arguments?: Template;
  readonly branches: readonly Block[];
}
export interface MapState extends Handled {
  readonly type: 'Map';
  readonly processor: Block;
  readonly distributed: boolean;
  readonly label: string;
  readonly items?: Typed<Json[]>;
  readonly reader?: {
    readonly lines: boolean;
    readonly bucket: Typed<string>;
    readonly key: Typed<string>;
    readonly maxItems?: Typed<number>;
  };
  readonly selector?: Template;
  readonly maxConcurrency?: Typed<number>;
  readonly toleratedCount?: Typed<number>;
  readonly toleratedPercentage?: Typed<number>;
  readonly writer?: { readonly bucket: Typed<string>; readonly prefix?: Typed<string> };
}
export type State =
  | TaskState
  | PassState
  | WaitState
  | ChoiceState
  | SucceedState
  | FailState
  | ParallelState
  | MapState;

/** States that run in one scope: the whole machine, a branch, or what a Map does with an item. */
export interface Block {
  readonly startAt: string;
  readonly states: ReadonlyMap<string, State>;
}

export interface Definition extends Block {
  readonly timeoutSeconds?: number;
}

/** Throws a DefinitionError that names everything this engine cannot run, before anything runs. */
export function compileDefinition(
  machine: string,
  source: unknown,
  substitutions: Readonly<Record<string, string>>,
  world: ExpressionWorld,
): Definition {
  const { definition, missing } = substitute(source, substitutions);
  const compiler = new Compiler(world);
  for (const name of missing) compiler.problems.push(`\${${name}} has no substitution`);
  const shape = compiler.check(machineSchema, definition, '');
  const block = shape && compiler.block(shape, '', new Set());
  if (!block || compiler.problems.length > 0) throw new DefinitionError(machine, compiler.problems);
  return {
    ...block,
    ...(shape.TimeoutSeconds === undefined ? {} : { timeoutSeconds: shape.TimeoutSeconds }),
  };
}

const isString = (value: Json): value is string => typeof value === 'string';
const isBoolean = (value: Json): value is boolean => typeof value === 'boolean';
const isArray = (value: Json): value is Json[] => Array.isArray(value);
const wholeFrom =
  (least: number) =>
  (value: Json): value is number =>
    typeof value === 'number' && Number.isInteger(value) && value >= least && value <= 99_999_999;
const isPercentage = (value: Json): value is number =>
  typeof value === 'number' && value >= 0 && value <= 100;
// Upper-case T and Z, as RFC 3339's profile in the language's specification says.
const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
const isTimestamp = (value: Json): value is string => typeof value === 'string' && instant.test(value);

/** The names a workflow variable may have: an identifier of at most 80 characters, and never `states`. */
const variableName = /^[\p{ID_Start}][\p{ID_Continue}]{0,79}$/u;

class Compiler implements Compilation {
  readonly problems: string[] = [];
  readonly world: ExpressionWorld;
  readonly #names = new Set<string>();

  constructor(world: ExpressionWorld) {
    this.world = world;
  }

  check<T extends z.ZodType>(schema: T, value: unknown, owner: string): z.output<T> | undefined {
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    for (const issue of result.error.issues) {
      const place = [owner, issue.path.join('/')].filter(Boolean).join(': ');
      this.problems.push(place ? `${place}: ${issue.message}` : issue.message);
    }
    return undefined;
  }

  /** @param outer the variables that enclosing scopes assign, which this one must not assign again */
  block(
    shape: { StartAt: string; States: Record<string, unknown> },
    owner: string,
    outer: ReadonlySet<string>,
  ): Block {
    const prefix = owner ? `${owner}: ` : '';
    const assigned = new Set([...outer, ...this.#assignedIn(shape.States)]);
    const states = new Map<string, State>();
    for (const [name, value] of Object.entries(shape.States)) {
      if (name.length > 80)
        this.problems.push(`state name ${JSON.stringify(name)} is longer than 80 characters`);
      if (this.#names.has(name)) this.problems.push(`${name}: a state of this name exists already`);
      this.#names.add(name);
      const parsed = this.check(stateSchema, value, name);
      if (!parsed) continue;
      this.#forbidShadowing(name, parsed, outer);
      states.set(name, this.#state(name, parsed, assigned));
    }
    if (!Object.hasOwn(shape.States, shape.StartAt)) {
      this.problems.push(`${prefix}StartAt names ${shape.StartAt}, which is not a state here`);
    }
    for (const [name, value] of Object.entries(shape.States)) {
      for (const next of targetsOf(value)) {
        if (!Object.hasOwn(shape.States, next))
          this.problems.push(`${name}: Next names ${next}, which is not a state here`);
      }
    }
    return { startAt: shape.StartAt, states };
  }

  #assignedIn(states: Record<string, unknown>): string[] {
    return Object.values(states).flatMap((state) =>
      assignsOf(state).flatMap((assign) => Object.keys(assign)),
    );
  }

  #forbidShadowing(name: string, state: StateShape, outer: ReadonlySet<string>): void {
    for (const variable of assignsOf(state).flatMap((assign) => Object.keys(assign))) {
      if (!variableName.test(variable) || variable === 'states') {
        this.problems.push(`${name}: ${JSON.stringify(variable)} cannot be the name of a variable`);
      }
      if (outer.has(variable)) {
        this.problems.push(`${name}: $${variable} belongs to an outer scope and cannot be assigned here`);
      }
    }
  }

  #state(name: string, shape: StateShape, assigned: ReadonlySet<string>): State {
    const results = this.#results(name, shape, '');
    switch (shape.Type) {
      case 'Task':
        return this.#task(name, shape);
      case 'Pass':
        return { type: 'Pass', name, ...results, ...this.#step(name, shape) };
      case 'Wait': {
        if ((shape.Seconds === undefined) === (shape.Timestamp === undefined)) {
          this.problems.push(`${name}: a Wait has either Seconds or Timestamp`);
        }
        return {
          type: 'Wait',
          name,
          ...results,
          ...this.#step(name, shape),
          ...this.#optional(
            'seconds',
            name,
            'Seconds',
            shape.Seconds,
            'a whole number of seconds',
            wholeFrom(0),
          ),
          ...this.#optional(
            'timestamp',
            name,
            'Timestamp',
            shape.Timestamp,
            'an RFC 3339 timestamp',
            isTimestamp,
          ),
        };
      }
      case 'Choice':
        return {
          type: 'Choice',
          name,
          ...results,
          ...(shape.Default === undefined ? {} : { next: shape.Default }),
          choices: shape.Choices.map((rule, index) => ({
            condition: this.#typed(
              name,
              `Choices[${index}]/Condition`,
              rule.Condition,
              'a boolean',
              isBoolean,
            ),
            next: rule.Next,
            ...this.#results(name, rule, `Choices[${index}]/`),
          })),
        };
      case 'Succeed':
        return { type: 'Succeed', name, ...results };
      case 'Fail':
        return {
          type: 'Fail',
          name,
          ...this.#optional('error', name, 'Error', shape.Error, 'a string', isString),
          ...this.#optional('cause', name, 'Cause', shape.Cause, 'a string', isString),
        };
      case 'Parallel':
        return {
          type: 'Parallel',
          name,
          ...this.#handled(name, shape),
          ...(shape.Arguments === undefined
            ? {}
            : { arguments: compileTemplate(shape.Arguments, name, 'Arguments', this) }),
          branches: shape.Branches.flatMap((branch, index) => {
            const parsed = this.check(branchSchema, branch, `${name}: Branches/${index}`);
            return parsed ? [this.block(parsed, name, assigned)] : [];
          }),
        };
      case 'Map':
        return this.#map(name, shape, assigned);
    }
  }

  #task(name: string, shape: Extract<StateShape, { Type: 'Task' }>): TaskState {
    const callback = shape.Resource.endsWith('.waitForTaskToken');
    if (shape.HeartbeatSeconds !== undefined && !callback) {
      this.problems.push(
        `${name}: HeartbeatSeconds needs .waitForTaskToken: an invocation sends no heartbeat`,
      );
    }
    return {
      type: 'Task',
      name,
      ...this.#handled(name, shape),
      callback,
      arguments: compileTemplate(
        {
          FunctionName: shape.Arguments.FunctionName,
          ...(shape.Arguments.Payload === undefined ? {} : { Payload: shape.Arguments.Payload }),
        },
        name,
        'Arguments',
        this,
      ),
      ...this.#optional(
        'timeout',
        name,
        'TimeoutSeconds',
        shape.TimeoutSeconds,
        'a whole number from 1',
        wholeFrom(1),
      ),
      ...this.#optional(
        'heartbeat',
        name,
        'HeartbeatSeconds',
        shape.HeartbeatSeconds,
        'a whole number from 1',
        wholeFrom(1),
      ),
    };
  }

  #map(name: string, shape: Extract<StateShape, { Type: 'Map' }>, assigned: ReadonlySet<string>): MapState {
    const processor = this.check(processorSchema, shape.ItemProcessor, `${name}: ItemProcessor`);
    const distributed = processor?.ProcessorConfig?.Mode === 'DISTRIBUTED';
    const onlyDistributed = [
      'ItemReader',
      'ResultWriter',
      'ToleratedFailureCount',
      'ToleratedFailurePercentage',
      'Label',
    ] as const;
    for (const field of onlyDistributed) {
      if (!distributed && shape[field] !== undefined) {
        this.problems.push(`${name}: ${field} needs an ItemProcessor of mode DISTRIBUTED`);
      }
    }
    if (shape.Items !== undefined && shape.ItemReader)
      this.problems.push(`${name}: Items and ItemReader exclude each other`);
    const reader = shape.ItemReader;
    const writer = shape.ResultWriter;
    return {
      type: 'Map',
      name,
      ...this.#handled(name, shape),
      // A distributed child is an execution of its own: it sees none of the parent's variables, and may reuse their names.
      processor: processor
        ? this.block(processor, name, distributed ? new Set() : assigned)
        : { startAt: '', states: new Map() },
      distributed,
      label: shape.Label ?? name.replace(/[^A-Za-z0-9_-]/g, '').slice(0, 40),
      ...this.#optional('items', name, 'Items', shape.Items, 'an array', isArray),
      ...(reader
        ? {
            reader: {
              lines: reader.ReaderConfig.InputType === 'JSONL',
              bucket: this.#typed(
                name,
                'ItemReader/Arguments/Bucket',
                reader.Arguments.Bucket,
                'a string',
                isString,
              ),
              key: this.#typed(name, 'ItemReader/Arguments/Key', reader.Arguments.Key, 'a string', isString),
              ...this.#optional(
                'maxItems',
                name,
                'ItemReader/ReaderConfig/MaxItems',
                reader.ReaderConfig.MaxItems,
                'a whole number from 1',
                wholeFrom(1),
              ),
            },
          }
        : {}),
      ...(shape.ItemSelector === undefined
        ? {}
        : { selector: compileTemplate(shape.ItemSelector, name, 'ItemSelector', this) }),
      ...this.#optional(
        'maxConcurrency',
        name,
        'MaxConcurrency',
        shape.MaxConcurrency,
        'a whole number from 0',
        wholeFrom(0),
      ),
      ...this.#optional(
        'toleratedCount',
        name,
        'ToleratedFailureCount',
        shape.ToleratedFailureCount,
        'a whole number from 0',
        wholeFrom(0),
      ),
      ...this.#optional(
        'toleratedPercentage',
        name,
        'ToleratedFailurePercentage',
        shape.ToleratedFailurePercentage,
        'a number from 0 to 100',
        isPercentage,
      ),
      ...(writer
        ? {
            writer: {
              bucket: this.#typed(
                name,
                'ResultWriter/Arguments/Bucket',
                writer.Arguments.Bucket,
                'a string',
                isString,
              ),
              ...this.#optional(
                'prefix',
                name,
                'ResultWriter/Arguments/Prefix',
                writer.Arguments.Prefix,
                'a string',
                isString,
              ),
            },
          }
        : {}),
    };
  }

  #handled(
    name: string,
    shape: Extract<StateShape, { Type: 'Task' | 'Map' | 'Parallel' }>,
  ): Omit<Handled, 'name'> {
    for (const [index, retrier] of (shape.Retry ?? []).entries()) {
      if (
        retrier.MaxDelaySeconds !== undefined &&
        retrier.MaxDelaySeconds <= (retrier.IntervalSeconds ?? 1)
      ) {
        this.problems.push(`${name}: Retry/${index}: MaxDelaySeconds must be greater than IntervalSeconds`);
      }
    }
    return {
      ...this.#results(name, shape, ''),
      ...this.#step(name, shape),
      retry: shape.Retry ?? [],
      catch: (shape.Catch ?? []).map((catcher: CatcherShape, index) => ({
        errorEquals: catcher.ErrorEquals,
        next: catcher.Next,
        ...this.#results(name, catcher, `Catch[${index}]/`),
      })),
    };
  }

  #step(name: string, shape: { Next?: string | undefined; End?: true | undefined }): { next?: string } {
    if ((shape.Next === undefined) === (shape.End === undefined)) {
      this.problems.push(`${name}: must have either Next or End`);
    }
    return shape.Next === undefined ? {} : { next: shape.Next };
  }

  #results(name: string, shape: object, prefix: string): Results {
    const assign =
      'Assign' in shape && isObject(shape.Assign) ? (shape.Assign as Record<string, Json>) : undefined;
    const output = 'Output' in shape ? (shape.Output as Json | undefined) : undefined;
    return {
      ...(assign
        ? {
            assign: Object.fromEntries(
              Object.entries(assign).map(([key, value]) => [
                key,
                compileTemplate(value, name, `${prefix}Assign/${key}`, this),
              ]),
            ),
          }
        : {}),
      ...(output === undefined ? {} : { output: compileTemplate(output, name, `${prefix}Output`, this) }),
    };
  }

  #typed<T extends Json>(
    name: string,
    location: string,
    value: Json,
    expected: string,
    is: (value: Json) => value is T,
  ): Typed<T> {
    return typed(compileTemplate(value, name, location, this), location, expected, is);
  }

  #optional<K extends string, T extends Json>(
    key: K,
    name: string,
    location: string,
    value: Json | undefined,
    expected: string,
    is: (value: Json) => value is T,
  ): { [P in K]?: Typed<T> } {
    if (value === undefined) return {};
    return { [key]: this.#typed(name, location, value, expected, is) } as { [P in K]: Typed<T> };
  }
}

/** Every state that `state` may go to, read from its raw form so that a state with other faults still counts. */
export function targetsOf(state: unknown): string[] {
  if (!isObject(state)) return [];
  const places = [state, ...listOf(state.Choices), ...listOf(state.Catch)];
  return [...places.map((place) => place.Next), state.Default].filter((next) => typeof next === 'string');
}

function assignsOf(state: unknown): Record<string, unknown>[] {
  if (!isObject(state)) return [];
  const places = [state, ...listOf(state.Choices), ...listOf(state.Catch)];
  return places.map((place) => place.Assign).filter(isObject);
}

function listOf(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}
