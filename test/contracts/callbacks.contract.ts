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

/** What an imitation of Step Functions does otherwise, and how: asserted, so that it is noticed when it does not. */
export type CallbackGaps = Partial<Record<'cause' | 'late failure' | 'stopped', string>>;

export function describeCallbacks(
  name: string,
  open: () => Promise<CallbacksUnderTest>,
  gaps: CallbackGaps = {},
): void {
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

    const orGap = (gap: keyof CallbackGaps) => (gap in gaps ? test.fails : test);
    const cause = 'größer than "it" may be';

    test('a state that is failed fails with the error', async () => {
      const token = await opened.wait();
      expect(await callbacks.fail(token, 'CommandRefused', cause)).toBe('delivered');
      expect(await opened.ended(token)).toMatchObject({ error: 'CommandRefused' });
    });

    orGap('cause')('a state that is failed tells the cause', async () => {
      const token = await opened.wait();
      await callbacks.fail(token, 'CommandRefused', cause);
      expect(await opened.ended(token)).toMatchObject({ cause });
    });

    test('the first answer stands, and the second finds nobody', async () => {
      const token = await opened.wait();
      await callbacks.succeed(token, { answer: 1 });
      expect(await opened.ended(token)).toEqual({ output: { answer: 1 } });
      expect(await callbacks.succeed(token, { answer: 2 })).toBe('gone');
      expect(await opened.ended(token)).toEqual({ output: { answer: 1 } });
    });

    orGap('late failure')('a failure after an answer finds nobody', async () => {
      const token = await opened.wait();
      await callbacks.succeed(token, { answer: 1 });
      expect(await opened.ended(token)).toEqual({ output: { answer: 1 } });
      expect(await callbacks.fail(token, 'Second', 'why')).toBe('gone');
    });

    test('an answer to another leaves a state waiting', async () => {
      const [token, other] = [await opened.wait(), await opened.wait()];
      await callbacks.succeed(other, { to: 'other' });
      expect(await opened.ended(token)).toBe('waiting');
      await callbacks.succeed(token, { to: 'own' });
      expect(await opened.ended(token)).toEqual({ output: { to: 'own' } });
    });

    orGap('stopped')('a state that was stopped is gone', async () => {
      const token = await opened.wait();
      await opened.stop(token);
      expect(await callbacks.succeed(token, 'late')).toBe('gone');
    });

    test('a state that never was is gone', async () => {
      expect(await callbacks.succeed('no-token-of-anybody', 'lost')).toBe('gone');
      expect(await callbacks.fail('no-token-of-anybody', 'Lost', 'why')).toBe('gone');
    });
  });
}
