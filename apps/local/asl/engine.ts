/** Owns the Step Functions of the embedded host: loaded machines, their executions, and the callback API. */
import type { LocalClock } from '../clock.ts';
import type { Block, Definition } from './definition.ts';
import { compileDefinition } from './definition-compiler.ts';
import { ApiError } from './errors.ts';
import { type Child, type Execution, LiveExecution } from './execution.ts';
import { uuid } from './expression-functions.ts';
import type { ObjectStore, Run, Services } from './frame.ts';
import type { HistoryEvent } from './history.ts';
import { byteSize, type Json, payloadLimit, toJson } from './json.ts';
import type { ChildRecord } from './result-writer.ts';
import { TaskTokens } from './task-tokens.ts';

export interface EngineOptions {
  readonly clock: LocalClock;
  /** In [0, 1): jitter, UUIDs, `$random`. Seeded, it makes a run repeatable. */
  random(): number;
  /** Runs the function that a Task names; what it throws becomes the Task's error. */
  invoke(functionName: string, payload: unknown): Promise<unknown>;
  readonly objects: ObjectStore;
  /** Told of every event of every execution, children included. */
  observe?(event: HistoryEvent): void;
  /** `count` forgets a distributed child when it has ended, and keeps its events as a number. Default `keep`. */
  readonly children?: 'keep' | 'count';
  readonly region?: string;
  readonly account?: string;
}

export interface Engine {
  /** Compiles a definition; throws a DefinitionError that lists everything in it that cannot run. */
  load(name: string, definition: unknown, substitutions?: Readonly<Record<string, string>>): void;
  /** As StartExecution: the same name and input while it runs give the running execution. */
  start(machine: string, name: string | undefined, input: unknown): Execution;
  /** By ARN, or by name where the name is of one machine only. */
  execution(arnOrName: string): Execution | undefined;
  executions(): readonly Execution[];
  sendTaskSuccess(token: string, output: string): void;
  sendTaskFailure(token: string, error?: string, cause?: string): void;
  sendTaskHeartbeat(token: string): void;
  /** As StopExecution; resolves when everything in the execution has stopped. */
  stopExecution(arnOrName: string, error?: string, cause?: string): Promise<void>;
  /** State transitions of all executions so far, children included. */
  transitions(): number;
}

interface Machine {
  readonly name: string;
  readonly arn: string;
  readonly roleArn: string;
  readonly definition: Definition;
}

/** What the API forbids in a name, beside control characters. */
const forbidden = /[\s<>{}[\]?*"#%\\^|~`$&,;:/\p{Cc}]/u;

export function createEngine(options: EngineOptions): Engine {
  return new LocalEngine(options);
}

class LocalEngine implements Engine {
  readonly #options: EngineOptions;
  readonly #services: Services;
  readonly #machines = new Map<string, Machine>();
  readonly #roots = new Map<string, LiveExecution>();
  readonly #children = new Map<string, LiveExecution>();

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#services = {
      clock: options.clock,
      random: () => options.random(),
      invoke: (functionName, payload) => options.invoke(functionName, payload),
      objects: options.objects,
      tokens: new TaskTokens(uuid(() => options.random())),
      startChild: (parent, label, block, input) => this.#startChild(parent, label, block, input),
    };
  }

  load(name: string, definition: unknown, substitutions: Readonly<Record<string, string>> = {}): void {
    const world = { now: () => this.#options.clock.now(), random: () => this.#options.random() };
    this.#machines.set(name, {
      name,
      arn: this.#arn('stateMachine', name),
      roleArn: `arn:aws:iam::${this.#account}:role/${name}`,
      definition: compileDefinition(name, definition, substitutions, world),
    });
  }

  start(machineName: string, requested: string | undefined, input: unknown): Execution {
    const machine = this.#machines.get(machineName);
    if (!machine) throw new ApiError('StateMachineDoesNotExist', `no state machine ${machineName} is loaded`);
    const name = requested ?? uuid(() => this.#options.random());
    if (name.length === 0 || name.length > 80 || forbidden.test(name)) {
      throw new ApiError('InvalidName', `${JSON.stringify(name)} is not a name of 1 to 80 plain characters`);
    }
    const value = inputOf(input);
    const arn = this.#arn('execution', `${machineName}:${name}`);
    const earlier = this.#roots.get(arn);
    if (earlier) {
      const same = JSON.stringify(earlier.input) === JSON.stringify(value);
      if (same && earlier.status === 'RUNNING') return earlier;
      throw new ApiError(
        'ExecutionAlreadyExists',
        same ? `${arn} has ended already` : `${arn} was started with another input`,
      );
    }
    const execution = new LiveExecution(this.#services, {
      arn,
      name,
      machine,
      definition: machine.definition,
      input: value,
      keepHistory: true,
      observe: this.#observe,
      parent: undefined,
    });
    this.#roots.set(arn, execution);
    return execution;
  }

  execution(arnOrName: string): Execution | undefined {
    return this.#find(arnOrName);
  }

  executions(): readonly Execution[] {
    return [...this.#roots.values(), ...this.#children.values()];
  }

  sendTaskSuccess(token: string, output: string): void {
    this.#services.tokens.success(token, output);
  }

  sendTaskFailure(token: string, error = '', cause = ''): void {
    this.#services.tokens.failure(token, error, cause);
  }

  sendTaskHeartbeat(token: string): void {
    this.#services.tokens.heartbeat(token);
  }

  async stopExecution(arnOrName: string, error?: string, cause?: string): Promise<void> {
    const execution = this.#find(arnOrName);
    if (!execution) throw new ApiError('ExecutionDoesNotExist', `no execution ${arnOrName}`);
    execution.stop(error, cause);
    await execution.done;
  }

  transitions(): number {
    let total = 0;
    for (const execution of this.#roots.values()) total += execution.totalTransitions;
    return total;
  }

  get #observe(): ((event: HistoryEvent) => void) | undefined {
    const { observe } = this.#options;
    return observe && ((event) => observe.call(this.#options, event));
  }

  get #account(): string {
    return this.#options.account ?? '000000000000';
  }

  #arn(kind: string, rest: string): string {
    return `arn:aws:states:${this.#options.region ?? 'us-east-1'}:${this.#account}:${kind}:${rest}`;
  }

  #find(arnOrName: string): LiveExecution | undefined {
    const exact = this.#roots.get(arnOrName) ?? this.#children.get(arnOrName);
    if (exact) return exact;
    const named = [...this.#roots.values()].filter(({ name }) => name === arnOrName);
    return named.length === 1 ? named[0] : undefined;
  }

  #startChild(parent: Run, label: string, block: Block, input: Json): Child {
    const name = uuid(() => this.#options.random());
    const machineName = `${parent.machineName}/${label}`;
    const child = new LiveExecution(this.#services, {
      arn: this.#arn('execution', `${machineName}:${name}`),
      name,
      machine: {
        name: machineName,
        arn: this.#arn('stateMachine', machineName),
        roleArn: `arn:aws:iam::${this.#account}:role/${parent.machineName}`,
      },
      definition: block,
      input,
      keepHistory: this.#options.children !== 'count',
      observe: this.#observe,
      parent,
    });
    this.#children.set(child.arn, child);
    return { done: this.#recordOf(child), stop: () => child.stop() };
  }

  async #recordOf(child: LiveExecution): Promise<ChildRecord> {
    const outcome = await child.done;
    if (this.#options.children === 'count') this.#children.delete(child.arn);
    return {
      arn: child.arn,
      name: child.name,
      stateMachineArn: child.stateMachineArn,
      input: child.input,
      startTime: child.startTime,
      stopTime: child.stopTime ?? child.startTime,
      ...outcome,
    };
  }
}

function inputOf(input: unknown): Json {
  const value = toJson(input === undefined ? {} : input);
  if (!value.ok) throw new ApiError('InvalidExecutionInput', `input has ${value.found} at '${value.path}'`);
  const bytes = byteSize(value.value);
  if (bytes > payloadLimit) {
    throw new ApiError('InvalidExecutionInput', `input takes ${bytes} bytes, more than ${payloadLimit}`);
  }
  return value.value;
}
