import { describe, expect, it } from 'vitest';
import { DefinitionError } from '../../../../apps/local/asl/errors.ts';
import { callback, invoke, machine, simulate } from './simulated-engine.ts';

const end = { Type: 'Succeed' };
/** What CDK's definitionSubstitutions replaces. */
const token = (name: string) => `$\{${name}}`;

function problems(definition: object, substitutions: Record<string, string> = {}): string {
  try {
    simulate().engine.load('m', { QueryLanguage: 'JSONata', ...definition }, substitutions);
    return '';
  } catch (error) {
    if (error instanceof DefinitionError) return error.problems.join('\n');
    throw error;
  }
}

const state = (value: object) => problems(machine({ A: value, E: end }));

describe('a definition is refused when it is loaded', () => {
  it.each<[string, object, string]>([
    ['JSONPath on top', { QueryLanguage: 'JSONPath', ...machine({ E: end }) }, 'does not run JSONPath'],
    ['no query language', { QueryLanguage: undefined, ...machine({ E: end }) }, 'must be JSONata'],
    ['a start that is not there', { StartAt: 'X', States: { E: end } }, 'StartAt names X'],
    ['an unknown field on top', { Speed: 1, ...machine({ E: end }) }, 'Speed'],
    [
      'a missing substitution',
      machine({ A: { ...invoke(token('Judge')), End: true } }),
      `${token('Judge')} has no substitution`,
    ],
    ['a long name', machine({ ['n'.repeat(81)]: end }), 'longer than 80'],
  ])('%s', (_, definition, message) => {
    expect(problems(definition)).toContain(message);
  });

  it.each<[string, object, string]>([
    ['JSONPath in a state', { Type: 'Pass', QueryLanguage: 'JSONPath', Next: 'E' }, 'does not run JSONPath'],
    ['a field of JSONPath', { Type: 'Pass', InputPath: '$', Next: 'E' }, 'InputPath'],
    ['an unknown type', { Type: 'Activity', Next: 'E' }, 'Type must be'],
    [
      'an unknown resource',
      { ...invoke('f'), Resource: 'arn:aws:states:::sqs:sendMessage', Next: 'E' },
      'sqs:sendMessage',
    ],
    [
      'an unknown argument',
      { ...invoke('f'), Arguments: { FunctionName: 'f', InvocationType: 'Event' }, Next: 'E' },
      'InvocationType',
    ],
    ['neither Next nor End', { Type: 'Pass' }, 'either Next or End'],
    ['both Next and End', { Type: 'Pass', Next: 'E', End: true }, 'either Next or End'],
    ['a Next that is not there', { Type: 'Pass', Next: 'X' }, 'Next names X'],
    [
      'a catcher to nowhere',
      { ...invoke('f'), Catch: [{ ErrorEquals: ['A'], Next: 'X' }], Next: 'E' },
      'Next names X',
    ],
    [
      'a rule to nowhere',
      { Type: 'Choice', Choices: [{ Condition: true, Next: 'X' }], Default: 'E' },
      'Next names X',
    ],
    [
      'a default to nowhere',
      { Type: 'Choice', Choices: [{ Condition: true, Next: 'E' }], Default: 'X' },
      'Next names X',
    ],
    [
      'a condition that is no expression',
      { Type: 'Choice', Choices: [{ Condition: '$x', Next: 'E' }] },
      'Condition',
    ],
    [
      'two ways to wait',
      { Type: 'Wait', Seconds: 1, Timestamp: '2026-01-01T00:00:00Z', Next: 'E' },
      'either Seconds or Timestamp',
    ],
    ['no way to wait', { Type: 'Wait', Next: 'E' }, 'either Seconds or Timestamp'],
    [
      'a heartbeat of an invocation',
      { ...invoke('f'), HeartbeatSeconds: 5, Next: 'E' },
      'HeartbeatSeconds needs',
    ],
    [
      'a heartbeat as long as the timeout',
      { ...callback('f', { TimeoutSeconds: 5, HeartbeatSeconds: 5 }), Next: 'E' },
      'HeartbeatSeconds must be smaller',
    ],
    ['a timeout of zero', { ...invoke('f'), TimeoutSeconds: 0, Next: 'E' }, 'TimeoutSeconds'],
    [
      'a delay cap below the interval',
      { ...invoke('f'), Retry: [{ ErrorEquals: ['A'], IntervalSeconds: 9, MaxDelaySeconds: 5 }], Next: 'E' },
      'MaxDelaySeconds',
    ],
    [
      'an unknown field of Retry',
      { ...invoke('f'), Retry: [{ ErrorEquals: ['A'], Jitter: 1 }], Next: 'E' },
      'Jitter',
    ],
    ['Retry on a Pass', { Type: 'Pass', Retry: [], Next: 'E' }, 'Retry'],
    [
      'a reserved variable',
      { Type: 'Pass', Assign: { states: 1 }, Next: 'E' },
      '"states" cannot be the name',
    ],
    ['a bad variable', { Type: 'Pass', Assign: { 'a-b': 1 }, Next: 'E' }, '"a-b" cannot be the name'],
    [
      'ItemReader inline',
      {
        Type: 'Map',
        ItemProcessor: machine({ I: end }),
        ItemReader: {
          Resource: 'arn:aws:states:::s3:getObject',
          ReaderConfig: { InputType: 'JSON' },
          Arguments: { Bucket: 'b', Key: 'k' },
        },
        Next: 'E',
      },
      'ItemReader needs',
    ],
    [
      'Express children',
      {
        Type: 'Map',
        ItemProcessor: {
          ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'EXPRESS' },
          ...machine({ I: end }),
        },
        Next: 'E',
      },
      'STANDARD children only',
    ],
    [
      'a CSV reader',
      {
        Type: 'Map',
        ItemProcessor: machine({ I: end }),
        ItemReader: {
          Resource: 'arn:aws:states:::s3:getObject',
          ReaderConfig: { InputType: 'CSV' },
          Arguments: { Bucket: 'b', Key: 'k' },
        },
        Next: 'E',
      },
      'JSON or JSONL',
    ],
  ])('%s', (_, value, message) => {
    expect(state(value)).toContain(message);
  });

  it('two states of one name, at any depth', () => {
    expect(
      problems(machine({ A: { Type: 'Parallel', Branches: [machine({ E: end })], Next: 'E' }, E: end })),
    ).toContain('E: there is another state of this name');
  });

  it('an inner scope that assigns a variable of an outer one', () => {
    const definition = (mode: object) =>
      machine({
        A: { Type: 'Pass', Assign: { x: 1 }, Next: 'M' },
        M: {
          Type: 'Map',
          Items: [1],
          ItemProcessor: { ...mode, ...machine({ I: { Type: 'Pass', Assign: { x: 2 }, End: true } }) },
          End: true,
        },
      });
    expect(problems(definition({}))).toContain('I: $x belongs to an outer scope');
    expect(
      problems(definition({ ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' } })),
    ).toBe('');
  });

  it.each([
    ['$states.input.', 'does not parse'],
    ['$eval("1")', '$eval is not available'],
    ['$sum($nope([1]))', 'there is no function $nope'],
    ['foo', 'stands alone'],
    ['$.a', '$ has nothing to refer to'],
    ['$$.a', '$$ is not available'],
    ['$states.output', '$states has no output'],
    ['$states.context.Execution.Arn', 'has no Arn'],
    ['$states.context.Lambda.Name', 'has no Lambda'],
    ['{"a": name}', 'stands alone'],
    ['$map([1], function($x) { y })', 'stands alone'],
  ])('an expression %j', (expression, message) => {
    expect(state({ Type: 'Pass', Output: { deep: [`{% ${expression} %}`] }, Next: 'E' })).toContain(message);
  });

  it('with every problem at once, each with its state and place', () => {
    const found = problems(
      machine({
        A: { Type: 'Pass', Output: '{% foo %}', Next: 'X' },
        B: { Type: 'Wait', Seconds: -1, End: true },
      }),
    );
    expect(found).toContain('A: Output: `foo` stands alone');
    expect(found).toContain('A: Next names X');
    expect(found).toContain('B: Seconds');
  });
});

describe('a definition is accepted', () => {
  it.each([
    '$states.input.xs[n > 1].name',
    '$states.input.xs^(>n)[0].{"a": name, "b": $}',
    '$map($states.input.xs, function($x, $i) { $x.n + $i })',
    '($a := $states.input.n; $f := function($y) { $y * $a }; $f(2))',
    '$states.input ~> |xs|{"seen": true}, ["n"]|',
    '$states.input.xs{name: $sum(n)}',
    '$states.input.xs#$i.{"i": $i}',
    '$states.input.xs@$x.$x.name',
    '[1..$count($states.input.xs)] ~> $sum',
    '$lookup($states, "input")',
    '$filter($states.input.xs, $boolean)',
  ])('with %s', (expression) => {
    expect(state({ Type: 'Pass', Output: `{% ${expression} %}`, Next: 'E' })).toBe('');
  });

  it('with tokens replaced in strings of any depth', async () => {
    const { engine, calls } = simulate({ 'arn:judge': () => 1 });
    engine.load(
      'm',
      {
        QueryLanguage: 'JSONata',
        ...machine({
          A: { ...invoke(token('Judge'), { b: [`x-${token('Bucket')}`] }), End: true },
        }),
      },
      { Judge: 'arn:judge', Bucket: 'plans', Unused: 'x' },
    );
    await engine.start('m', 'a', {}).done;
    expect(calls).toMatchObject([{ name: 'arn:judge', payload: { b: ['x-plans'] } }]);
  });
});
