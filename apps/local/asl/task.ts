/** Owns one attempt of a Task: the invocation of a function, and the wait for its callback where it has a token. */
import type { TaskState } from './definition.ts';
import { HeartbeatMissed, StateFailure, TimedOut } from './errors.ts';
import type { EventDetails } from './history.ts';
import { isObject, type Json, type JsonObject, toJson } from './json.ts';
import { withinLimit } from './scope.ts';
import type { Visit } from './visit.ts';

/** Returns what `$states.result` is: the service's envelope around a payload, or the callback's output. */
export async function runTask(visit: Visit, state: TaskState): Promise<Json> {
  const { run } = visit.frame;
  // A token for each attempt: an answer to an earlier one must not complete this one.
  const token = state.callback ? run.services.tokens.issue(run.arn) : undefined;
  const extra = token === undefined ? {} : { token };
  const parameters = withinLimit('arguments of the task', await visit.evaluate(state.arguments, extra));
  const timeout = state.timeout && (await visit.evaluate(state.timeout));
  const heartbeat = state.heartbeat && (await visit.evaluate(state.heartbeat));
  const about: EventDetails = {
    resourceType: 'lambda',
    resource: state.callback ? 'invoke.waitForTaskToken' : 'invoke',
  };
  visit.record('TaskScheduled', {
    ...about,
    parameters,
    ...(timeout === undefined ? {} : { timeoutInSeconds: timeout }),
    ...(heartbeat === undefined ? {} : { heartbeatInSeconds: heartbeat }),
  });
  visit.record('TaskStarted', about);
  try {
    const output = await new Attempt(visit, parameters, about, token, timeout, heartbeat).result();
    visit.record('TaskSucceeded', { ...about, output: withinLimit('result of the task', output) });
    return output;
  } catch (failure) {
    if (failure instanceof StateFailure) {
      visit.record(failure instanceof TimedOut ? 'TaskTimedOut' : 'TaskFailed', {
        ...about,
        error: failure.error,
        ...(failure.cause ? { cause: failure.cause } : {}),
      });
    }
    throw failure;
  }
}

class Attempt {
  readonly #visit: Visit;
  readonly #parameters: Json;
  readonly #about: EventDetails;
  readonly #token: string | undefined;
  readonly #timeout: number | undefined;
  readonly #heartbeat: number | undefined;

  constructor(
    visit: Visit,
    parameters: Json,
    about: EventDetails,
    token: string | undefined,
    timeout: number | undefined,
    heartbeat: number | undefined,
  ) {
    this.#visit = visit;
    this.#parameters = parameters;
    this.#about = about;
    this.#token = token;
    this.#timeout = timeout;
    this.#heartbeat = heartbeat;
  }

  /**
   * Whatever comes first decides: the function's answer (or, with a token, the callback's, which may overtake the
   * function), its failure, the timeout, or a silence longer than the heartbeat. What comes later is ignored.
   */
  result(): Promise<Json> {
    const { line, run } = this.#visit.frame;
    const { clock, tokens } = run.services;
    return line.wait<Json>((resolve, reject) => {
      let over = false;
      const timers: (() => void)[] = [];
      if (this.#timeout !== undefined) {
        timers.push(clock.at(clock.now() + this.#timeout * 1000, () => reject(new TimedOut())));
      }
      let stopBeat = this.#expectHeartbeat(reject);
      if (this.#token !== undefined) {
        timers.push(
          tokens.open(this.#token, {
            succeed: resolve,
            fail: reject,
            heartbeat: () => {
              stopBeat();
              stopBeat = this.#expectHeartbeat(reject);
            },
          }),
        );
      }
      this.#invoke()
        .then((output) => {
          if (over) return;
          if (this.#token === undefined) resolve(output);
          else this.#visit.record('TaskSubmitted', { ...this.#about, output });
        })
        .catch(reject);
      return () => {
        over = true;
        stopBeat();
        for (const cancel of timers) cancel();
      };
    });
  }

  #expectHeartbeat(reject: (reason: unknown) => void): () => void {
    if (this.#heartbeat === undefined) return () => {};
    const { clock } = this.#visit.frame.run.services;
    return clock.at(clock.now() + this.#heartbeat * 1000, () => reject(new HeartbeatMissed()));
  }

  async #invoke(): Promise<JsonObject> {
    const { services } = this.#visit.frame.run;
    const { FunctionName, Payload = {} } = this.#parameters as { FunctionName: unknown; Payload?: Json };
    if (typeof FunctionName !== 'string') {
      throw new StateFailure(
        'States.Runtime',
        `FunctionName is not a string: ${JSON.stringify(FunctionName)}`,
      );
    }
    let answer: unknown;
    // A copy, as over the wire: what a function does to its event changes neither the history nor the next attempt.
    try {
      answer = await services.clock.busy(() => services.invoke(FunctionName, structuredClone(Payload)));
    } catch (error) {
      throw failureOf(error);
    }
    // A function that returns nothing answers null.
    const payload = toJson(answer === undefined ? null : answer);
    if (!payload.ok) {
      throw new StateFailure(
        'States.Runtime',
        `${FunctionName} returned no JSON: ${payload.found} at '${payload.path}'`,
      );
    }
    return {
      ExecutedVersion: '$LATEST',
      Payload: payload.value,
      SdkHttpMetadata: { HttpStatusCode: 200 },
      StatusCode: 200,
    };
  }
}

/**
 * A handler that throws fails with its error's name, and a cause as Lambda writes it. An error that is named as the
 * service's own (`Lambda.TooManyRequestsException`) stands for Lambda refusing, whose cause is plain text.
 */
function failureOf(error: unknown): StateFailure {
  const name = isObject(error) && typeof error.name === 'string' ? error.name : 'Error';
  const message = error instanceof Error ? error.message : String(error);
  if (name.startsWith('Lambda.')) return new StateFailure(name, message);
  return new StateFailure(name, JSON.stringify({ errorType: name, errorMessage: message }));
}
