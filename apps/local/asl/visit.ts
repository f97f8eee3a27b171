/** Owns one visit to a state: what its expressions see, what it writes to the history, and how it is left. */
import type { Results, State, Typed } from './definition.ts';
import { EvaluationFailure, StateFailure } from './errors.ts';
import type { Frame } from './frame.ts';
import type { EventDetails, HistoryEventType } from './history.ts';
import { isoInstant } from './instant.ts';
import type { Json } from './json.ts';
import { withinLimit } from './scope.ts';

/** Where a state goes: on to `next`, or out of its block. */
export interface Exit {
  readonly output: Json;
  readonly next?: string;
}

/** What `$states` has besides the input, depending on the field that is being evaluated. */
export interface Extra {
  readonly result?: Json;
  readonly errorOutput?: Json;
  readonly token?: string;
  readonly item?: { readonly Index: number; readonly Value: Json };
}

export class Visit {
  readonly frame: Frame;
  readonly state: State;
  readonly input: Json;
  readonly enteredId: number;
  readonly #enteredTime: string;
  #retries = 0;

  constructor(frame: Frame, state: State, input: Json) {
    this.frame = frame;
    this.state = state;
    this.input = input;
    this.#enteredTime = isoInstant(frame.run.now());
    this.enteredId = frame.record(`${state.type}StateEntered`, { name: state.name, input });
    frame.run.countTransition();
  }

  /** A retry runs the state again without entering it; the service bills it as a transition all the same. */
  retried(): void {
    this.#retries++;
    this.frame.run.countTransition();
  }

  record(type: HistoryEventType, details: EventDetails = {}): number {
    return this.frame.record(type, details);
  }

  /** Evaluates a field, and reports a failure the way the service does: an event, then an error of the state. */
  async evaluate<T>(field: Typed<T>, extra: Extra = {}): Promise<T> {
    try {
      const value = await field.evaluate({
        states: this.#states(extra),
        variable: (name) => this.frame.scope.get(name),
      });
      this.frame.line.check();
      return value;
    } catch (failure) {
      this.frame.line.check();
      if (!(failure instanceof EvaluationFailure)) throw failure;
      const { error, cause, location } = failure;
      this.record('EvaluationFailed', { error, cause, location, state: this.state.name });
      throw this.failure(error, cause);
    }
  }

  /** A failure with the service's words around its cause. */
  failure(error: string, cause: string): StateFailure {
    return new StateFailure(
      error,
      `An error occurred while executing the state '${this.state.name}' (entered at the event id #${this.enteredId}). ${cause}`,
    );
  }

  /**
   * Leaves the state: Assign and Output are both evaluated with the variables as they were, then the variables
   * change. `otherwise` is the output where no Output is written.
   */
  async leave(results: Results, extra: Extra, otherwise: Json, next: string | undefined): Promise<Exit> {
    const assigned: Record<string, Json> = {};
    for (const [name, template] of Object.entries(results.assign ?? {})) {
      assigned[name] = await this.evaluate(template, extra);
    }
    const output = results.output ? await this.evaluate(results.output, extra) : otherwise;
    withinLimit('output of the state', output);
    if (results.assign) this.frame.scope.assign(assigned);
    if (this.state.type !== 'Fail') {
      this.record(`${this.state.type}StateExited`, {
        name: this.state.name,
        output,
        ...(results.assign ? { assignedVariables: assigned } : {}),
      });
    }
    return next === undefined ? { output } : { output, next };
  }

  #states(extra: Extra): Record<string, unknown> {
    const { run, item } = this.frame;
    const mapItem = extra.item ?? item;
    const handled = this.state.type === 'Task' || this.state.type === 'Map' || this.state.type === 'Parallel';
    return {
      input: this.input,
      ...(extra.result === undefined ? {} : { result: extra.result }),
      ...(extra.errorOutput === undefined ? {} : { errorOutput: extra.errorOutput }),
      context: {
        Execution: run.context,
        State: {
          Name: this.state.name,
          EnteredTime: this.#enteredTime,
          ...(handled ? { RetryCount: this.#retries } : {}),
        },
        StateMachine: run.machine,
        ...(extra.token === undefined ? {} : { Task: { Token: extra.token } }),
        ...(mapItem ? { Map: { Item: mapItem } } : {}),
      },
    };
  }
}
