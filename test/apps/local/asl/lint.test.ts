import { describe, expect, it } from 'vitest';
import { lintDefinition } from '../../../../apps/local/asl/lint.ts';
import { callback, invoke, machine } from './simulated-engine.ts';

const because = { Comment: 'Because.' };
const end = { Type: 'Succeed', ...because };

/** `state | path | message` for each finding. */
function lint(states: Record<string, object>): string[] {
  return lintDefinition({ QueryLanguage: 'JSONata', ...machine(states) }).map(
    ({ state, path, message }) => `${state} | ${path} | ${message}`,
  );
}

/** Findings about a state `A` that goes on to a good end. */
const about = (state: object) => lint({ A: { ...because, Next: 'E', ...state }, E: end });

const distributed = (more: object = {}, states: Record<string, object> = { I: end }) => ({
  Type: 'Map',
  Label: 'L',
  MaxConcurrency: 10,
  ItemProcessor: { ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' }, ...machine(states) },
  ...more,
});

const reader = (more: object = {}) => ({
  Resource: 'arn:aws:states:::s3:getObject',
  ReaderConfig: { InputType: 'JSON' },
  Arguments: { Bucket: 'b', Key: 'k' },
  ...more,
});

describe('a good machine', () => {
  it('has no findings', () => {
    expect(
      lint({
        S: { Type: 'Pass', ...because, Assign: { n: 1, x: '{% $states.input.x %}' }, Next: 'C' },
        C: {
          Type: 'Choice',
          ...because,
          Choices: [{ Condition: '{% $n > 1 %}', Next: 'W', Assign: { y: 1 } }],
          Default: 'W',
          Assign: { y: 2 },
        },
        W: { Type: 'Wait', ...because, Seconds: '{% $y %}', Next: 'M' },
        M: {
          ...distributed(
            {
              ItemReader: reader({ ReaderConfig: { InputType: 'JSON', MaxItems: '{% $n %}' } }),
              ItemSelector: { i: '{% $states.context.Map.Item.Value %}', y: '{% $y %}' },
              ItemBatcher: { MaxItemsPerBatch: 5, BatchInput: '{% $x %}' },
              ResultWriter: {
                Resource: 'arn:aws:states:::s3:putObject',
                Arguments: { Bucket: 'b', Prefix: 'p' },
              },
            },
            { T: { ...callback('f', { TimeoutSeconds: 60 }), ...because, End: true } },
          ),
          ...because,
          Catch: [
            { ErrorEquals: ['States.Timeout'], Next: 'E' },
            {
              ErrorEquals: ['States.ALL'],
              Assign: { why: '{% $states.errorOutput %}' },
              Output: null,
              Next: 'F',
            },
          ],
          Next: 'P',
        },
        P: {
          Type: 'Map',
          ...because,
          Items: '{% $states.input %}',
          ItemProcessor: machine({
            I: { Type: 'Pass', ...because, Output: '{% [$y, $states.context.Map.Item.Index] %}', End: true },
          }),
          Output: '{% $states.result %}',
          Next: 'E',
        },
        E: { ...end, Output: '{% $exists($why) ? $why : $n %}' },
        F: { Type: 'Fail', ...because, Error: 'Failed', Cause: '{% $why.Cause %}' },
      }),
    ).toEqual([]);
  });
});

describe('form', () => {
  it.each<[string, object, string]>([
    ['no Comment', { Type: 'Pass', Comment: undefined }, 'A | Comment | has no Comment'],
    ['an empty Comment', { Type: 'Pass', Comment: ' ' }, 'A | Comment | has no Comment'],
    [
      'a Choice without Default',
      { Type: 'Choice', Next: undefined, Choices: [{ Condition: true, Next: 'E' }] },
      'A | Default |',
    ],
    [
      'a Retry of States.ALL',
      { ...invoke('f'), Retry: [{ ErrorEquals: ['States.ALL'] }] },
      'A | Retry[0] | retries States.ALL',
    ],
    [
      'a Catch of States.ALL that is not last',
      {
        ...invoke('f'),
        Catch: [
          { ErrorEquals: ['States.ALL'], Next: 'E' },
          { ErrorEquals: ['B'], Next: 'E' },
        ],
      },
      'A | Catch[0] | catches States.ALL before the last',
    ],
    [
      'a Catch of States.ALL and more',
      { ...invoke('f'), Catch: [{ ErrorEquals: ['B', 'States.ALL'], Next: 'E' }] },
      'A | Catch[0] | names errors beside States.ALL',
    ],
    [
      'a Catch that loses the error',
      { ...invoke('f'), Catch: [{ ErrorEquals: ['States.ALL'], Output: {}, Next: 'E' }] },
      'A | Catch[0] | catches States.ALL and loses the error',
    ],
    ['a callback without a timeout', callback('f'), 'A | TimeoutSeconds | waits for a callback without'],
    [
      'a callback without a token',
      { ...callback('f', { TimeoutSeconds: 5 }), Arguments: { FunctionName: 'f', Payload: {} } },
      'A | Arguments | waits for a callback and gives nobody the token',
    ],
  ])('finds %s', (_, state, expected) => {
    expect(about(state)).toEqual([expect.stringContaining(expected)]);
  });

  it('finds a bare end, where a branch or iteration may have one', () => {
    const bare = { Type: 'Pass', ...because, End: true };
    expect(lint({ A: bare })).toEqual([
      'A | End | ends the execution without saying how: go to a named Succeed or Fail',
    ]);
    expect(about({ Type: 'Parallel', Branches: [machine({ I: bare })] })).toEqual([]);
  });

  it('finds states that nothing reaches, at any depth', () => {
    const branch = machine({ I: end, J: end });
    expect(
      lint({ A: { Type: 'Parallel', ...because, Branches: [branch], Next: 'E' }, E: end, X: end }),
    ).toEqual(['X |  | cannot be reached from the start', 'J |  | cannot be reached from the start']);
  });

  it('finds a loop without a way out', () => {
    const pass = (Next: string) => ({ Type: 'Pass', ...because, Next });
    expect(
      lint({
        A: { Type: 'Choice', ...because, Choices: [{ Condition: true, Next: 'B' }], Default: 'E' },
        B: pass('C'),
        C: pass('B'),
        E: end,
      }),
    ).toEqual([
      expect.stringContaining('B |  | leads to no end'),
      expect.stringContaining('C |  | leads to no end'),
    ]);
  });
});

describe('maps', () => {
  it.each<[string, object, string]>([
    [
      'ItemReader in INLINE mode',
      { Type: 'Map', ItemProcessor: machine({ I: end }), ItemReader: reader() },
      'ItemReader | does nothing in INLINE mode',
    ],
    [
      'ResultWriter in INLINE mode',
      {
        Type: 'Map',
        ItemProcessor: { ProcessorConfig: { Mode: 'INLINE' }, ...machine({ I: end }) },
        ResultWriter: { WriterConfig: { Transformation: 'FLATTEN', OutputType: 'JSON' } },
      },
      'ResultWriter | does nothing in INLINE mode',
    ],
    ['no MaxConcurrency', distributed({ MaxConcurrency: undefined }), 'MaxConcurrency | is missing'],
    [
      'Parameters of JSONPath',
      distributed({ ItemReader: { ...reader(), Parameters: {} } }),
      'ItemReader/Parameters | is not a field',
    ],
    [
      'a reader without a key',
      distributed({ ItemReader: reader({ Arguments: { Bucket: 'b' } }) }),
      'ItemReader/Arguments/Key | is missing',
    ],
    [
      'a reader without a type',
      distributed({ ItemReader: reader({ ReaderConfig: {} }) }),
      'InputType | is missing',
    ],
    [
      'a reader without a configuration',
      distributed({ ItemReader: reader({ ReaderConfig: undefined }) }),
      'ReaderConfig | is missing',
    ],
    [
      'an unknown type',
      distributed({ ItemReader: reader({ ReaderConfig: { InputType: 'XML' } }) }),
      'InputType | must be one of',
    ],
    [
      'headers without CSV',
      distributed({ ItemReader: reader({ ReaderConfig: { InputType: 'JSON', CSVHeaders: [] } }) }),
      'CSVHeaders | is for InputType CSV',
    ],
    [
      'MaxItems of zero',
      distributed({ ItemReader: reader({ ReaderConfig: { InputType: 'JSON', MaxItems: 0 } }) }),
      'MaxItems | must be a whole number',
    ],
    [
      'an unknown reader',
      distributed({ ItemReader: reader({ Resource: 'arn:aws:states:::s3:headObject' }) }),
      'ItemReader/Resource | is',
    ],
    ['an empty batcher', distributed({ ItemBatcher: {} }), 'ItemBatcher | needs MaxItemsPerBatch'],
    [
      'a misspelt batcher',
      distributed({ ItemBatcher: { MaxItemsPerBatch: 5, BatchSize: 5 } }),
      'ItemBatcher/BatchSize | is not a field',
    ],
    [
      'a batch too large',
      distributed({ ItemBatcher: { MaxInputBytesPerBatch: 262_145 } }),
      'MaxInputBytesPerBatch | must be a whole number',
    ],
    ['an empty writer', distributed({ ResultWriter: {} }), 'ResultWriter | is empty'],
    [
      'a writer to nowhere',
      distributed({ ResultWriter: { Resource: 'arn:aws:states:::s3:putObject' } }),
      'ResultWriter/Arguments | must be an object',
    ],
    [
      'a writer with a key',
      distributed({
        ResultWriter: { Resource: 'arn:aws:states:::s3:putObject', Arguments: { Bucket: 'b', Key: 'k' } },
      }),
      'ResultWriter/Arguments/Key | is not a field',
    ],
    [
      'an unknown transformation',
      distributed({ ResultWriter: { WriterConfig: { Transformation: 'ZIP', OutputType: 'JSON' } } }),
      'Transformation | must be one of',
    ],
  ])('finds %s', (_, state, expected) => {
    expect(about(state)).toEqual([expect.stringContaining(expected)]);
  });
});

describe('expressions', () => {
  it.each<[string, object, string]>([
    [
      'what does not parse',
      { Type: 'Pass', Output: { a: ['{% 1 + %}'] } },
      'A | Output/a[0] | does not parse',
    ],
    ['a bare name', { Type: 'Pass', Output: '{% total %}' }, 'stands alone'],
    ['a space before the mark', { Type: 'Pass', Output: ' {% 1 %}' }, 'is not evaluated'],
    ['marks inside a sentence', { Type: 'Pass', Output: 'wave {% $states.input.n %}' }, 'is not evaluated'],
    ['$states without marks', { Type: 'Pass', Output: '$states.input.n' }, 'reads $states outside'],
    ['a variable without marks', { Type: 'Pass', Output: '$n' }, 'looks like an expression'],
    ['a JSONPath', { Type: 'Pass', Output: '$.n' }, 'looks like an expression'],
    ['a name that ends in .$', { Type: 'Pass', Output: { 'n.$': 'text' } }, 'ends in .$'],
    ['an intrinsic function', { Type: 'Pass', Output: "States.Format('{}', 1)" }, 'intrinsic function'],
    [
      '$states.result in a Choice',
      {
        Type: 'Choice',
        Next: undefined,
        Choices: [{ Condition: '{% $states.result.ok %}', Next: 'E' }],
        Default: 'E',
      },
      'A | Choices[0]/Condition | reads $states.result in a Choice',
    ],
    [
      '$states.result in a Pass',
      { Type: 'Pass', Output: '{% $states.result %}' },
      'reads $states.result in a Pass',
    ],
    ['$states.result in Arguments', invoke('f', '{% $states.result %}'), 'before there is one'],
    [
      '$states.result in a catcher',
      { ...invoke('f'), Catch: [{ ErrorEquals: ['B'], Output: '{% $states.result %}', Next: 'E' }] },
      'A | Catch[0]/Output | reads $states.result in a catcher',
    ],
    [
      '$states.errorOutput outside of a catcher',
      { ...invoke('f'), Output: '{% $states.errorOutput %}' },
      'outside of a catcher',
    ],
    [
      'a token of no callback',
      invoke('f', '{% $states.context.Task.Token %}'),
      'outside of the Arguments of a callback',
    ],
    [
      'a token in Output',
      { ...callback('f', { TimeoutSeconds: 5 }), Output: '{% $states.context.Task.Token %}' },
      'A | Output | reads $states.context.Task',
    ],
    [
      'an item outside of a Map',
      { Type: 'Pass', Output: '{% $states.context.Map.Item.Index %}' },
      'outside of an ItemSelector',
    ],
    [
      'a retry count of a Pass',
      { Type: 'Pass', Output: '{% $states.context.State.RetryCount %}' },
      'not retried',
    ],
  ])('finds %s', (_, state, expected) => {
    expect(about(state)).toEqual([expect.stringContaining(expected)]);
  });

  it('finds an item in a distributed child, which does not see it', () => {
    const child = { Type: 'Succeed', ...because, Output: '{% $states.context.Map.Item.Value %}' };
    expect(about(distributed({}, { I: child }))).toEqual([
      expect.stringContaining('I | Output | reads $states.context.Map'),
    ]);
  });
});

describe('variables', () => {
  const pass = (more: object) => ({ Type: 'Pass', ...because, ...more });
  const missing = (state: string, path: string, name: string) =>
    `${state} | ${path} | reads $${name}, which is not assigned on every path to this state`;

  it('finds one that is assigned nowhere', () => {
    expect(about({ Type: 'Pass', Output: '{% $nobody %}' })).toEqual([missing('A', 'Output', 'nobody')]);
  });

  it('finds one that is read by the state that assigns it', () => {
    expect(about({ Type: 'Pass', Assign: { x: 1, y: '{% $x %}' } })).toEqual([missing('A', 'Assign/y', 'x')]);
  });

  it('finds one that only some paths assign', () => {
    const states = (Default: string) => ({
      C: { Type: 'Choice', ...because, Choices: [{ Condition: true, Next: 'X' }], Default },
      X: pass({ Assign: { x: 1 }, Next: 'E' }),
      E: { ...end, Output: '{% $x %}' },
    });
    expect(lint(states('E'))).toEqual([missing('E', 'Output', 'x')]);
    expect(lint(states('X'))).toEqual([]);
  });

  it('knows that a catcher has its own assignments and not those of the state', () => {
    const states = (Assign: object) => ({
      T: {
        ...invoke('f'),
        ...because,
        Assign: { x: 1 },
        Catch: [{ ErrorEquals: ['B'], Assign, Next: 'E' }],
        Next: 'E',
      },
      E: { ...end, Output: '{% $x %}' },
    });
    expect(lint(states({ y: 1 }))).toEqual([missing('E', 'Output', 'x')]);
    expect(lint(states({ x: 1 }))).toEqual([]);
  });

  it('knows that a rule has its own assignments and not those of the Choice', () => {
    expect(
      lint({
        C: {
          Type: 'Choice',
          ...because,
          Assign: { x: 1 },
          Choices: [{ Condition: true, Next: 'E' }],
          Default: 'E',
        },
        E: { ...end, Output: '{% $x %}' },
      }),
    ).toEqual([missing('E', 'Output', 'x')]);
  });

  it('follows loops', () => {
    expect(
      lint({
        S: pass({ Assign: { wave: 1 }, Next: 'C' }),
        C: {
          Type: 'Choice',
          ...because,
          Choices: [{ Condition: '{% $wave > 3 and $last %}', Next: 'E' }],
          Default: 'N',
        },
        N: pass({ Assign: { wave: '{% $wave + 1 %}', last: true }, Next: 'C' }),
        E: end,
      }),
    ).toEqual([missing('C', 'Choices[0]/Condition', 'last')]);
  });

  it('lets inline iterations read outer variables, and distributed children none', () => {
    const map = (mode: object) =>
      lint({
        S: pass({ Assign: { x: 1 }, Next: 'M' }),
        M: { ...because, ...distributed({}, { I: { ...end, Output: '{% $x %}' } }), ...mode, Next: 'E' },
        E: end,
      });
    expect(map({})).toEqual([missing('I', 'Output', 'x')]);
    const inline = {
      Type: 'Map',
      Label: undefined,
      ItemProcessor: machine({ I: { ...end, Output: '{% $x %}' } }),
    };
    expect(map(inline)).toEqual([]);
  });

  it('leaves those alone that an expression asks about, binds, or takes as parameters', () => {
    expect(about({ Type: 'Pass', Output: '{% $exists($x) ? $x : 0 %}' })).toEqual([]);
    expect(about({ Type: 'Pass', Output: '{% ($x := 1; $map([1], function($y) { $x + $y })) %}' })).toEqual(
      [],
    );
    expect(
      about({ Type: 'Pass', Output: '{% ($f := function($n) { $n > 0 ? $f($n - 1) : 0 }; $f(3)) %}' }),
    ).toEqual([]);
  });

  it('finds a binding that is read after its block', () => {
    expect(about({ Type: 'Pass', Output: '{% ($x := 1; $x) + $x %}' })).toEqual([
      missing('A', 'Output', 'x'),
    ]);
  });

  it('finds a variable that hides a function', () => {
    expect(about({ Type: 'Pass', Assign: { count: 1 } })).toEqual([
      'A | Assign/count | hides the function $count',
    ]);
  });
});
