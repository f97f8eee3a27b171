import { describe, expect, it } from 'vitest';
import { callback, dice, epoch, invoke, machine, simulate, types } from './simulated-engine.ts';

const end = { Type: 'Succeed' };

const distributed = (states: Record<string, object>, more: object = {}) => ({
  Type: 'Map',
  Label: 'Batches',
  ItemProcessor: { ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' }, ...machine(states) },
  ...more,
});

const reader = (InputType: string, Key = 'items', more: object = {}) => ({
  Resource: 'arn:aws:states:::s3:getObject',
  ReaderConfig: { InputType, ...more },
  Arguments: { Bucket: 'b', Key },
});

const writer = (Bucket = 'b', Prefix = 'results/') => ({
  Resource: 'arn:aws:states:::s3:putObject',
  Arguments: { Bucket, Prefix },
});

/** Fails for odd numbers. */
const picky = {
  f: (n: number) => {
    if (n % 2 === 1) throw Object.assign(new Error(`no ${n}`), { name: 'Odd' });
    return n;
  },
};

const work = {
  A: { ...invoke('f', '{% $states.input %}'), Output: '{% $states.result.Payload %}', End: true },
};

describe('distributed Map', () => {
  it.each([
    ['JSON', '[1, 2, 3]'],
    ['JSONL', '1\n2\n\n3\n'],
  ])('runs a child execution for each item of a %s object', async (type, body) => {
    const { run, objects, engine } = simulate({ f: (n: number) => n * 2 });
    objects.set('b/items', body);
    const execution = await run(machine({ M: distributed(work, { ItemReader: reader(type), End: true }) }));
    expect(execution.output).toEqual([2, 4, 6]);
    const children = engine.executions().filter((one) => one !== execution);
    expect(children.map(({ input }) => input)).toEqual([1, 2, 3]);
    for (const child of children) {
      expect(child.arn).toBe(`arn:aws:states:us-east-1:000000000000:execution:m/Batches:${child.name}`);
      expect(child.stateMachineArn).toBe('arn:aws:states:us-east-1:000000000000:stateMachine:m/Batches');
      expect(types(child)).toContain('TaskSucceeded');
    }
    expect(types(execution)).toEqual([
      'ExecutionStarted',
      'MapStateEntered',
      'MapStateStarted',
      'MapRunStarted',
      'MapRunSucceeded',
      'MapStateSucceeded',
      'MapStateExited',
      'ExecutionSucceeded',
    ]);
  });

  it('bills each child for its start and its states, and the parent for its own', async () => {
    const { run, objects, engine } = simulate(picky);
    objects.set('b/items', '[2, 4, 6]');
    const execution = await run(
      machine({ M: distributed(work, { ItemReader: reader('JSON'), Next: 'E' }), E: end }),
    );
    expect(execution.transitions).toBe(2);
    expect(execution.totalTransitions).toBe(2 + 3 * 2);
    expect(engine.transitions()).toBe(8);
  });

  it('hides the variables of the parent from its children, where they may be assigned anew', async () => {
    const { run } = simulate();
    const execution = await run(
      machine({
        S: { Type: 'Pass', Assign: { x: 1 }, Next: 'M' },
        M: distributed(
          {
            A: { Type: 'Pass', Output: '{% $exists($x) %}', Assign: { x: 2 }, Next: 'B' },
            B: { Type: 'Pass', Output: { saw: '{% $states.input %}', x: '{% $x %}' }, End: true },
          },
          { Items: [1], Next: 'E' },
        ),
        E: { Type: 'Succeed', Output: { children: '{% $states.input %}', x: '{% $x %}' } },
      }),
    );
    expect(execution.output).toEqual({ children: [{ saw: false, x: 2 }], x: 1 });
  });

  it('gives ItemSelector the item, and children their own context', async () => {
    const { run } = simulate();
    const execution = await run(
      machine({
        M: distributed(
          {
            A: {
              Type: 'Pass',
              Output: {
                input: '{% $states.context.Execution.Input %}',
                item: '{% $exists($states.context.Map) %}',
                machine: '{% $states.context.StateMachine.Name %}',
              },
              End: true,
            },
          },
          {
            Items: ['a'],
            ItemSelector: { of: '{% $states.input.wave %}', item: '{% $states.context.Map.Item %}' },
            End: true,
          },
        ),
      }),
      { wave: 1 },
    );
    expect(execution.output).toEqual([
      { input: { of: 1, item: { Index: 0, Value: 'a' } }, item: false, machine: 'm/Batches' },
    ]);
  });

  it('runs no more children at once than MaxConcurrency', async () => {
    const { run, clock } = simulate();
    await run(
      machine({
        M: distributed(
          { W: { Type: 'Wait', Seconds: 10, End: true } },
          { Items: [1, 2, 3, 4, 5], MaxConcurrency: 2, End: true },
        ),
      }),
    );
    expect((clock.now() - epoch) / 1000).toBe(30);
  });

  it('reads no more than MaxItems', async () => {
    const { run, objects } = simulate(picky);
    objects.set('b/items', '[2, 4, 6]');
    const execution = await run(
      machine({
        M: distributed(work, { ItemReader: reader('JSON', 'items', { MaxItems: '{% 2 %}' }), End: true }),
      }),
    );
    expect(execution.output).toEqual([2, 4]);
  });

  it('succeeds with no items at all', async () => {
    const { run, objects } = simulate();
    objects.set('b/items', '[]');
    const execution = await run(
      machine({ M: distributed(work, { ItemReader: reader('JSON'), ResultWriter: writer(), End: true }) }),
    );
    expect(execution.status).toBe('SUCCEEDED');
    const manifest = JSON.parse(
      [...objects.entries()].find(([key]) => key.endsWith('manifest.json'))?.[1] ?? '',
    );
    expect(manifest.ResultFiles).toEqual({ FAILED: [], PENDING: [], SUCCEEDED: [] });
  });

  it.each([
    ['gone', 'NoSuchKey'],
    ['object', 'not a JSON array'],
    ['text', 'not JSON'],
  ])('fails to read %s', async (key, why) => {
    const { run, objects } = simulate();
    objects.set('b/object', '{"a":1}');
    objects.set('b/text', 'hello');
    const execution = await run(
      machine({
        M: distributed(work, {
          ItemReader: reader('JSON', key),
          Catch: [
            { ErrorEquals: ['States.ItemReaderFailed'], Output: '{% $states.errorOutput %}', Next: 'E' },
          ],
          Next: 'E',
        }),
        E: end,
      }),
    );
    expect(execution.output).toMatchObject({
      Error: 'States.ItemReaderFailed',
      Cause: expect.stringContaining(why),
    });
  });
});

describe('failing children', () => {
  const run = async (items: number[], tolerance: object) => {
    const simulation = simulate(picky);
    const execution = await simulation.run(
      machine({ M: distributed(work, { Items: items, MaxConcurrency: 1, ...tolerance, End: true }) }),
    );
    return { execution, calls: simulation.calls };
  };

  it('fail the map run at once where nothing is tolerated', async () => {
    const { execution, calls } = await run([2, 1, 4], {});
    expect(execution).toMatchObject({ status: 'FAILED', error: 'States.ExceedToleratedFailureThreshold' });
    expect(calls).toHaveLength(2);
    expect(types(execution).slice(-3)).toEqual(['MapRunFailed', 'MapStateFailed', 'ExecutionFailed']);
  });

  it('are tolerated up to the count, and the next one is not', async () => {
    expect((await run([1, 2, 3, 4], { ToleratedFailureCount: 2 })).execution.status).toBe('SUCCEEDED');
    expect((await run([1, 2, 3, 4, 5], { ToleratedFailureCount: 2 })).execution.status).toBe('FAILED');
  });

  it('are tolerated up to the percentage of all items', async () => {
    expect((await run([1, 2, 3, 4], { ToleratedFailurePercentage: 50 })).execution.status).toBe('SUCCEEDED');
    expect((await run([1, 2, 3, 4], { ToleratedFailurePercentage: '{% 49.9 %}' })).execution.status).toBe(
      'FAILED',
    );
  });

  it('must stay within both limits where both are set', async () => {
    const limits = { ToleratedFailureCount: 1, ToleratedFailurePercentage: 100 };
    expect((await run([1, 3, 4], limits)).execution.status).toBe('FAILED');
  });

  it('stop the children that run when too many have failed', async () => {
    const tokens: string[] = [];
    const {
      run: runMachine,
      engine,
      objects,
    } = simulate({
      wait: ({ token }: { token: string }) => {
        tokens.push(token);
        if (tokens.length === 3) engine.sendTaskFailure(token, 'Lost', 'the last one');
      },
    });
    const execution = await runMachine(
      machine({
        M: distributed(
          { A: callback('wait', { End: true }) },
          { Items: [1, 2, 3], ResultWriter: writer(), End: true },
        ),
      }),
    );
    expect(execution.error).toBe('States.ExceedToleratedFailureThreshold');
    const statuses = engine
      .executions()
      .filter((one) => one !== execution)
      .map(({ status }) => status);
    expect(statuses).toEqual(['ABORTED', 'ABORTED', 'FAILED']);
    expect(() => engine.sendTaskSuccess(tokens[0] ?? '', '1')).toThrow(
      expect.objectContaining({ name: 'TaskTimedOut' }),
    );
    const files = [...objects.keys()].map((key) => key.replace(/.*\//, '')).sort();
    expect(files).toEqual(['FAILED_0.json', 'PENDING_0.json', 'manifest.json']);
  });
});

describe('ResultWriter', () => {
  it('writes the manifest and the executions by how they ended', async () => {
    const { run, objects, clock } = simulate(picky);
    const execution = await run(
      machine({
        M: distributed(work, {
          Items: [2, 1],
          ToleratedFailurePercentage: 100,
          ResultWriter: writer(),
          End: true,
        }),
      }),
    );
    const { MapRunArn, ResultWriterDetails } = execution.output as unknown as {
      MapRunArn: string;
      ResultWriterDetails: { Bucket: string; Key: string };
    };
    expect(MapRunArn).toMatch(/^arn:aws:states:us-east-1:000000000000:mapRun:m\/Batches:[0-9a-f-]{36}$/);
    const folder = `results/${MapRunArn.split(':').at(-1)}`;
    expect(ResultWriterDetails).toEqual({ Bucket: 'b', Key: `${folder}/manifest.json` });
    const read = (name: string) => JSON.parse(objects.get(`b/${folder}/${name}`) ?? '');
    expect(read('manifest.json')).toEqual({
      DestinationBucket: 'b',
      MapRunArn,
      ResultFiles: {
        FAILED: [{ Key: `${folder}/FAILED_0.json`, Size: objects.get(`b/${folder}/FAILED_0.json`)?.length }],
        PENDING: [],
        SUCCEEDED: [
          { Key: `${folder}/SUCCEEDED_0.json`, Size: objects.get(`b/${folder}/SUCCEEDED_0.json`)?.length },
        ],
      },
    });
    expect(read('SUCCEEDED_0.json')).toEqual([
      expect.objectContaining({
        ExecutionArn: expect.stringContaining(':execution:m/Batches:'),
        Input: '2',
        InputDetails: { Included: true },
        Output: '2',
        OutputDetails: { Included: true },
        RedriveCount: 0,
        Status: 'SUCCEEDED',
        StartDate: '2026-11-03T22:00:00.000Z',
        StateMachineArn: 'arn:aws:states:us-east-1:000000000000:stateMachine:m/Batches',
      }),
    ]);
    expect(read('FAILED_0.json')).toEqual([
      expect.objectContaining({
        Error: 'Odd',
        Cause: '{"errorType":"Odd","errorMessage":"no 1"}',
        Input: '1',
        Status: 'FAILED',
      }),
    ]);
    expect(clock.now()).toBe(epoch);
  });

  it('fails the Map where it may not write', async () => {
    const { run } = simulate(picky);
    const execution = await run(
      machine({ M: distributed(work, { Items: [2], ResultWriter: writer('locked'), End: true }) }),
    );
    expect(execution).toMatchObject({ error: 'States.ResultWriterFailed' });
    expect(execution.cause).toContain('AccessDenied');
  });

  it('is what keeps a large map within 256 KiB: without it the outputs are the result', async () => {
    const { run } = simulate({ f: () => 'x'.repeat(50_000) });
    const map = (more: object) =>
      machine({ M: distributed(work, { Items: [1, 2, 3, 4, 5, 6], ...more, End: true }) });
    expect((await run(map({}))).error).toBe('States.DataLimitExceeded');
    expect((await run(map({ ResultWriter: writer() }))).status).toBe('SUCCEEDED');
  });
});

describe('at scale', () => {
  it('runs 2,000 children of four states within seconds, and keeps only counts where told', async () => {
    let events = 0;
    const { run, objects, engine } = simulate(
      { f: (n: number) => n },
      { children: 'count', random: dice(7), observe: () => events++ },
    );
    objects.set('b/items', JSON.stringify(Array.from({ length: 2000 }, (_, index) => index)));
    const started = performance.now();
    const execution = await run(
      machine({
        M: distributed(
          {
            A: {
              ...invoke('f', '{% $states.input %}'),
              TimeoutSeconds: 60,
              Output: '{% $states.result.Payload %}',
              Next: 'C',
            },
            C: {
              Type: 'Choice',
              Choices: [{ Condition: '{% $states.input % 2 = 0 %}', Next: 'W' }],
              Default: 'W',
            },
            W: { Type: 'Wait', Seconds: 60, Next: 'S' },
            S: { Type: 'Succeed', Output: { done: '{% $states.input %}' } },
          },
          { ItemReader: reader('JSON'), ResultWriter: writer(), End: true },
        ),
      }),
    );
    expect(execution.status).toBe('SUCCEEDED');
    expect(execution.totalTransitions).toBe(1 + 2000 * 5);
    expect(engine.executions()).toEqual([execution]);
    expect(events).toBe(8 + 2000 * 13);
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});
