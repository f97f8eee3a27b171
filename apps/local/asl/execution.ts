/** Owns one execution: how it starts, runs, and ends, and what is known of it meanwhile. */
import type { Definition } from './definition.ts';
import { Interrupted, StateFailure } from './errors.ts';
import { Frame, type Run, type Services } from './frame.ts';
import { History, type HistoryEvent, type HistoryEventType } from './history.ts';
import { isoInstant } from './instant.ts';
import type { Json, JsonObject } from './json.ts';
import { Lifeline } from './lifeline.ts';
import type { ChildRecord } from './result-writer.ts';
import { VariableScope } from './scope.ts';
import { runBlock } from './states.ts';

export type ExecutionStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';

export interface Outcome {
  readonly status: Exclude<ExecutionStatus, 'RUNNING'>;
  readonly output?: Json;
  readonly error?: string;
  readonly cause?: string;
}

export interface Execution {
  readonly arn: string;
  readonly name: string;
  readonly stateMachineArn: string;
  readonly status: ExecutionStatus;
  readonly input: Json;
  readonly output?: Json | undefined;
  readonly error?: string | undefined;
  readonly cause?: string | undefined;
  readonly startTime: number;
  readonly stopTime?: number | undefined;
  /** Empty for children whose events are only counted. */
  readonly history: readonly HistoryEvent[];
  readonly eventCount: number;
  /**
   * Billable state transitions of this execution. "Step Functions counts a state transition each time a step of your
   * workflow is executed […] including retries" (AWS Step Functions pricing): one for each state entered, one for
   * each retry, and for the child of a distributed Map one for its start.
   */
  readonly transitions: number;
  /** The same with all children of its distributed Maps. */
  readonly totalTransitions: number;
  /** Resolves however the execution ends; rejects only where the engine itself is at fault. */
  readonly done: Promise<Outcome>;
}

/** What a map run holds of its child. */
export interface Child {
  readonly done: Promise<ChildRecord>;
  stop(): void;
}

export interface ExecutionSetup {
  readonly arn: string;
  readonly name: string;
  readonly machine: { readonly arn: string; readonly name: string; readonly roleArn: string };
  readonly definition: Definition;
  readonly input: Json;
  readonly keepHistory: boolean;
  readonly observe: ((event: HistoryEvent) => void) | undefined;
  readonly parent: Run | undefined;
}

export class LiveExecution implements Execution, Run {
  readonly arn: string;
  readonly name: string;
  readonly stateMachineArn: string;
  readonly machineName: string;
  readonly input: Json;
  readonly startTime: number;
  readonly services: Services;
  readonly context: JsonObject;
  readonly machine: JsonObject;
  readonly events: History;
  readonly done: Promise<Outcome>;
  readonly #line = new Lifeline();
  readonly #definition: Definition;
  readonly #parent: Run | undefined;
  #outcome: Outcome | undefined;
  #stopTime: number | undefined;
  #transitions = 0;
  #ofChildren = 0;
  /** Why the line was ended from outside: a stop, or the machine's own timeout. */
  #ending: Outcome | undefined;

  constructor(services: Services, setup: ExecutionSetup) {
    this.services = services;
    this.arn = setup.arn;
    this.name = setup.name;
    this.stateMachineArn = setup.machine.arn;
    this.machineName = setup.machine.name;
    this.input = setup.input;
    this.startTime = this.now();
    this.#definition = setup.definition;
    this.#parent = setup.parent;
    this.events = new History(setup.arn, () => this.now(), setup.keepHistory, setup.observe);
    this.context = {
      Id: setup.arn,
      Input: setup.input,
      Name: setup.name,
      RoleArn: setup.machine.roleArn,
      StartTime: isoInstant(this.startTime),
      RedriveCount: 0,
    };
    this.machine = { Id: setup.machine.arn, Name: setup.machine.name };
    if (setup.parent) this.countTransition();
    // After the caller has the execution in hand: its first state may ask the engine about it.
    this.done = Promise.resolve().then(() => this.#run());
  }

  get status(): ExecutionStatus {
    return this.#outcome?.status ?? 'RUNNING';
  }
  get output(): Json | undefined {
    return this.#outcome?.output;
  }
  get error(): string | undefined {
    return this.#outcome?.error;
  }
  get cause(): string | undefined {
    return this.#outcome?.cause;
  }
  get stopTime(): number | undefined {
    return this.#stopTime;
  }
  get history(): readonly HistoryEvent[] {
    return this.events.events;
  }
  get eventCount(): number {
    return this.events.count;
  }
  get transitions(): number {
    return this.#transitions;
  }
  get totalTransitions(): number {
    return this.#transitions + this.#ofChildren;
  }

  now(): number {
    return this.services.clock.now();
  }

  countTransition(): void {
    this.#transitions++;
    this.#parent?.countTransitionBelow();
  }

  countTransitionBelow(): void {
    this.#ofChildren++;
    this.#parent?.countTransitionBelow();
  }

  /** Ends everything that runs in this execution. One that has ended already stays as it is. */
  stop(error?: string, cause?: string): void {
    this.#end({ status: 'ABORTED', ...said(error, cause) });
  }

  #end(outcome: Outcome): void {
    if (this.#outcome || this.#ending) return;
    this.#ending = outcome;
    this.#line.end();
  }

  async #run(): Promise<Outcome> {
    const { timeoutSeconds } = this.#definition;
    const cancel =
      timeoutSeconds === undefined
        ? () => {}
        : this.services.clock.at(this.startTime + timeoutSeconds * 1000, () =>
            this.#end({ status: 'TIMED_OUT', error: 'States.Timeout' }),
          );
    const frame = new Frame(this, new VariableScope(), this.#line, 0);
    try {
      // As the service numbers them, the first state follows event 0 and not the start.
      this.events.record('ExecutionStarted', 0, { input: this.input });
      const output = await runBlock(frame, this.#definition, this.input);
      return this.#close(frame, { status: 'SUCCEEDED', output });
    } catch (failure) {
      if (failure instanceof Interrupted && this.#ending) return this.#close(frame, this.#ending);
      if (failure instanceof StateFailure) {
        return this.#close(frame, { status: 'FAILED', ...said(failure.error, failure.cause) });
      }
      const cause = failure instanceof Error ? failure.message : String(failure);
      this.#close(frame, { status: 'FAILED', error: 'States.Runtime', cause });
      throw failure;
    } finally {
      cancel();
      this.#line.end();
    }
  }

  #close(frame: Frame, outcome: Outcome): Outcome {
    const { status, ...details } = outcome;
    this.events.record(closing[status], frame.previous, details, true);
    this.#stopTime = this.now();
    this.#outcome = outcome;
    return outcome;
  }
}

const closing: Readonly<Record<Outcome['status'], HistoryEventType>> = {
  SUCCEEDED: 'ExecutionSucceeded',
  FAILED: 'ExecutionFailed',
  TIMED_OUT: 'ExecutionTimedOut',
  ABORTED: 'ExecutionAborted',
};

function said(error?: string, cause?: string): { error?: string; cause?: string } {
  return { ...(error ? { error } : {}), ...(cause ? { cause } : {}) };
}
