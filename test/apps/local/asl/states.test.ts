import { describe, expect, it } from 'vitest';
import { epoch, invoke, machine, simulate, types } from './simulated-engine.ts';

const second = 1000;

describe('Pass, Succeed and Fail', () => {
  it('passes its input on where no Output is written', async () => {
    const { run } = simulate();
    const execution = await run(machine({ A: { Type: 'Pass', Next: 'B' }, B: { Type: 'Succeed' } }), {
      a: 1,
    });
    expect(execution).toMatchObject({ status: 'SUCCEEDED', output: { a: 1 } });
  });

  it('numbers events as the service does: the first state follows event 0', async () => {
    const { run } = simulate();
    const { history } = await run(machine({ A: { Type: 'Pass', Next: 'B' }, B: { Type: 'Succeed' } }));
    expect(history.map(({ id, previousEventId, type }) => [id, previousEventId, type])).toEqual([
      [1, 0, 'ExecutionStarted'],
      [2, 0, 'PassStateEntered'],
      [3, 2, 'PassStateExited'],
      [4, 3, 'SucceedStateEntered'],
      [5, 4, 'SucceedStateExited'],
      [6, 5, 'ExecutionSucceeded'],
    ]);
  });

  it('fails with the error and cause that it computes', async () => {
    const { run } = simulate();
    const execution = await run(
      machine({ A: { Type: 'Fail', Error: 'Stopped', Cause: "{% 'because ' & $states.input.why %}" } }),
      { why: 'of reasons' },
    );
    expect(execution).toMatchObject({ status: 'FAILED', error: 'Stopped', cause: 'because of reasons' });
    expect(types(execution)).toEqual(['ExecutionStarted', 'FailStateEntered', 'ExecutionFailed']);
  });

  it('computes Output and Assign from the variables as they were on entry', async () => {
    const { run } = simulate();
    const execution = await run(
      machine({
        A: { Type: 'Pass', Assign: { x: 1, y: 10 }, Next: 'B' },
        B: {
          Type: 'Pass',
          Assign: { x: '{% $y %}', y: '{% $x %}' },
          Output: { seen: '{% $x %}' },
          Next: 'C',
        },
        C: { Type: 'Succeed', Output: { before: '{% $states.input.seen %}', x: '{% $x %}', y: '{% $y %}' } },
      }),
    );
    expect(execution.output).toEqual({ before: 1, x: 10, y: 1 });
    expect(execution.history.filter(({ assignedVariables }) => assignedVariables)[1]).toMatchObject({
      assignedVariables: { x: 10, y: 1 },
    });
  });

  it('keeps a null variable, which is not the same as none', async () => {
    const { run } = simulate();
    const execution = await run(
      machine({
        A: { Type: 'Pass', Assign: { reason: null }, Next: 'B' },
        B: { Type: 'Succeed', Output: '{% {"reason": $reason} %}' },
      }),
    );
    expect(execution.output).toEqual({ reason: null });
  });
});

describe('Choice', () => {
  const choice = (rest: object) =>
    machine({
      C: {
        Type: 'Choice',
        Choices: [
          { Condition: '{% $states.input.n > 5 %}', Next: 'Big', Assign: { size: 'big' }, Output: 'rule' },
          { Condition: '{% $states.input.n > 3 %}', Next: 'Middle' },
        ],
        ...rest,
      },
      Big: { Type: 'Succeed', Output: { was: '{% $states.input %}', size: '{% $size %}' } },
      Middle: { Type: 'Succeed', Output: 'middle' },
      Small: { Type: 'Succeed', Output: { was: '{% $states.input %}', size: '{% $size %}' } },
    });

  it('takes the first rule that holds, with its own Assign and Output', async () => {
    const { run } = simulate();
    expect((await run(choice({ Default: 'Small' }), { n: 9 })).output).toEqual({ was: 'rule', size: 'big' });
    expect((await run(choice({ Default: 'Small' }), { n: 4 })).output).toBe('middle');
  });

  it('takes the Default with the Assign and Output of the state', async () => {
    const { run } = simulate();
    const definition = choice({ Default: 'Small', Assign: { size: 'small' }, Output: 'state' });
    expect((await run(definition, { n: 1 })).output).toEqual({ was: 'state', size: 'small' });
  });

  it('fails where no rule holds and there is no Default', async () => {
    const { run } = simulate();
    const execution = await run(choice({}), { n: 1 });
    expect(execution).toMatchObject({ status: 'FAILED', error: 'States.NoChoiceMatched' });
  });

  it('fails where a condition is no boolean', async () => {
    const { run } = simulate();
    const execution = await run(
      machine({
        C: { Type: 'Choice', Choices: [{ Condition: '{% $states.input.n %}', Next: 'E' }], Default: 'E' },
        E: { Type: 'Succeed' },
      }),
      { n: 1 },
    );
    expect(execution.error).toBe('States.QueryEvaluationError');
    expect(execution.cause).toContain("'Choices[0]/Condition' expected a boolean, but was 1");
  });
});

describe('Wait', () => {
  const wait = (how: object) => machine({ W: { Type: 'Wait', ...how, Next: 'E' }, E: { Type: 'Succeed' } });

  it.each([
    [{ Seconds: 90 }, 90],
    [{ Seconds: '{% $states.input.s * 2 %}' }, 60],
    [{ Timestamp: '2026-11-03T22:10:00Z' }, 600],
    [{ Timestamp: "{% $fromMillis($toMillis('2026-11-03T23:00:00Z')) %}" }, 3600],
    [{ Timestamp: '2026-11-03T23:30:00+01:00' }, 1800],
    [{ Timestamp: '2020-01-01T00:00:00Z' }, 0],
    [{ Seconds: 0 }, 0],
  ])('%j lasts %d seconds', async (how, seconds) => {
    const { run, clock } = simulate();
    expect((await run(wait(how), { s: 30 })).status).toBe('SUCCEEDED');
    expect(clock.now() - epoch).toBe(seconds * second);
  });

  it.each([
    ['{% -1 %}', 'a whole number from 0'],
    ['{% 1.5 %}', 'a whole number from 0'],
    ["{% 'soon' %}", 'a whole number from 0'],
  ])('refuses Seconds of %s', async (Seconds, expected) => {
    const { run } = simulate();
    const execution = await run(wait({ Seconds }));
    expect(execution.error).toBe('States.QueryEvaluationError');
    expect(execution.cause).toContain(expected);
  });

  it('refuses a Timestamp without a zone', async () => {
    const { run } = simulate();
    const execution = await run(wait({ Timestamp: "{% '2026-11-03T22:00:00' %}" }));
    expect(execution.cause).toContain('expected a timestamp');
  });
});

describe('expressions', () => {
  const output = (Output: unknown) => machine({ A: { Type: 'Pass', Output, End: true } });

  it('reports what returned nothing, where, and in which state', async () => {
    const { run } = simulate();
    const execution = await run(output({ a: { b: '{% $states.input.gone %}' } }));
    expect(execution.error).toBe('States.QueryEvaluationError');
    expect(execution.cause).toBe(
      "An error occurred while executing the state 'A' (entered at the event id #2). The JSONata expression " +
        "'$states.input.gone' specified for the field 'Output/a/b' returned nothing (undefined).",
    );
    expect(execution.history[2]).toMatchObject({
      type: 'EvaluationFailed',
      location: 'Output/a/b',
      state: 'A',
    });
  });

  it('reports what threw, and what is no JSON', async () => {
    const { run } = simulate();
    expect((await run(output('{% 1 + "a" %}'))).cause).toContain('T2002');
    expect((await run(output('{% $sum %}'))).cause).toContain('unsupported result type: function');
    expect((await run(output('{% {"f": function($x){$x}} %}'))).cause).toContain("function at '/f'");
  });

  it('leaves strings alone that do not begin and end with the marks', async () => {
    const { run } = simulate();
    const literal = { a: ' {% 1 %} ', b: 'x {% 1 %}', c: '$states.input', d: [null, 1, { e: '{% 1 %}' }] };
    expect((await run(output(literal))).output).toEqual({ ...literal, d: [null, 1, { e: 1 }] });
  });

  it('carries a one-element array from state to state as an array', async () => {
    const { run } = simulate();
    const execution = await run(
      machine({
        A: { Type: 'Pass', Assign: { xs: '{% $states.input.xs[n = 1][] %}' }, Next: 'B' },
        B: { Type: 'Pass', Output: { xs: '{% $xs %}', count: '{% $count($xs) %}' }, End: true },
      }),
      { xs: [{ n: 1 }, { n: 2 }] },
    );
    expect(execution.output).toEqual({ xs: [{ n: 1 }], count: 1 });
  });

  it('shows the context object', async () => {
    const { run } = simulate({ f: (payload) => payload });
    const execution = await run(
      machine({
        A: { ...invoke('f', '{% $states.context %}'), Output: '{% $states.result.Payload %}', End: true },
      }),
      { a: 1 },
    );
    expect(execution.output).toEqual({
      Execution: {
        Id: execution.arn,
        Input: { a: 1 },
        Name: execution.name,
        RoleArn: 'arn:aws:iam::000000000000:role/m',
        StartTime: '2026-11-03T22:00:00.000Z',
        RedriveCount: 0,
      },
      State: { Name: 'A', EnteredTime: '2026-11-03T22:00:00.000Z', RetryCount: 0 },
      StateMachine: { Id: 'arn:aws:states:us-east-1:000000000000:stateMachine:m', Name: 'm' },
    });
  });
});

describe('limits', () => {
  const long = 'x'.repeat(262_145);

  it('fails a state whose output is too large, even past States.ALL', async () => {
    const { run } = simulate({ f: () => 'x'.repeat(262_100) });
    const execution = await run(
      machine({
        A: { ...invoke('f'), Catch: [{ ErrorEquals: ['States.ALL'], Next: 'E' }], Next: 'E' },
        E: { Type: 'Succeed' },
      }),
    );
    expect(execution).toMatchObject({ status: 'FAILED', error: 'States.DataLimitExceeded' });
  });

  it('fails a state that assigns too much', async () => {
    const { run } = simulate();
    const execution = await run(
      machine({
        A: {
          Type: 'Pass',
          Assign: { x: `{% $pad('', 140000, 'x') %}`, y: `{% $pad('', 140000, 'x') %}` },
          End: true,
        },
      }),
    );
    expect(execution.error).toBe('States.DataLimitExceeded');
  });

  it('refuses to start with too large an input', () => {
    const { start } = simulate();
    expect(() => start(machine({ A: { Type: 'Succeed' } }), { long })).toThrow('input takes');
  });

  it('ends an execution that would write more than 25,000 events', async () => {
    const { run } = simulate();
    const execution = await run(machine({ A: { Type: 'Pass', Next: 'B' }, B: { Type: 'Pass', Next: 'A' } }));
    expect(execution).toMatchObject({ status: 'FAILED', error: 'States.Runtime', eventCount: 25_000 });
    expect(execution.cause).toContain('maximum number of history events (25000)');
    expect(execution.history.at(-1)?.type).toBe('ExecutionFailed');
  });

  it('ends an execution after its own TimeoutSeconds, in the middle of a Wait', async () => {
    const { run, clock } = simulate();
    const execution = await run({
      TimeoutSeconds: 60,
      ...machine({ W: { Type: 'Wait', Seconds: 3600, Next: 'E' }, E: { Type: 'Succeed' } }),
    });
    expect(execution).toMatchObject({ status: 'TIMED_OUT', error: 'States.Timeout' });
    expect(clock.now() - epoch).toBe(60 * second);
    expect(types(execution).slice(-2)).toEqual(['WaitStateAborted', 'ExecutionTimedOut']);
  });
});
