import { describe, expect, it } from 'vitest';
import { createEngine } from '../../../../apps/local/asl/engine.ts';
import type { Execution } from '../../../../apps/local/asl/execution.ts';
import type { HistoryEvent } from '../../../../apps/local/asl/history.ts';
import { createClock } from '../../../../apps/local/clock.ts';
import { callback, epoch, invoke, machine, simulate, types } from './simulated-engine.ts';

const waiting = machine({ W: { Type: 'Wait', Seconds: 60, Next: 'E' }, E: { Type: 'Succeed' } });

const refusal = (act: () => unknown): string => {
  try {
    act();
    return 'accepted';
  } catch (error) {
    return (error as Error).name;
  }
};

describe('starting an execution', () => {
  const loaded = () => {
    const simulation = simulate();
    simulation.engine.load('m', { QueryLanguage: 'JSONata', ...waiting });
    return simulation;
  };

  it('gives the running execution for the same name and input, and refuses another input', async () => {
    const { engine } = loaded();
    const first = engine.start('m', 'one', { a: 1 });
    expect(engine.start('m', 'one', { a: 1 })).toBe(first);
    expect(refusal(() => engine.start('m', 'one', { a: 2 }))).toBe('ExecutionAlreadyExists');
    await first.done;
    expect(refusal(() => engine.start('m', 'one', { a: 1 }))).toBe('ExecutionAlreadyExists');
  });

  it.each(['', 'a:b', 'a b', 'a/b', 'x'.repeat(81), 'tab\tbed', 'a*'])('refuses the name %j', (name) => {
    const { engine } = loaded();
    expect(refusal(() => engine.start('m', name, {}))).toBe('InvalidName');
  });

  it('accepts a name of 80 characters, and makes one where none is given', () => {
    const { engine } = loaded();
    expect(engine.start('m', 'x'.repeat(80), {}).arn).toMatch(/:execution:m:x{80}$/);
    expect(engine.start('m', undefined, {}).name).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab]/);
  });

  it('refuses a machine that is not loaded', () => {
    expect(refusal(() => loaded().engine.start('other', 'a', {}))).toBe('StateMachineDoesNotExist');
  });

  it('runs with the definition that was loaded when it started', async () => {
    const { engine } = loaded();
    const before = engine.start('m', 'before', {});
    engine.load('m', { QueryLanguage: 'JSONata', ...machine({ E: { Type: 'Succeed', Output: 'new' } }) });
    const after = engine.start('m', 'after', {});
    await Promise.all([before.done, after.done]);
    expect([before.output, after.output]).toEqual([{}, 'new']);
  });

  it('finds executions by ARN and by name', () => {
    const { engine } = loaded();
    const one = engine.start('m', 'one', {});
    expect(engine.execution(one.arn)).toBe(one);
    expect(engine.execution('one')).toBe(one);
    expect(engine.execution('two')).toBeUndefined();
  });
});

describe('stopping an execution', () => {
  it('ends what waits in it, children included, and leaves the clock alone', async () => {
    let parent: Execution | undefined;
    const { start, engine, clock } = simulate({
      f: () => {
        clock.at(
          clock.now() + 5000,
          () => void engine.stopExecution(parent?.arn ?? '', 'ByHand', 'seen enough'),
        );
      },
    });
    parent = start(
      machine({
        M: {
          Type: 'Map',
          Items: [1],
          ItemProcessor: {
            ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
            ...machine({ A: callback('f', { TimeoutSeconds: 86_400, End: true }) }),
          },
          Catch: [{ ErrorEquals: ['States.ALL'], Next: 'E' }],
          Next: 'E',
        },
        E: { Type: 'Succeed' },
      }),
    );
    await parent.done;
    expect(parent).toMatchObject({ status: 'ABORTED', error: 'ByHand', cause: 'seen enough' });
    expect(types(parent).slice(-3)).toEqual(['MapRunAborted', 'MapStateAborted', 'ExecutionAborted']);
    const child = engine.executions().find((one) => one !== parent);
    expect(child?.status).toBe('ABORTED');
    expect(clock.now() - epoch).toBe(5000);
  });

  it('ignores what a stopped function still answers', async () => {
    const { start, engine, clock } = simulate(
      { f: () => new Promise((resolve) => clock.at(clock.now() + 60_000, () => resolve(1))) },
      { elsewhere: true },
    );
    const execution = start(machine({ A: { ...invoke('f'), Next: 'B' }, B: { Type: 'Pass', End: true } }));
    clock.at(epoch + 1000, () => void engine.stopExecution(execution.arn));
    await execution.done;
    await new Promise<void>((resolve) => clock.at(epoch + 120_000, resolve));
    expect(execution.status).toBe('ABORTED');
    expect(types(execution).at(-1)).toBe('ExecutionAborted');
  });

  it('keeps the first reason where it is stopped twice', async () => {
    const { start, engine } = simulate();
    const execution = start(waiting);
    await Promise.all([
      engine.stopExecution(execution.arn, 'First'),
      engine.stopExecution(execution.arn, 'Second'),
    ]);
    expect(execution.error).toBe('First');
  });

  it('changes nothing once it has ended, and refuses what never was', async () => {
    const { run, engine } = simulate();
    const execution = await run(waiting);
    await engine.stopExecution(execution.arn);
    expect(execution.status).toBe('SUCCEEDED');
    await expect(engine.stopExecution('nobody')).rejects.toMatchObject({ name: 'ExecutionDoesNotExist' });
  });
});

describe('on the real clock', () => {
  it('times a task out while its function is still busy', async () => {
    let release = () => {};
    const clock = createClock(epoch, () => performance.now());
    const engine = createEngine({
      clock,
      random: () => 0.5,
      invoke: () => new Promise<void>((resolve) => (release = resolve)),
      objects: { get: async () => '', put: async () => {} },
    });
    engine.load('m', {
      QueryLanguage: 'JSONata',
      ...machine({ A: { ...invoke('f'), TimeoutSeconds: 1, End: true } }),
    });
    const execution = engine.start('m', 'a', {});
    await execution.done;
    release();
    expect(execution.error).toBe('States.Timeout');
    expect((execution.stopTime ?? 0) - epoch).toBeGreaterThanOrEqual(1000);
  });
});

describe('observing', () => {
  it('tells of every event, stamped by the clock', async () => {
    const seen: HistoryEvent[] = [];
    const { run } = simulate({}, { observe: (event) => seen.push(event) });
    const execution = await run(waiting);
    expect(seen).toEqual(execution.history);
    expect(seen.map(({ timestamp }) => (timestamp - epoch) / 1000)).toEqual([0, 0, 60, 60, 60, 60]);
  });
});
