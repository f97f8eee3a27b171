/** Owns what every way back to a waiting state must do; run it on each adapter of the port. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Callbacks } from '../../core/ports.ts';

/** How a state that waited came to its end. */
export type Ended =
  | { readonly output: unknown }
  | { readonly error: string; readonly cause: string }
  /** Nobody answered it. */
  | 'waiting';

export interface CallbacksUnderTest {
  readonly callbacks: Callbacks;
  /** Starts an execution with one state that waits, and resolves to its token. */
  wait(): Promise<string>;
  /** Of the execution whose state waited with this token, once an answer had its time. */
  ended(token: string): Promise<Ended>;
  /** Ends the execution without an answer. */
  stop(token: string): Promise<void>;
  close(): Promise<void>;
}

export function describeCallbacks(name: string, open: () => Promise<CallbacksUnderTest>): void {
  describe(`answers to waiting states on ${name}`, () => {
    let opened: CallbacksUnderTest;
    let callbacks: Callbacks;
    beforeAll(async () => {
      opened = await open();
      callbacks = opened.callbacks;
    });
    afterAll(() => opened?.close());

    test.each([
      ['an object', { batchId: 'w1-0001', counts: { succeeded: 2 } }],
      ['nothing', null],
    ])('a state that is given %s goes on with it', async (_, output) => {
      const token = await opened.wait();
      expect(await callbacks.succeed(token, output)).toBe('delivered');
      expect(await opened.ended(token)).toEqual({ output });
    });

    test('a state that is failed fails with the error and its cause', async () => {
      const token = await opened.wait();
      expect(await callbacks.fail(token, 'CommandRefused', 'größer than "it" may be')).toBe('delivered');
      expect(await opened.ended(token)).toEqual({
        error: 'CommandRefused',
        cause: 'größer than "it" may be',
      });
    });

    test('the first answer stands, and the second finds nobody', async () => {
      const token = await opened.wait();
      await callbacks.succeed(token, 'first');
      expect(await opened.ended(token)).toEqual({ output: 'first' });
      expect(await callbacks.succeed(token, 'second')).toBe('gone');
      expect(await callbacks.fail(token, 'Second', 'why')).toBe('gone');
      expect(await opened.ended(token)).toEqual({ output: 'first' });
    });

    test('an answer to another leaves a state waiting', async () => {
      const [token, other] = [await opened.wait(), await opened.wait()];
      await callbacks.succeed(other, 'other');
      expect(await opened.ended(token)).toBe('waiting');
      await callbacks.succeed(token, 'own');
      expect(await opened.ended(token)).toEqual({ output: 'own' });
    });

    test('a state that was stopped, and one that never was, are gone', async () => {
      const token = await opened.wait();
      await opened.stop(token);
      expect(await callbacks.succeed(token, 'late')).toBe('gone');
      expect(await callbacks.succeed('no-token-of-anybody', 'lost')).toBe('gone');
      expect(await callbacks.fail('no-token-of-anybody', 'Lost', 'why')).toBe('gone');
    });
  });
}
