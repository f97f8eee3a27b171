/** Owns the loading of a definition: everything that cannot run is found here, and nothing of it later. */
import type { Block, Definition, State } from './definition.ts';
import { branchSchema, machineSchema, type StateShape, stateSchema } from './definition-schema.ts';
import { DefinitionError } from './errors.ts';
import type { ExpressionWorld } from './expression-functions.ts';
import { assignedBy, FieldCompiler, targetsOf, text, timestamp, truth, wholeFrom } from './field-compiler.ts';
import { compileMap } from './map-compiler.ts';
import { substitute } from './substitution.ts';

/** Throws a DefinitionError that names everything this engine cannot run, before anything runs. */
export function compileDefinition(
  machine: string,
  source: unknown,
  substitutions: Readonly<Record<string, string>>,
  world: ExpressionWorld,
): Definition {
  const { definition, missing } = substitute(source, substitutions);
  const fields = new FieldCompiler(world);
  for (const name of missing) fields.problems.push(`\${${name}} has no substitution`);
  const shape = fields.check(machineSchema, definition, '');
  const block = shape && new BlockCompiler(fields).block(shape, '', new Set());
  if (!block || fields.problems.length > 0) throw new DefinitionError(machine, fields.problems);
  return {
    ...block,
    ...(shape.TimeoutSeconds === undefined ? {} : { timeoutSeconds: shape.TimeoutSeconds }),
  };
}

/** The names a workflow variable may have: an identifier of at most 80 characters, and never `states`. */
const variableName = /^\p{ID_Start}\p{ID_Continue}{0,79}$/u;

interface BlockShape {
  readonly StartAt: string;
  readonly States: Record<string, unknown>;
}

class BlockCompiler {
  readonly #fields: FieldCompiler;
  /** State names are unique in the whole machine, not only in their block. */
  readonly #names = new Set<string>();

  constructor(fields: FieldCompiler) {
    this.#fields = fields;
  }

  /** @param outer the variables that enclosing scopes assign, which this one must not assign again */
  block(shape: BlockShape, owner: string, outer: ReadonlySet<string>): Block {
    const { problems } = this.#fields;
    const inside = (name: string) => Object.hasOwn(shape.States, name);
    const assigned = new Set([...outer, ...Object.values(shape.States).flatMap(assignedBy)]);
    const states = new Map<string, State>();
    for (const [name, value] of Object.entries(shape.States)) {
      this.#checkName(name);
      for (const variable of assignedBy(value)) this.#checkVariable(name, variable, outer);
      for (const next of targetsOf(value)) {
        if (!inside(next)) problems.push(`${name}: Next names ${next}, which is not a state beside it`);
      }
      const parsed = this.#fields.check(stateSchema, value, name);
      if (parsed) states.set(name, this.#state(name, parsed, assigned));
    }
    if (!inside(shape.StartAt)) {
      problems.push(`${owner ? `${owner}: ` : ''}StartAt names ${shape.StartAt}, which is not a state here`);
    }
    return { startAt: shape.StartAt, states };
  }

  #checkName(name: string): void {
    if (name.length > 80) {
      this.#fields.problems.push(`state name ${JSON.stringify(name)} is longer than 80 characters`);
    }
    if (this.#names.has(name)) this.#fields.problems.push(`${name}: there is another state of this name`);
    this.#names.add(name);
  }

  #checkVariable(state: string, variable: string, outer: ReadonlySet<string>): void {
    if (!variableName.test(variable) || variable === 'states') {
      this.#fields.problems.push(`${state}: ${JSON.stringify(variable)} cannot be the name of a variable`);
    }
    if (outer.has(variable)) {
      this.#fields.problems.push(
        `${state}: $${variable} belongs to an outer scope and cannot be assigned here`,
      );
    }
  }

  #state(name: string, shape: StateShape, assigned: ReadonlySet<string>): State {
    const fields = this.#fields;
    switch (shape.Type) {
      case 'Task':
        return this.#task(name, shape);
      case 'Pass':
        return { type: 'Pass', name, ...fields.results(name, shape, ''), ...fields.step(name, shape) };
      case 'Wait':
        return this.#wait(name, shape);
      case 'Choice':
        return {
          type: 'Choice',
          name,
          ...fields.results(name, shape, ''),
          ...(shape.Default === undefined ? {} : { next: shape.Default }),
          choices: shape.Choices.map((rule, index) => ({
            condition: fields.required(name, `Choices[${index}]/Condition`, rule.Condition, truth),
            next: rule.Next,
            ...fields.results(name, rule, `Choices[${index}]/`),
          })),
        };
      case 'Succeed':
        return { type: 'Succeed', name, ...fields.results(name, shape, '') };
      case 'Fail':
        return {
          type: 'Fail',
          name,
          ...fields.optional('error', name, 'Error', shape.Error, text),
          ...fields.optional('cause', name, 'Cause', shape.Cause, text),
        };
      case 'Parallel':
        return {
          type: 'Parallel',
          name,
          ...fields.handled(name, shape),
          ...(shape.Arguments === undefined
            ? {}
            : { arguments: fields.template(name, 'Arguments', shape.Arguments) }),
          branches: shape.Branches.flatMap((branch, index) => {
            const parsed = fields.check(branchSchema, branch, `${name}: Branches[${index}]`);
            return parsed ? [this.block(parsed, name, assigned)] : [];
          }),
        };
      case 'Map':
        // A distributed child sees none of its parent's variables, and so may use their names again.
        return compileMap(fields, name, shape, (states, distributed) =>
          this.block(states, name, distributed ? new Set() : assigned),
        );
    }
  }

  #wait(name: string, shape: Extract<StateShape, { Type: 'Wait' }>): State {
    const fields = this.#fields;
    if ((shape.Seconds === undefined) === (shape.Timestamp === undefined)) {
      fields.problems.push(`${name}: a Wait has either Seconds or Timestamp`);
    }
    return {
      type: 'Wait',
      name,
      ...fields.results(name, shape, ''),
      ...fields.step(name, shape),
      ...fields.optional('seconds', name, 'Seconds', shape.Seconds, wholeFrom(0)),
      ...fields.optional('timestamp', name, 'Timestamp', shape.Timestamp, timestamp),
    };
  }

  #task(name: string, shape: Extract<StateShape, { Type: 'Task' }>): State {
    const fields = this.#fields;
    const callback = shape.Resource.endsWith('.waitForTaskToken');
    if (shape.HeartbeatSeconds !== undefined && !callback) {
      fields.problems.push(
        `${name}: HeartbeatSeconds needs .waitForTaskToken: an invocation sends no heartbeat`,
      );
    }
    const { HeartbeatSeconds: beat, TimeoutSeconds: limit } = shape;
    if (typeof beat === 'number' && typeof limit === 'number' && beat >= limit) {
      fields.problems.push(`${name}: HeartbeatSeconds must be smaller than TimeoutSeconds`);
    }
    const { FunctionName, Payload } = shape.Arguments;
    return {
      type: 'Task',
      name,
      ...fields.handled(name, shape),
      callback,
      arguments: fields.template(name, 'Arguments', {
        FunctionName,
        ...(Payload === undefined ? {} : { Payload }),
      }),
      ...fields.optional('timeout', name, 'TimeoutSeconds', shape.TimeoutSeconds, wholeFrom(1)),
      ...fields.optional('heartbeat', name, 'HeartbeatSeconds', shape.HeartbeatSeconds, wholeFrom(1)),
    };
  }
}
