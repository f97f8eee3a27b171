/** Owns one sequence of states under way: the machine's own, a branch's, or an iteration's. */
import type { LocalClock } from '../clock.ts';
import type { Block } from './definition.ts';
import type { Child } from './execution.ts';
import type { EventDetails, History, HistoryEventType } from './history.ts';
import type { Json, JsonObject } from './json.ts';
import type { Lifeline } from './lifeline.ts';
import type { VariableScope } from './scope.ts';
import type { TaskTokens } from './task-tokens.ts';

/** What the engine lends to a running execution. */
export interface Services {
  readonly clock: LocalClock;
  random(): number;
  invoke(functionName: string, payload: unknown): Promise<unknown>;
  readonly objects: ObjectStore;
  readonly tokens: TaskTokens;
  /** Starts one child of a map run, as an execution of its own. */
  startChild(parent: Run, label: string, block: Block, input: Json): Child;
}

export interface ObjectStore {
  get(bucket: string, key: string): Promise<string>;
  put(bucket: string, key: string, body: string): Promise<void>;
}

/** One execution, as its states see it. */
export interface Run {
  readonly services: Services;
  readonly events: History;
  readonly arn: string;
  readonly machineName: string;
  /** `$states.context.Execution` and `$states.context.StateMachine`. */
  readonly context: JsonObject;
  readonly machine: JsonObject;
  countTransition(): void;
  /** A child of a distributed Map, at any depth, counted one. */
  countTransitionBelow(): void;
  now(): number;
}

export class Frame {
  readonly run: Run;
  readonly scope: VariableScope;
  readonly line: Lifeline;
  /** Set inside an inline Map: `$states.context.Map.Item`. */
  readonly item: { readonly Index: number; readonly Value: Json } | undefined;
  /** The last event of this sequence: branches interleave, and each keeps its own chain. */
  previous: number;

  constructor(
    run: Run,
    scope: VariableScope,
    line: Lifeline,
    previous: number,
    item?: { readonly Index: number; readonly Value: Json },
  ) {
    this.run = run;
    this.scope = scope;
    this.line = line;
    this.previous = previous;
    this.item = item;
  }

  record(type: HistoryEventType, details: EventDetails = {}): number {
    this.previous = this.run.events.record(type, this.previous, details);
    return this.previous;
  }

  /** Waits on the clock, unless the line ends first. */
  sleepUntil(due: number): Promise<void> {
    return this.line.wait<void>((resolve) => this.run.services.clock.at(due, () => resolve()));
  }

  /** Does real work under the busy clock, and stops waiting for it when the line ends. */
  busy<T>(work: () => Promise<T>): Promise<T> {
    return this.line.wait<T>((resolve, reject) => {
      this.run.services.clock.busy(work).then(resolve, reject);
      return () => {};
    });
  }
}
