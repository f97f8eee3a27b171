/** Owns what two engines are given alike, and what is seen of a run on either. */
import type { Json, JsonObject } from '../../../apps/local/asl/json.ts';

/** What a function answers to one attempt; with a task token also what is then sent to the token. */
export type Answer =
  | { readonly result: Json }
  | { readonly error: string; readonly message: string }
  | { readonly success: Json }
  | { readonly failure: string; readonly cause: string }
  /** Nobody answers, neither the function nor, where it took one, the holder of its token. */
  | { readonly silent: true };

export interface Rehearsal {
  readonly definition: JsonObject;
  readonly input: Json;
  /** The objects that are there before: `bucket/key` to body. */
  readonly objects?: Readonly<Record<string, string>>;
  /**
   * A constant, where branches draw in an order of their own; else the seed of a sequence that both engines draw
   * in the same order.
   */
  readonly dice: { readonly constant: number } | { readonly seed: number };
  /** @param attempt 1 for the first time that this function gets this payload */
  answer(functionName: string, payload: JsonObject, attempt: number): Answer;
}

export interface SeenState {
  readonly name: string;
  readonly input: Json;
  /** Absent where the state was not left. */
  readonly output?: Json;
  /** All that it can read when it is left. */
  readonly variables?: JsonObject;
}

/** The states that one sequence went through, in order: the machine's own, a branch's, an iteration's, a child's. */
export interface SeenRun {
  readonly states: readonly SeenState[];
}

export interface Seen {
  readonly status: string;
  readonly output?: Json;
  readonly error?: string;
  readonly cause?: string;
  /** Sorted: which of two branches is first is nobody's promise. */
  readonly runs: readonly SeenRun[];
  /** What every Wait and Retry would have lasted, sorted. */
  readonly waits: readonly string[];
  /** Function, payload without token, and attempt; sorted. */
  readonly invocations: readonly string[];
}

/** Answers from a rehearsal, and remembers what was asked. */
export class Actors {
  readonly #rehearsal: Rehearsal;
  readonly #attempts = new Map<string, number>();

  constructor(rehearsal: Rehearsal) {
    this.#rehearsal = rehearsal;
  }

  ask(functionName: string, payload: Json): { answer: Answer; token: string | undefined } {
    const { taskToken, ...rest } = payload as JsonObject;
    const key = `${functionName} ${canonical(rest)}`;
    const attempt = (this.#attempts.get(key) ?? 0) + 1;
    this.#attempts.set(key, attempt);
    const token = typeof taskToken === 'string' ? taskToken : undefined;
    return { answer: this.#rehearsal.answer(functionName, rest, attempt), token };
  }

  get invocations(): string[] {
    return [...this.#attempts].map(([key, times]) => `${key} ×${times}`).sort();
  }
}

/** Numbers in [0, 1) as a rehearsal's dice give them (mulberry32). */
export function dice(of: Rehearsal['dice']): () => number {
  let drawn = 0;
  // Engines also make names of dice, a byte a throw: so a constant at a byte's edge falls off it now and then, by
  // less than is compared.
  if ('constant' in of) {
    return () => {
      const mixed = Math.imul(++drawn, 0x9e3779b1);
      // Mixed twice: the sign of the product alone comes again in rows as long as a name.
      return of.constant - (Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b) < 0 ? 1e-12 : 0);
    };
  }
  let state = of.seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The members sorted, so that equal values have equal texts. */
function canonical(value: Json): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    item && typeof item === 'object' && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}

export function sortedRuns(runs: readonly SeenRun[]): SeenRun[] {
  return runs
    .map((run) => ({ run, text: canonical(run as unknown as Json) }))
    .sort((a, b) => (a.text < b.text ? -1 : 1))
    .map(({ run }) => run);
}

/** To a tenth of a millisecond; the tenth of that keeps products of a rehearsal's constant off the edge of rounding. */
export const lasting = (kind: 'wait' | 'retry', seconds: number) =>
  `${kind} ${Math.round(seconds * 1e4 + 0.1) / 1e4} s`;
export const lastingUntil = (instant: string) => `wait until ${new Date(instant).toISOString()}`;

const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
// What engines say in words of their own.
const words =
  /^(An error occurred while executing the state|The JSONata expression|Map state input must) .*$/s;
const arn = /arn:aws:states:[^"\s]*/g;

/** Without what is each engine's own: ARNs, UUIDs, and the HTTP around an invocation's payload. */
export function neutral<T extends Json>(value: T): T {
  return JSON.parse(
    JSON.stringify(value, (_key, item: unknown) => {
      if (typeof item === 'string')
        return item
          .replace(words, '<words>')

          .replace(arn, '<arn>')
          .replace(uuid, '<uuid>');
      if (item && typeof item === 'object' && 'Payload' in item && 'StatusCode' in item) {
        return { Payload: item.Payload };
      }
      return item;
    }),
  ) as T;
}
