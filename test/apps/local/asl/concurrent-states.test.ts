import { describe, expect, it } from 'vitest';
import { callback, epoch, invoke, machine, simulate, types } from './simulated-engine.ts';

const end = { Type: 'Succeed' };
const wait = (Seconds: unknown, more: object = {}) => ({ Type: 'Wait', Seconds, End: true, ...more });

describe('Parallel', () => {
  const parallel = (branches: object[], more: object = {}) =>
    machine({ P: { Type: 'Parallel', Branches: branches, Next: 'E', ...more }, E: end });

  it('runs its branches at once on the same Arguments, and gives their outputs in order', async () => {
    const { run, clock } = simulate();
    const execution = await run(
      parallel(
        [
          machine({ A: wait('{% $states.input.n %}', { Output: 'a' }) }),
          machine({ B: wait(10, { Output: 'b' }) }),
        ],
        {
          Arguments: { n: 30 },
        },
      ),
    );
    expect(execution.output).toEqual(['a', 'b']);
    expect(clock.now() - epoch).toBe(30_000);
  });

  it('ends the other branches when one fails, and reports that failure', async () => {
    const { run, clock } = simulate({ f: () => {} });
    const execution = await run(
      parallel([
        machine({ A: wait(3600) }),
        machine({
          B: wait(5, { End: undefined, Next: 'F' }),
          F: { Type: 'Fail', Error: 'Bad', Cause: 'luck' },
        }),
        machine({ T: callback('f', { End: true }) }),
      ]),
    );
    expect(execution).toMatchObject({ status: 'FAILED', error: 'Bad', cause: 'luck' });
    expect(clock.now() - epoch).toBe(5000);
    expect(types(execution)).toEqual(expect.arrayContaining(['WaitStateAborted', 'TaskStateAborted']));
    expect(types(execution).slice(-2)).toEqual(['ParallelStateFailed', 'ExecutionFailed']);
  });

  it('retries all its branches, and catches', async () => {
    const { run, calls } = simulate({
      f: () => {
        throw Object.assign(new Error('x'), { name: 'Bad' });
      },
    });
    const execution = await run(
      parallel([machine({ A: { ...invoke('f'), End: true } })], {
        Retry: [{ ErrorEquals: ['Bad'], MaxAttempts: 1 }],
        Catch: [{ ErrorEquals: ['States.ALL'], Output: '{% $states.errorOutput.Error %}', Next: 'E' }],
      }),
    );
    expect(execution.output).toBe('Bad');
    expect(calls).toHaveLength(2);
    expect(types(execution).filter((type) => type === 'ParallelStateStarted')).toHaveLength(2);
    // Parallel, its retry, A twice, E.
    expect(execution.transitions).toBe(5);
  });

  it('lets branches read the outer variables and keeps theirs apart', async () => {
    const { run } = simulate();
    const branch = (name: string, value: number) =>
      machine({
        [name]: { Type: 'Pass', Assign: { mine: value }, Next: `${name}2` },
        [`${name}2`]: { Type: 'Pass', Output: '{% $outer + $mine %}', End: true },
      });
    const execution = await run(
      machine({
        S: { Type: 'Pass', Assign: { outer: 100 }, Next: 'P' },
        P: { Type: 'Parallel', Branches: [branch('A', 1), branch('B', 2)], Next: 'E' },
        E: { Type: 'Succeed', Output: { sums: '{% $states.input %}', leaked: '{% $exists($mine) %}' } },
      }),
    );
    expect(execution.output).toEqual({ sums: [101, 102], leaked: false });
  });
});

describe('inline Map', () => {
  const map = (states: Record<string, object>, more: object = {}) =>
    machine({ M: { Type: 'Map', ItemProcessor: machine(states), Next: 'E', ...more }, E: end });

  it('runs an iteration for each item, on what ItemSelector makes of it', async () => {
    const { run } = simulate();
    const execution = await run(
      map(
        {
          A: {
            Type: 'Pass',
            Output: '{% [$states.input.n, $states.context.Map.Item.Index, $states.context.Map.Item.Value] %}',
            End: true,
          },
        },
        {
          Items: '{% $states.input.xs %}',
          ItemSelector: { n: '{% $states.context.Map.Item.Value * $states.input.by %}' },
        },
      ),
      { xs: [1, 2], by: 10 },
    );
    expect(execution.output).toEqual([
      [10, 0, 1],
      [20, 1, 2],
    ]);
    expect(types(execution).slice(1, 8)).toEqual([
      'MapStateEntered',
      'MapStateStarted',
      'MapIterationStarted',
      'PassStateEntered',
      'MapIterationStarted',
      'PassStateEntered',
      'PassStateExited',
    ]);
  });

  it('takes the input as items where none are named, and refuses what is no array', async () => {
    const { run } = simulate();
    expect((await run(map({ A: { Type: 'Pass', End: true } }), [1, 2])).output).toEqual([1, 2]);
    expect((await run(map({ A: { Type: 'Pass', End: true } }), [])).output).toEqual([]);
    expect(await run(map({ A: { Type: 'Pass', End: true } }), { a: 1 })).toMatchObject({
      status: 'FAILED',
      error: 'States.QueryEvaluationError',
    });
  });

  it.each([
    [2, 50],
    [0, 10],
    ['{% 5 %}', 20],
  ])('with MaxConcurrency %j takes %d seconds for ten waits of ten', async (MaxConcurrency, seconds) => {
    const { run, clock } = simulate();
    await run(map({ A: wait(10) }, { MaxConcurrency }), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect((clock.now() - epoch) / 1000).toBe(seconds);
  });

  it('fails with the first iteration that fails, and starts no more', async () => {
    const { run, calls } = simulate({
      f: (n: number) => {
        if (n === 2) throw Object.assign(new Error('x'), { name: 'Bad' });
      },
    });
    const execution = await run(
      map({ A: { ...invoke('f', '{% $states.input %}'), End: true } }, { MaxConcurrency: 1 }),
      [1, 2, 3],
    );
    expect(execution).toMatchObject({ status: 'FAILED', error: 'Bad' });
    expect(calls.map(({ payload }) => payload)).toEqual([1, 2]);
    expect(types(execution).slice(-3)).toEqual(['MapIterationFailed', 'MapStateFailed', 'ExecutionFailed']);
  });

  it('reads outer variables in its iterations', async () => {
    const { run } = simulate();
    const execution = await run(
      machine({
        S: { Type: 'Pass', Assign: { by: 3 }, Next: 'M' },
        M: {
          Type: 'Map',
          Items: [1, 2],
          ItemProcessor: machine({ A: { Type: 'Pass', Output: '{% $states.input * $by %}', End: true } }),
          End: true,
        },
      }),
    );
    expect(execution.output).toEqual([3, 6]);
  });
});
