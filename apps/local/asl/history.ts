/** Owns an execution's history: the events that Step Functions would have written, and their limit. */
import { StateFailure } from './errors.ts';
import type { Json } from './json.ts';

type StateType = 'Task' | 'Pass' | 'Wait' | 'Choice' | 'Succeed' | 'Fail' | 'Parallel' | 'Map';
type Concurrent = 'Parallel' | 'Map';

export type HistoryEventType =
  | 'ExecutionStarted'
  | 'ExecutionSucceeded'
  | 'ExecutionFailed'
  | 'ExecutionAborted'
  | 'ExecutionTimedOut'
  | `${StateType}StateEntered`
  | `${Exclude<StateType, 'Fail'>}StateExited`
  | `${'Task' | 'Wait' | Concurrent}StateAborted`
  | `${Concurrent}State${'Started' | 'Succeeded' | 'Failed'}`
  | `Task${'Scheduled' | 'Started' | 'Submitted' | 'Succeeded' | 'Failed' | 'TimedOut'}`
  | `MapIteration${'Started' | 'Succeeded' | 'Failed' | 'Aborted'}`
  | `MapRun${'Started' | 'Succeeded' | 'Failed' | 'Aborted'}`
  | 'EvaluationFailed';

/** The members of GetExecutionHistory's detail objects in one bag; payloads as values rather than as JSON text. */
export interface EventDetails {
  readonly name?: string;
  readonly state?: string;
  readonly input?: Json;
  readonly output?: Json;
  readonly assignedVariables?: Readonly<Record<string, Json>>;
  readonly error?: string;
  readonly cause?: string;
  readonly location?: string;
  readonly resourceType?: 'lambda';
  readonly resource?: string;
  readonly parameters?: Json;
  readonly timeoutInSeconds?: number;
  readonly heartbeatInSeconds?: number;
  readonly index?: number;
  readonly length?: number;
  readonly mapRunArn?: string;
}

export interface HistoryEvent extends EventDetails {
  readonly id: number;
  readonly previousEventId: number;
  /** Epoch milliseconds on the engine's clock. */
  readonly timestamp: number;
  readonly type: HistoryEventType;
  readonly executionArn: string;
}

/** Standard workflows end when they would write more; the last event is the failure itself. */
const historyLimit = 25_000;

export class History {
  readonly #events: HistoryEvent[] = [];
  readonly #executionArn: string;
  readonly #now: () => number;
  readonly #keep: boolean;
  readonly #observe: ((event: HistoryEvent) => void) | undefined;
  #count = 0;

  constructor(
    executionArn: string,
    now: () => number,
    keep: boolean,
    observe?: (event: HistoryEvent) => void,
  ) {
    this.#executionArn = executionArn;
    this.#now = now;
    this.#keep = keep;
    this.#observe = observe;
  }

  /** Empty where only counts are kept. */
  get events(): readonly HistoryEvent[] {
    return this.#events;
  }

  get count(): number {
    return this.#count;
  }

  /** Returns the id of the new event. The closing event is the only one that may take the last place. */
  record(
    type: HistoryEventType,
    previousEventId: number,
    details: EventDetails = {},
    closing = false,
  ): number {
    if (!closing && this.#count >= historyLimit - 1) {
      throw new StateFailure(
        'States.Runtime',
        `The execution reached the maximum number of history events (${historyLimit}).`,
      );
    }
    const id = ++this.#count;
    if (this.#keep || this.#observe) {
      const event: HistoryEvent = {
        ...details,
        id,
        previousEventId,
        timestamp: this.#now(),
        type,
        executionArn: this.#executionArn,
      };
      if (this.#keep) this.#events.push(event);
      this.#observe?.(event);
    }
    return id;
  }
}
