/** Owns small definitions about tasks: their answers, failures, retries, timeouts and tokens. */
import type { Rehearsal } from './rehearsal.ts';
import { call, callback, catchAll, caught, failing, rehearsal } from './small.ts';

export const taskFeatures: Readonly<Record<string, Rehearsal>> = {
  'a Task catches what its own expressions fail at': rehearsal({
    A: call({ x: '{% $states.input.nothing %}' }, { Catch: catchAll, End: true }),
    Caught: { Type: 'Succeed', Output: '{% $states.input.Error %}' },
  }),
  'a Task retries with backoff up to the longest delay': rehearsal(
    {
      A: call(
        { x: 1 },
        {
          Retry: [
            {
              ErrorEquals: ['Broken'],
              IntervalSeconds: 2,
              BackoffRate: 3,
              MaxAttempts: 5,
              MaxDelaySeconds: 20,
            },
          ],
          End: true,
        },
      ),
    },
    {},
    failing(5),
  ),
  'a Task retries with jitter from the dice': rehearsal(
    {
      A: call(
        { x: 1 },
        {
          Retry: [
            {
              ErrorEquals: ['Broken'],
              IntervalSeconds: 4,
              MaxAttempts: 6,
              JitterStrategy: 'FULL',
              MaxDelaySeconds: 50,
            },
          ],
          Output: { r: '{% $random() %}', s: '{% $shuffle([1..9]) %}', a: '{% $states.result.Payload %}' },
          End: true,
        },
      ),
    },
    {},
    failing(6),
    { dice: { seed: 20261121 } },
  ),
  'retriers count apart, and defaults are three attempts doubling from a second': rehearsal(
    {
      A: call(
        { x: 1 },
        {
          Retry: [
            { ErrorEquals: ['First'], IntervalSeconds: 7, MaxAttempts: 2 },
            { ErrorEquals: ['States.TaskFailed'] },
          ],
          Catch: catchAll,
          End: true,
        },
      ),
      Caught: caught,
    },
    {},
    (_name, _payload, attempt) => ({ error: attempt % 2 ? 'First' : 'Second', message: `n ${attempt}` }),
  ),
  'a used up retrier hands over to no later one': rehearsal(
    {
      A: call(
        { x: 1 },
        {
          Retry: [
            { ErrorEquals: ['Broken'], MaxAttempts: 1 },
            { ErrorEquals: ['States.ALL'], MaxAttempts: 5 },
          ],
          Catch: [
            { ErrorEquals: ['Other'], Next: 'Never' },
            {
              ErrorEquals: ['Broken'],
              Assign: { e: '{% $states.errorOutput.Error %}', c: '{% $states.errorOutput.Cause %}' },
              Output: { in: '{% $states.input %}', out: '{% $states.errorOutput %}' },
              Next: 'Caught',
            },
          ],
          End: true,
        },
      ),
      Never: { Type: 'Fail' },
      Caught: { Type: 'Succeed', Output: { e: '{% $e %}', c: '{% $parse($c) %}', i: '{% $states.input %}' } },
    },
    { given: true },
    failing(9),
  ),
  'MaxAttempts 0 retries never': rehearsal(
    {
      A: call(
        {},
        {
          Retry: [{ ErrorEquals: ['Broken'], MaxAttempts: 0 }, { ErrorEquals: ['States.ALL'] }],
          Catch: catchAll,
          End: true,
        },
      ),
      Caught: caught,
    },
    {},
    failing(9),
  ),
  'an error that nobody catches ends the execution': rehearsal(
    { A: call({}, { Catch: [{ ErrorEquals: ['Other'], Next: 'B' }], End: true }), B: { Type: 'Succeed' } },
    {},
    failing(9),
  ),
  'the retry count is in the context': rehearsal(
    {
      A: call(
        { n: '{% $states.context.State.RetryCount %}' },
        { Retry: [{ ErrorEquals: ['Broken'] }], End: true },
      ),
    },
    {},
    (_name, payload) => (payload.n === 2 ? { result: payload } : { error: 'Broken', message: 'no' }),
  ),
  'what Lambda refuses has its own names': rehearsal(
    {
      A: call(
        {},
        {
          Retry: [{ ErrorEquals: ['Lambda.TooManyRequestsException'], IntervalSeconds: 1 }],
          Catch: catchAll,
          End: true,
        },
      ),
      Caught: { Type: 'Succeed', Output: '{% $states.input.Error %}' },
    },
    {},
    (_name, _payload, attempt) => ({
      error: attempt < 3 ? 'Lambda.TooManyRequestsException' : 'Lambda.ServiceException',
      message: 'busy',
    }),
  ),
  'a Task that lasts too long is caught as a timeout': rehearsal(
    {
      A: call(
        {},
        { TimeoutSeconds: 30, Catch: [{ ErrorEquals: ['States.Timeout'], Next: 'Caught' }], End: true },
      ),
      Caught: caught,
    },
    {},
    () => ({ silent: true }),
  ),
  'a timeout is no failure of the task': rehearsal(
    {
      A: call(
        {},
        {
          TimeoutSeconds: 30,
          Retry: [{ ErrorEquals: ['States.TaskFailed'] }],
          Catch: [
            { ErrorEquals: ['States.TaskFailed'], Next: 'Failed' },
            { ErrorEquals: ['States.ALL'], Next: 'Caught' },
          ],
          End: true,
        },
      ),
      Failed: { Type: 'Fail' },
      Caught: caught,
    },
    {},
    () => ({ silent: true }),
  ),
  'a timeout is retried by name': rehearsal(
    {
      A: call(
        {},
        { TimeoutSeconds: 30, Retry: [{ ErrorEquals: ['States.Timeout'], IntervalSeconds: 9 }], End: true },
      ),
    },
    {},
    (_name, _payload, attempt) => (attempt < 3 ? { silent: true } : { result: attempt }),
  ),
  'a callback completes its task': rehearsal(
    {
      A: callback({ q: '{% $states.input.q %}' }, { Assign: { a: '{% $states.result %}' }, Next: 'B' }),
      B: { Type: 'Succeed' },
    },
    { q: 'why?' },
    (_name, payload) => ({ success: { answer: payload.q ?? null, also: [1, { x: null }] } }),
  ),
  'a callback fails its task, which retries with another token': rehearsal(
    {
      A: callback(
        {},
        {
          Retry: [{ ErrorEquals: ['Refused'], IntervalSeconds: 130, BackoffRate: 1 }],
          Catch: catchAll,
          End: true,
        },
      ),
      Caught: caught,
    },
    {},
    (_name, _payload, attempt) =>
      attempt < 3 ? { failure: 'Refused', cause: 'not now' } : { failure: 'Final', cause: 'a "cause"' },
  ),
  'a callback that the function itself fails at': rehearsal(
    { A: callback({}, { Catch: catchAll, End: true }), Caught: caught },
    {},
    () => ({ error: 'Broken', message: 'before it was sent' }),
  ),
  'a callback that never comes times out by an expression': rehearsal(
    {
      A: callback(
        {},
        {
          TimeoutSeconds: '{% $states.input.t %}',
          Catch: [{ ErrorEquals: ['States.Timeout'], Next: 'Caught' }],
          End: true,
        },
      ),
      Caught: caught,
    },
    { t: 86_400 },
    () => ({ silent: true }),
  ),
};
