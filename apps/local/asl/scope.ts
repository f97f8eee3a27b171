/** Owns workflow variables: who sees which, and how much they may hold. */
import { StateFailure } from './errors.ts';
import { byteSize, type Json, payloadLimit } from './json.ts';

/** The service's quota for all variables of an execution together. */
const totalLimit = 10 * 1024 * 1024;

/**
 * The variables of a block. A Parallel branch or an inline Map iteration has a scope of its own that reads the
 * enclosing ones; what it assigns ends with it. A distributed child starts with none
 * ("Passing data between states with variables").
 */
export class VariableScope {
  readonly #parent: VariableScope | undefined;
  readonly #values = new Map<string, { value: Json; bytes: number }>();
  readonly #total: { bytes: number };

  constructor(parent?: VariableScope) {
    this.#parent = parent;
    this.#total = parent ? parent.#total : { bytes: 0 };
  }

  get(name: string): Json | undefined {
    const own = this.#values.get(name);
    return own ? own.value : this.#parent?.get(name);
  }

  /** Sets all of them at once: every expression of the state that assigns them saw the old values. */
  assign(values: Readonly<Record<string, Json>>): void {
    let stateBytes = 0;
    const sized = Object.entries(values).map(([name, value]) => {
      const bytes = byteSize(value);
      stateBytes += bytes;
      return { name, value, bytes };
    });
    if (stateBytes > payloadLimit) throw tooLarge('variables that a state assigns', stateBytes, payloadLimit);
    for (const { name, value, bytes } of sized) {
      this.#total.bytes += bytes - (this.#values.get(name)?.bytes ?? 0);
      this.#values.set(name, { value, bytes });
    }
    if (this.#total.bytes > totalLimit) {
      throw tooLarge('variables of the execution', this.#total.bytes, totalLimit);
    }
  }

  /** Frees what this scope holds, when its branch or iteration is over. */
  close(): void {
    for (const { bytes } of this.#values.values()) this.#total.bytes -= bytes;
    this.#values.clear();
  }
}

function tooLarge(what: string, bytes: number, limit: number): StateFailure {
  return new StateFailure(
    'States.DataLimitExceeded',
    `the ${what}: ${bytes} bytes, more than the ${limit} allowed`,
  );
}

/** Fails the state whose payload the service would not carry. */
export function withinLimit<T extends Json>(what: string, value: T): T {
  const bytes = byteSize(value);
  if (bytes > payloadLimit) throw tooLarge(what, bytes, payloadLimit);
  return value;
}
