/** Owns task tokens: one for each attempt of a callback task, and what the API answers to them. */
import type { Cancel } from '../clock.ts';
import { ApiError, StateFailure } from './errors.ts';
import { byteSize, type Json, payloadLimit } from './json.ts';

export interface CallbackWaiter {
  succeed(output: Json): void;
  fail(failure: StateFailure): void;
  heartbeat(): void;
}

/** What a real token begins with; the rest is opaque to whoever carries it. */
const prefix = 'AQCAAAAAKgAAAAMAAAAAAAAAA';
const form = /^AQCAAAAAKgAAAAMAAAAAAAAAA([A-Za-z0-9_-]{60,})$/;

/**
 * The API's three refusals, as this engine tells them apart: a string that is no token is `InvalidToken`; a token
 * of another engine is `TaskDoesNotExist`; one whose attempt is over, because it was answered, timed out, retried
 * or stopped, is `TaskTimedOut`, which is what the service says of a task that "does not exist anymore".
 */
export class TaskTokens {
  readonly #engine: string;
  readonly #open = new Map<string, CallbackWaiter>();
  #issued = 0;

  /** @param engine tells this engine's tokens from those of another */
  constructor(engine: string) {
    this.#engine = engine;
  }

  issue(executionArn: string): string {
    const body = JSON.stringify([this.#engine, ++this.#issued, executionArn]);
    return prefix + Buffer.from(body, 'utf8').toString('base64url');
  }

  open(token: string, waiter: CallbackWaiter): Cancel {
    this.#open.set(token, waiter);
    return () => this.#open.delete(token);
  }

  success(token: string, output: string): void {
    const waiter = this.#find(token);
    let value: Json;
    try {
      value = JSON.parse(output) as Json;
    } catch {
      throw new ApiError('InvalidOutput', `output is not JSON: ${output.slice(0, 80)}`);
    }
    if (byteSize(value) > payloadLimit) {
      throw new ApiError('ValidationException', `output is longer than ${payloadLimit} bytes`);
    }
    this.#open.delete(token);
    waiter.succeed(value);
  }

  failure(token: string, error: string, cause: string): void {
    const waiter = this.#find(token);
    if (error.length > 256) throw new ApiError('ValidationException', 'error is longer than 256 characters');
    if (cause.length > 32_768)
      throw new ApiError('ValidationException', 'cause is longer than 32768 characters');
    this.#open.delete(token);
    waiter.fail(new StateFailure(error, cause));
  }

  heartbeat(token: string): void {
    this.#find(token).heartbeat();
  }

  #find(token: string): CallbackWaiter {
    const waiter = this.#open.get(token);
    if (waiter) return waiter;
    const body = form.exec(token)?.[1];
    const [engine, number] = body ? decode(body) : [];
    if (typeof number !== 'number') {
      throw new ApiError('InvalidToken', `not a task token: ${token.slice(0, 40)}`);
    }
    if (engine !== this.#engine || number > this.#issued) {
      throw new ApiError('TaskDoesNotExist', 'no task of this engine ever had that token');
    }
    throw new ApiError('TaskTimedOut', 'the provided task does not exist anymore');
  }
}

function decode(body: string): unknown[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(body, 'base64url').toString('utf8'));
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}
