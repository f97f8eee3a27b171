/** Owns how a state fails, which handlers match it, and how the API and the loader refuse. */

/** What a state reports: an error name and a cause, as `$states.errorOutput` shows them. */
export class StateFailure extends Error {
  readonly error: string;
  override readonly cause: string;

  constructor(error: string, cause: string) {
    super(`${error}: ${cause}`);
    this.name = 'StateFailure';
    this.error = error;
    this.cause = cause;
  }
}

/** A JSONata expression that threw, returned nothing, or returned what its field cannot hold. */
export class EvaluationFailure extends StateFailure {
  readonly location: string;

  constructor(location: string, cause: string) {
    super('States.QueryEvaluationError', cause);
    this.location = location;
  }
}

/** Thrown into states whose execution, branch or map run has ended; no handler ever sees it. */
export class Interrupted extends Error {
  constructor() {
    super('the execution that this state belongs to has ended');
    this.name = 'Interrupted';
  }
}

export type ApiErrorName =
  | 'ExecutionAlreadyExists'
  | 'ExecutionDoesNotExist'
  | 'InvalidExecutionInput'
  | 'InvalidName'
  | 'InvalidOutput'
  | 'InvalidToken'
  | 'StateMachineDoesNotExist'
  | 'TaskDoesNotExist'
  | 'TaskTimedOut'
  | 'ValidationException';

/** A refusal of the Step Functions API; `name` is what the SDK's exception is called. */
export class ApiError extends Error {
  constructor(name: ApiErrorName, message: string) {
    super(message);
    this.name = name;
  }
}

/** A definition that this engine will not run, found when it is loaded. */
export class DefinitionError extends Error {
  readonly problems: readonly string[];

  constructor(machine: string, problems: readonly string[]) {
    super(`state machine ${machine} cannot be loaded:\n- ${problems.join('\n- ')}`);
    this.name = 'DefinitionError';
    this.problems = problems;
  }
}

/** `States.ALL` and `States.TaskFailed` never match these ("Handling errors in Step Functions workflows"). */
const beyondWildcards = new Set(['States.DataLimitExceeded', 'States.Runtime']);

/**
 * Whether a Retry or Catch entry matches. `States.Runtime` is never retried or caught, even by name.
 * A missed heartbeat is reported as `States.Timeout` in the history, and can be named either way.
 */
export function matchesError(errorEquals: readonly string[], failure: StateFailure): boolean {
  if (failure.error === 'States.Runtime') return false;
  return errorEquals.some((name) => {
    if (name === 'States.ALL') return !beyondWildcards.has(failure.error);
    if (name === 'States.TaskFailed') {
      return failure.error !== 'States.Timeout' && !beyondWildcards.has(failure.error);
    }
    if (name === 'States.HeartbeatTimeout') return failure instanceof HeartbeatMissed;
    return name === failure.error;
  });
}

/** A task that ran longer than it may. The service gives no cause: `{"Error": "States.Timeout", "Cause": ""}`. */
export class TimedOut extends StateFailure {
  constructor() {
    super('States.Timeout', '');
  }
}

/** A callback task whose worker was silent for longer than HeartbeatSeconds. */
export class HeartbeatMissed extends TimedOut {}
