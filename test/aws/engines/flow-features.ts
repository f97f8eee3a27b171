/** Owns small definitions about everything but tasks: data, choices, waits, branches and items. */
import type { Rehearsal } from './rehearsal.ts';
import { branch, call, caught, distributedMap, echo, failing, inlineMap, rehearsal } from './small.ts';

export const flowFeatures: Readonly<Record<string, Rehearsal>> = {
  'Pass hands its input on where it has no Output': rehearsal(
    { A: { Type: 'Pass', End: true } },
    { x: [1, null] },
  ),
  'Pass gives what Output says': rehearsal(
    {
      A: {
        Type: 'Pass',
        Output: { 'a b': '{% $states.input.x & "\\n" %}', n: null, l: [1, ['{% 2 %}']] },
        End: true,
      },
    },
    { x: 'it\'s "quoted"\\ \n é 漢 🚀' },
  ),
  'strings with quotation marks and line ends survive variables': rehearsal(
    {
      A: { Type: 'Pass', Assign: { s: '{% $states.input.s %}' }, Next: 'B' },
      B: { Type: 'Pass', Assign: { t: '{% $s & $s %}' }, Output: '{% $s %}', Next: 'C' },
      C: { Type: 'Succeed', Output: { s: '{% $s %}', t: '{% $length($t) %}' } },
    },
    { s: 'say "hi"\\ \n$x := 1; ` \u2028 🚀' },
  ),
  'Choice takes the first that holds, with its own Assign and Output': rehearsal(
    {
      A: {
        Type: 'Choice',
        Choices: [
          { Condition: '{% $states.input.n > 5 %}', Next: 'Big', Assign: { size: 'big' } },
          { Condition: '{% $states.input.n > 2 %}', Next: 'Some', Assign: { size: 'some' }, Output: 'rule' },
          { Condition: '{% $states.input.n > 1 %}', Next: 'Big', Assign: { size: 'never' } },
        ],
        Assign: { size: 'default' },
        Output: 'state',
        Default: 'Big',
      },
      Some: { Type: 'Succeed', Output: { from: '{% $states.input %}', size: '{% $size %}' } },
      Big: { Type: 'Fail', Error: 'Wrong' },
    },
    { n: 3 },
  ),
  'Choice without a match goes to Default, with the Assign and Output of the state': rehearsal(
    {
      A: {
        Type: 'Choice',
        Choices: [{ Condition: '{% $exists($states.input.n) %}', Next: 'B', Assign: { v: 'rule' } }],
        Assign: { v: 'state' },
        Output: { default: true },
        Default: 'B',
      },
      B: { Type: 'Succeed', Output: ['{% $v %}', '{% $states.input %}'] },
    },
    {},
  ),
  'Wait lasts the seconds that an expression gives': rehearsal(
    {
      A: { Type: 'Wait', Seconds: '{% $states.input.s * 60 %}', Assign: { w: 1 }, Next: 'B' },
      B: { Type: 'Succeed' },
    },
    { s: 5 },
  ),
  'Wait lasts until the instant that an expression gives': rehearsal(
    { A: { Type: 'Wait', Timestamp: '{% $states.input.t %}', End: true } },
    { t: '2026-12-01T03:00:00Z' },
  ),
  'Fail ends with the error and cause that expressions give': rehearsal(
    { A: { Type: 'Fail', Error: "{% 'My.' & $states.input.e %}", Cause: '{% $states.input.c %}' } },
    { e: 'Error', c: 'because of "this"' },
  ),
  'Fail without error and cause': rehearsal({ A: { Type: 'Fail' } }),
  'an expression that gives nothing fails its state': rehearsal({
    A: { Type: 'Pass', Output: '{% $states.input.nothing %}', End: true },
  }),
  'an expression that throws fails its state': rehearsal({
    A: { Type: 'Pass', Output: "{% $number('x') %}", End: true },
  }),
  'an expression that gives a function fails its state': rehearsal({
    A: { Type: 'Pass', Output: '{% $uppercase %}', End: true },
  }),
  'Parallel gives the outputs of its branches in order, from its Arguments': rehearsal(
    {
      A: {
        Type: 'Parallel',
        Arguments: { n: '{% $states.input.n * 2 %}' },
        Branches: [
          branch({
            B1: call({ b: 1, n: '{% $states.input.n %}' }, { Next: 'B2' }),
            B2: { Type: 'Pass', End: true },
          }),
          branch({ C1: { Type: 'Succeed', Output: '{% $states.input.n + 1 %}' } }),
        ],
        Assign: { all: '{% $states.result %}' },
        Next: 'Z',
      },
      Z: { Type: 'Succeed', Output: '{% $all %}' },
    },
    { n: 4 },
  ),
  'branches read the variables outside, and keep their own to themselves': rehearsal({
    A: { Type: 'Pass', Assign: { outer: 1 }, Next: 'P' },
    P: {
      Type: 'Parallel',
      Branches: [
        branch({
          B1: { Type: 'Pass', Assign: { own: '{% $outer + 1 %}' }, Next: 'B2' },
          B2: { Type: 'Pass', Output: '{% $own %}', End: true },
        }),
        branch({
          C1: { Type: 'Pass', Assign: { mine: '{% $outer + 10 %}' }, Next: 'C2' },
          C2: { Type: 'Pass', Output: '{% $mine %}', End: true },
        }),
      ],
      Next: 'Z',
    },
    Z: {
      Type: 'Succeed',
      Output: { r: '{% $states.input %}', own: '{% $exists($own) %}', outer: '{% $outer %}' },
    },
  }),
  'a failing branch fails the Parallel, which is retried and caught': rehearsal(
    {
      A: {
        Type: 'Parallel',
        Branches: [branch({ B: call({}, { End: true }) })],
        Retry: [{ ErrorEquals: ['Broken'], IntervalSeconds: 2, MaxAttempts: 1 }],
        Catch: [{ ErrorEquals: ['Broken'], Output: '{% $states.errorOutput.Error %}', Next: 'Caught' }],
        End: true,
      },
      Caught: caught,
    },
    {},
    failing(9),
  ),
  'an inline Map gives one output for each item, in order': rehearsal(
    {
      A: inlineMap(
        {
          I: call({ i: '{% $states.input %}' }, { Output: '{% $states.result.Payload.i * 2 %}', End: true }),
        },
        { Items: '{% $states.input.xs %}', Assign: { doubled: '{% $states.result %}' }, Next: 'Z' },
      ),
      Z: { Type: 'Succeed', Output: { d: '{% $doubled %}', i: '{% $states.input %}' } },
    },
    { xs: [3, 1, 2] },
  ),
  'an inline Map selects from item, index, input and variables': rehearsal(
    {
      V: { Type: 'Pass', Assign: { base: 100 }, Next: 'A' },
      A: inlineMap(
        {
          I: { Type: 'Pass', Assign: { own: '{% $states.input.at + $base %}' }, Next: 'J' },
          J: { Type: 'Pass', Output: { own: '{% $own %}', i: '{% $states.input %}' }, End: true },
        },
        {
          Items: '{% $states.input.xs %}',
          ItemSelector: {
            at: '{% $states.context.Map.Item.Index %}',
            what: '{% $states.context.Map.Item.Value.v %}',
            base: '{% $base %}',
            all: '{% $count($states.input.xs) %}',
          },
          MaxConcurrency: 2,
          End: true,
        },
      ),
    },
    { xs: [{ v: 'a' }, { v: 'b' }, { v: null }] },
  ),
  'a Map without Items takes its input': rehearsal(
    { A: inlineMap({ I: { Type: 'Pass', End: true } }, { End: true }) },
    [1, 2],
  ),
  'an inline Map over nothing gives nothing': rehearsal(
    { A: inlineMap({ I: { Type: 'Pass', End: true } }, { Items: [], End: true }) },
    {},
  ),
  'an inline Map fails with the error of its iteration': rehearsal(
    {
      A: inlineMap(
        { I: call({ i: '{% $states.input %}' }, { End: true }) },
        {
          Items: [1],
          Retry: [{ ErrorEquals: ['Broken'], IntervalSeconds: 5, MaxAttempts: 2 }],
          Catch: [{ ErrorEquals: ['States.ALL'], Output: '{% $states.errorOutput.Error %}', Next: 'Caught' }],
          End: true,
        },
      ),
      Caught: caught,
    },
    {},
    failing(9),
  ),
  'Maps and Parallels nest, with a scope each': rehearsal(
    {
      V: { Type: 'Pass', Assign: { a: 'A' }, Next: 'M' },
      M: inlineMap(
        {
          S: { Type: 'Pass', Assign: { b: '{% $a & $string($states.input) %}' }, Next: 'P' },
          P: {
            Type: 'Parallel',
            Branches: [
              branch({
                L: inlineMap(
                  { X: { Type: 'Pass', Output: '{% $b & $states.input %}', End: true } },
                  { Items: ['x', 'y'], End: true },
                ),
              }),
              branch({ R: { Type: 'Pass', Output: '{% $b %}', End: true } }),
            ],
            End: true,
          },
        },
        { Items: [1, 2], End: true },
      ),
    },
    {},
  ),
  'a distributed Map gives one output for each item': rehearsal(
    {
      A: distributedMap(
        {
          I: call({ i: '{% $states.input %}' }, { Next: 'J' }),
          J: { Type: 'Succeed', Output: '{% $states.input.i %}' },
        },
        { Items: '{% $states.input.xs %}', End: true },
      ),
    },
    { xs: ['a', 'b', 'c'] },
  ),
  'a distributed Map reads a JSON array and selects from it': rehearsal(
    {
      A: distributedMap(
        { I: call({ i: '{% $states.input %}' }, { Output: '{% $states.result.Payload.i.id %}', End: true }) },
        {
          ItemReader: {
            Resource: 'arn:aws:states:::s3:getObject',
            ReaderConfig: { InputType: 'JSON' },
            Arguments: { Bucket: 'bucket', Key: '{% $states.input.key %}' },
          },
          ItemSelector: {
            id: '{% $states.context.Map.Item.Value.id %}',
            n: '{% $states.context.Map.Item.Index %}',
          },
          MaxConcurrency: 2,
          End: true,
        },
      ),
    },
    { key: 'lists/items.json' },
    echo,
    { objects: { 'bucket/lists/items.json': JSON.stringify([{ id: 'é' }, { id: 'b"' }, { id: 'c' }]) } },
  ),
  'JSONata as it is used: objects, grouping, predicates, sorting, functions': rehearsal(
    {
      A: {
        Type: 'Pass',
        Output: {
          sum: '{% $sum($states.input.xs.n) %}',
          some: '{% $states.input.xs[n > 1].s %}',
          one: '{% $states.input.xs[n = 3].s %}',
          list: '{% [$states.input.xs[n = 3].s] %}',
          sorted: '{% $states.input.xs^(>n).n %}',
          grouped: '{% $states.input.xs{s: n} %}',
          mapped: '{% $map($states.input.xs, function($v, $i) { $v.n * $i }) %}',
          kept: '{% $filter($states.input.xs, function($v) { $v.n > 1 }).s %}',
          folded: '{% $reduce($states.input.xs.n, function($a, $b) { $a + $b }) %}',
          cut: "{% $substring('' & $states.input.text, 0, 5) %}",
          joined: "{% $join($states.input.xs.s, ', ') %}",
          typed: '{% $type($states.input.none) %}',
          parts: '{% $partition([1..5], 2) %}',
          steps: '{% $range(0, 10, 5) %}',
          parsed: `{% $parse('{"a": [1, null]}') %}`,
          merged: '{% $merge([{"a": 1}, {"b": 2}]) %}',
        },
        End: true,
      },
    },
    {
      xs: [
        { n: 1, s: 'a' },
        { n: 3, s: 'b' },
        { n: 2, s: 'c' },
      ],
      text: 'long enough',
      none: null,
    },
  ),
};
