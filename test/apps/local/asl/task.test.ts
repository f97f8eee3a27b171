import { describe, expect, it } from 'vitest';
import { callback, dice, epoch, invoke, machine, simulate, types } from './simulated-engine.ts';

const end = { Type: 'Succeed' };

function throwing(name: string, message = 'boom'): never {
  const error = new Error(message);
  error.name = name;
  throw error;
}

describe('invoking a function', () => {
  it("gives the service's envelope as the result, and a function's nothing as null", async () => {
    const { run } = simulate({ f: () => undefined });
    const execution = await run(machine({ A: { ...invoke('f'), End: true } }));
    expect(execution.output).toMatchObject({ Payload: null, StatusCode: 200, ExecutedVersion: '$LATEST' });
    expect(types(execution)).toEqual([
      'ExecutionStarted',
      'TaskStateEntered',
      'TaskScheduled',
      'TaskStarted',
      'TaskSucceeded',
      'TaskStateExited',
      'ExecutionSucceeded',
    ]);
  });

  it('leaves out of the result what JSON leaves out', async () => {
    const { run } = simulate({ f: () => ({ a: undefined, b: 1 }) });
    const execution = await run(
      machine({ A: { ...invoke('f'), Output: '{% $states.result.Payload %}', End: true } }),
    );
    expect(execution.output).toEqual({ b: 1 });
  });

  it('refuses a result that JSON has no word for', async () => {
    const { run } = simulate({ f: () => ({ deep: [Number.NaN] }) });
    const execution = await run(machine({ A: { ...invoke('f'), End: true } }));
    expect(execution).toMatchObject({
      error: 'States.Runtime',
      cause: "f returned no JSON: NaN at '/deep/0'",
    });
  });

  it('sends the Arguments and names the function as written', async () => {
    const { run, calls } = simulate({ f: () => 1 });
    const execution = await run(
      machine({ A: { ...invoke('f', { n: '{% $states.input.n %}' }), End: true } }),
      { n: 7 },
    );
    expect(calls).toMatchObject([{ name: 'f', payload: { n: 7 } }]);
    expect(execution.history[2]).toMatchObject({
      type: 'TaskScheduled',
      resourceType: 'lambda',
      resource: 'invoke',
      parameters: { FunctionName: 'f', Payload: { n: 7 } },
    });
  });

  it('keeps what a function does to its event out of the history and of the next attempt', async () => {
    const { run, calls } = simulate({
      f: (event: { list: number[] }) => {
        event.list.push(9);
        if (calls.length === 1) throwing('Again');
        return event.list;
      },
    });
    const execution = await run(
      machine({ A: { ...invoke('f', { list: [1] }), Retry: [{ ErrorEquals: ['Again'] }], End: true } }),
    );
    expect(execution.output).toMatchObject({ Payload: [1, 9] });
    expect(execution.history[2]).toMatchObject({ parameters: { Payload: { list: [1] } } });
  });

  it("fails with the error's name and Lambda's form of a cause", async () => {
    const { run } = simulate({ f: () => throwing('PlanDrifted', 'seal differs') });
    const execution = await run(machine({ A: { ...invoke('f'), End: true } }));
    expect(execution).toMatchObject({
      status: 'FAILED',
      error: 'PlanDrifted',
      cause: '{"errorType":"PlanDrifted","errorMessage":"seal differs"}',
    });
  });

  it("leaves the cause of Lambda's own refusals as text", async () => {
    const { run } = simulate({ f: () => throwing('Lambda.TooManyRequestsException', 'Rate Exceeded.') });
    const execution = await run(machine({ A: { ...invoke('f'), End: true } }));
    expect(execution).toMatchObject({ error: 'Lambda.TooManyRequestsException', cause: 'Rate Exceeded.' });
  });

  it('times out after TimeoutSeconds, with an empty cause, and ignores the late answer', async () => {
    const { run, clock } = simulate(
      { f: () => new Promise((resolve) => clock.at(clock.now() + 100_000, () => resolve('late'))) },
      { elsewhere: true },
    );
    const execution = await run(
      machine({
        A: {
          ...invoke('f'),
          TimeoutSeconds: '{% $states.input.t %}',
          Catch: [{ ErrorEquals: ['States.Timeout'], Next: 'E' }],
          Next: 'E',
        },
        E: end,
      }),
      { t: 30 },
    );
    expect(execution).toMatchObject({ status: 'SUCCEEDED', output: { Error: 'States.Timeout', Cause: '' } });
    expect(execution.history.find(({ type }) => type === 'TaskTimedOut')).toMatchObject({
      error: 'States.Timeout',
    });
    expect((execution.stopTime ?? 0) - epoch).toBe(30_000);
  });
});

describe('Retry', () => {
  const retrying = (retry: object[], rest: object = {}) =>
    machine({
      A: { ...invoke('f', '{% $states.context.State.RetryCount %}'), Retry: retry, Next: 'E', ...rest },
      E: end,
    });

  it('waits longer each time, up to MaxDelaySeconds, and counts each attempt as a transition', async () => {
    const { run, calls } = simulate({ f: () => throwing('Busy') });
    const execution = await run(
      retrying([
        { ErrorEquals: ['Busy'], IntervalSeconds: 2, BackoffRate: 3, MaxAttempts: 4, MaxDelaySeconds: 20 },
      ]),
    );
    expect(execution.status).toBe('FAILED');
    expect(calls.map(({ at }) => (at - epoch) / 1000)).toEqual([0, 2, 8, 26, 46]);
    expect(calls.map(({ payload }) => payload)).toEqual([0, 1, 2, 3, 4]);
    expect(execution.transitions).toBe(5);
    expect(types(execution).filter((type) => type === 'TaskStateEntered')).toHaveLength(1);
    expect(types(execution).filter((type) => type === 'TaskScheduled')).toHaveLength(5);
  });

  it('tries three times more by default, a second apart and doubling', async () => {
    const { run, calls } = simulate({ f: () => throwing('Busy') });
    await run(retrying([{ ErrorEquals: ['States.TaskFailed'] }]));
    expect(calls.map(({ at }) => (at - epoch) / 1000)).toEqual([0, 1, 3, 7]);
  });

  it('spreads attempts over the whole delay with full jitter', async () => {
    const { run, calls } = simulate({ f: () => throwing('Busy') }, { random: () => 0.25 });
    await run(
      retrying([{ ErrorEquals: ['Busy'], IntervalSeconds: 8, MaxAttempts: 1, JitterStrategy: 'FULL' }]),
    );
    expect(calls.map(({ at }) => (at - epoch) / 1000)).toEqual([0, 2]);
  });

  it('counts attempts for each retrier by itself, and does not fall through to a later one', async () => {
    const errors = ['A', 'B', 'A', 'A', 'B'];
    const { run, calls } = simulate({ f: () => throwing(errors[calls.length - 1] ?? 'End') });
    const execution = await run(
      retrying([
        { ErrorEquals: ['A'], MaxAttempts: 2 },
        { ErrorEquals: ['B', 'States.ALL'], MaxAttempts: 9 },
      ]),
    );
    expect(calls).toHaveLength(4);
    expect(execution.error).toBe('A');
  });

  it('never tries again with MaxAttempts 0', async () => {
    const { run, calls } = simulate({ f: () => throwing('A') });
    await run(retrying([{ ErrorEquals: ['A'], MaxAttempts: 0 }, { ErrorEquals: ['States.ALL'] }]));
    expect(calls).toHaveLength(1);
  });
});

describe('Catch', () => {
  it('goes where the first matching catcher says, with the error as output and in variables', async () => {
    const { run } = simulate({ f: () => throwing('Denied', 'no') });
    const execution = await run(
      machine({
        A: {
          ...invoke('f'),
          Assign: { never: 1 },
          Catch: [
            { ErrorEquals: ['Other'], Next: 'Wrong' },
            {
              ErrorEquals: ['States.TaskFailed'],
              Assign: { why: '{% $parse($states.errorOutput.Cause).errorMessage %}' },
              Output: { error: '{% $states.errorOutput.Error %}', input: '{% $states.input.n %}' },
              Next: 'E',
            },
            { ErrorEquals: ['States.ALL'], Next: 'Wrong' },
          ],
          Next: 'Wrong',
        },
        Wrong: { Type: 'Fail' },
        E: {
          Type: 'Succeed',
          Output: '{% $merge([$states.input, {"why": $why, "never": $exists($never)}]) %}',
        },
      }),
      { n: 3 },
    );
    expect(execution.output).toEqual({ error: 'Denied', input: 3, why: 'no', never: false });
  });

  it('catches an expression that fails in Arguments', async () => {
    const { run } = simulate();
    const execution = await run(
      machine({
        A: {
          ...invoke('f', '{% $states.input.gone %}'),
          Catch: [{ ErrorEquals: ['States.QueryEvaluationError'], Output: 'caught', Next: 'E' }],
          Next: 'E',
        },
        E: end,
      }),
    );
    expect(execution.output).toBe('caught');
  });

  it.each([
    ['States.Timeout', 'States.TaskFailed', false],
    ['States.Timeout', 'States.ALL', true],
    ['Any', 'States.TaskFailed', true],
    ['States.DataLimitExceeded', 'States.ALL', false],
    ['States.DataLimitExceeded', 'States.TaskFailed', false],
    ['States.DataLimitExceeded', 'States.DataLimitExceeded', true],
    ['States.Runtime', 'States.ALL', false],
    ['States.Runtime', 'States.Runtime', false],
    ['Any', 'any', false],
  ])('of %s by %s: %s', async (error, name, caught) => {
    const { run } = simulate({ f: () => throwing(error) });
    const execution = await run(
      machine({ A: { ...invoke('f'), Catch: [{ ErrorEquals: [name], Next: 'E' }], Next: 'E' }, E: end }),
    );
    expect(execution.status).toBe(caught ? 'SUCCEEDED' : 'FAILED');
  });
});

describe('waiting for a task token', () => {
  const waiting = (more: object = {}) => machine({ A: callback('f', { Next: 'E', ...more }), E: end });

  it("ends with the callback's output, however long after", async () => {
    const { run, engine, clock } = simulate({
      f: ({ token }: { token: string }) => {
        clock.at(clock.now() + 3_600_000, () => engine.sendTaskSuccess(token, '{"ok":true}'));
      },
    });
    const execution = await run(waiting());
    expect(execution.output).toEqual({ ok: true });
    expect(clock.now() - epoch).toBe(3_600_000);
    expect(types(execution).slice(2, 7)).toEqual([
      'TaskScheduled',
      'TaskStarted',
      'TaskSubmitted',
      'TaskSucceeded',
      'TaskStateExited',
    ]);
  });

  it('accepts an answer that overtakes the function', async () => {
    const { run, engine } = simulate({
      f: ({ token }: { token: string }) => engine.sendTaskSuccess(token, '"early"'),
    });
    const execution = await run(waiting());
    expect(execution.output).toBe('early');
    expect(types(execution)).not.toContain('TaskSubmitted');
  });

  it("fails with the callback's error", async () => {
    const { run, engine } = simulate({
      f: ({ token }: { token: string }) => engine.sendTaskFailure(token, 'Denied', 'not on Fridays'),
    });
    expect(await run(waiting())).toMatchObject({ error: 'Denied', cause: 'not on Fridays' });
  });

  it('fails when the function fails, and its token is over then', async () => {
    let token = '';
    const { run, engine } = simulate({
      f: (payload: { token: string }) => {
        token = payload.token;
        throwing('Broken');
      },
    });
    expect((await run(waiting())).error).toBe('Broken');
    expect(() => engine.sendTaskSuccess(token, '1')).toThrow(
      expect.objectContaining({ name: 'TaskTimedOut' }),
    );
  });

  it('makes a new token for each attempt, and refuses the old one', async () => {
    const tokens: string[] = [];
    const refusals: string[] = [];
    const { run, engine, clock } = simulate({
      f: ({ token }: { token: string }) => {
        tokens.push(token);
        if (tokens.length < 2) return;
        clock.at(clock.now() + 1000, () => {
          for (const [index, known] of tokens.entries()) {
            try {
              engine.sendTaskSuccess(known, JSON.stringify(index));
            } catch (error) {
              refusals.push((error as Error).name);
            }
          }
        });
      },
    });
    const execution = await run(
      waiting({ TimeoutSeconds: 60, Retry: [{ ErrorEquals: ['States.Timeout'], MaxAttempts: 1 }] }),
    );
    expect(new Set(tokens).size).toBe(2);
    expect(refusals).toEqual(['TaskTimedOut']);
    expect(execution.output).toBe(1);
    expect(Math.max(...tokens.map(({ length }) => length))).toBeLessThanOrEqual(2048);
  });

  it('goes on while heartbeats come, and ends when they stop', async () => {
    const { run, engine, clock } = simulate({
      f: ({ token }: { token: string }) => {
        for (const minute of [1, 2, 3]) {
          clock.at(clock.now() + minute * 60_000, () => engine.sendTaskHeartbeat(token));
        }
      },
    });
    const execution = await run(
      waiting({
        HeartbeatSeconds: 90,
        TimeoutSeconds: 3600,
        Catch: [{ ErrorEquals: ['States.HeartbeatTimeout'], Next: 'E' }],
      }),
    );
    expect(execution.output).toEqual({ Error: 'States.Timeout', Cause: '' });
    expect((clock.now() - epoch) / 1000).toBe(180 + 90);
  });

  it('does not take a timeout for a missed heartbeat, nor let heartbeats move the timeout', async () => {
    const { run, engine, clock } = simulate({
      f: ({ token }: { token: string }) => {
        for (const minute of [1, 2, 3, 4]) {
          clock.at(clock.now() + minute * 60_000, () => {
            try {
              engine.sendTaskHeartbeat(token);
            } catch {}
          });
        }
      },
    });
    const execution = await run(
      waiting({
        HeartbeatSeconds: 90,
        TimeoutSeconds: 200,
        Catch: [{ ErrorEquals: ['States.HeartbeatTimeout'], Next: 'E' }],
      }),
    );
    expect(execution).toMatchObject({ status: 'FAILED', error: 'States.Timeout' });
    expect(((execution.stopTime ?? 0) - epoch) / 1000).toBe(200);
  });

  it('tells the three refusals apart', async () => {
    const refused = (act: () => void) => {
      try {
        act();
        return 'accepted';
      } catch (error) {
        return (error as Error).name;
      }
    };
    const tokens: string[] = [];
    const answers: string[] = [];
    const answering = () => {
      const simulation = simulate({
        f: ({ token }: { token: string }) => {
          tokens.push(token);
          answers.push(refused(() => simulation.engine.sendTaskSuccess(token, '1')));
          answers.push(refused(() => simulation.engine.sendTaskSuccess(token, '2')));
        },
      });
      return simulation;
    };
    const one = answering();
    const other = simulate(
      { f: ({ token }: { token: string }) => other.engine.sendTaskSuccess(token, '1') },
      { random: dice(2) },
    );
    await one.run(waiting());
    await other.run(waiting());
    const token = tokens[0] ?? '';
    expect(answers).toEqual(['accepted', 'TaskTimedOut']);
    expect(refused(() => one.engine.sendTaskSuccess(token, '3'))).toBe('TaskTimedOut');
    expect(refused(() => one.engine.sendTaskHeartbeat(token))).toBe('TaskTimedOut');
    expect(refused(() => other.engine.sendTaskFailure(token, 'E', 'c'))).toBe('TaskDoesNotExist');
    expect(refused(() => one.engine.sendTaskSuccess('gibberish', '2'))).toBe('InvalidToken');
    expect(refused(() => one.engine.sendTaskSuccess(token.slice(0, 80), '2'))).toBe('InvalidToken');
  });

  it('refuses an output that is no JSON or too long, and goes on waiting', async () => {
    const names: string[] = [];
    const { run, engine } = simulate({
      f: ({ token }: { token: string }) => {
        for (const output of ['{', JSON.stringify('x'.repeat(262_144)), '"good"']) {
          try {
            engine.sendTaskSuccess(token, output);
          } catch (error) {
            names.push((error as Error).name);
          }
        }
      },
    });
    expect((await run(waiting())).output).toBe('good');
    expect(names).toEqual(['InvalidOutput', 'ValidationException']);
  });
});
