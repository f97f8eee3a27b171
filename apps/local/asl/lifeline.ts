/** Owns the end of what is running: when an execution, branch or map run ends, everything that waits in it stops. */
import type { Cancel } from '../clock.ts';
import { Interrupted } from './errors.ts';

export class Lifeline {
  #ended = false;
  readonly #listeners = new Set<() => void>();

  get ended(): boolean {
    return this.#ended;
  }

  /** Ends this line and every line forked from it. Ending it twice changes nothing. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const listener of [...this.#listeners]) listener();
    this.#listeners.clear();
  }

  /** Throws once this line has ended: called after every await, since the world may have moved on meanwhile. */
  check(): void {
    if (this.#ended) throw new Interrupted();
  }

  /** A line that ends with this one, or earlier on its own. */
  fork(): Lifeline {
    const child = new Lifeline();
    if (this.#ended) child.end();
    else {
      const forget = this.onEnd(() => child.end());
      child.#listeners.add(forget);
    }
    return child;
  }

  onEnd(listener: () => void): Cancel {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Waits for what `begin` starts, or for the end of this line, whichever is first. What `begin` returns undoes
   * the waiting (a timer, a registration) and runs in every case.
   */
  wait<T>(begin: (resolve: (value: T) => void, reject: (reason: unknown) => void) => Cancel): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#ended) {
        reject(new Interrupted());
        return;
      }
      let undo: Cancel | undefined;
      let over = false;
      const close = () => {
        over = true;
        forget();
        undo?.();
      };
      const forget = this.onEnd(() => {
        close();
        reject(new Interrupted());
      });
      undo = begin(
        (value) => {
          if (over) return;
          close();
          resolve(value);
        },
        (reason) => {
          if (over) return;
          close();
          reject(reason);
        },
      );
      // `begin` may have settled before it returned what undoes it.
      if (over) undo();
    });
  }
}
