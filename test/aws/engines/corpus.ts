/** Owns expressions for every function that AWS lists for JSONata, and for the corners of the language. */
import type { JsonObject } from '../../../apps/local/asl/json.ts';
import type { Verdict } from './evaluators.ts';

/** What the corpus reads. */
export const world: JsonObject = {
  n: null,
  e: [],
  o: {},
  one: [1],
  xs: [3, 1, 2],
  words: ['b', 'a', 'é', '漢', '🚀', ''],
  nested: [[1, 2], [3], []],
  people: [
    { name: 'Ada', age: 36, tags: ['x', 'y'], at: { city: 'L' } },
    { name: 'Bob', age: 25, tags: [], at: { city: 'M' } },
    { name: 'Cy', age: 36, tags: ['z'], at: null },
    { name: 'Di' },
  ],
  text: 'Hello "World" é 漢 🚀',
  big: 9007199254740992,
  huge: 1e21,
  tiny: 1.5e-7,
  neg: -7.5,
  t: true,
  f: false,
  json: '{"a": [1, {"b": null}], "c": "é"}',
  states: { input: { x: { y: { z: null, w: [] } }, list: [{ v: 1 }, { v: [2] }, {}] } },
};

export const corpus: readonly string[] = `
$n
$missing
$missing.a.b
$n.a
$e
$o
$one
$xs[0]
$xs[-1]
$xs[9]
$xs[[0..1]]
$xs[$ > 1]
$states.input.x.y.z
$states.input.x.y.w
$states.input.x.y.q
$states.input.list.v
$states.input.list[0].v
$states.input.list[v = 1]
$states.input.list[v = 1][]
[$states.input.list.v]
$exists($states.input.x.y.z)
$exists($states.input.x.y.q)
$exists($e)
{"a": $missing, "b": $n, "c": $e}
[$missing, $n, $e, 1]
[]
{}
[[]]
[1, [2, [3]]]
$nested
$nested[0]
$nested[0][1]
$nested.$
$count($nested)
$people.name
$people.tags
$people.at.city
$people[age = 36].name
$people[age > 30 and name != 'Cy'].name
$people[age > 100]
$people[name = 'Di']
$people[name = 'Di'].name
$people^(age, >name).name
$people^(<name).name
$people[$exists(age)]^(>age).name
$people{name: age}
$people[$exists(age)]{$string(age): name}
$people.{"n": name, "c": at.city}
$people.(name & '!')
$people#$i.{"i": $i, "n": name}
$people@$p.{"n": $p.name}
$people[0].*
$people.**.city
$people[0].tags[1]
$people.tags[0]
($people.tags)[0]
$xs = [3, 1, 2]
$xs != [3, 1]
$n = null
$missing = null
$missing = $missing
$o = {}
{"a": 1, "b": [2]} = {"b": [2], "a": 1}
1 in $xs
'q' in $words
1 in 1
$t and $missing
$t or $missing
$f and $error('not reached')
1 < 2
'a' < 'b'
1 < 'b'
$missing < 1
$n < 1
7 % -3
-7 % 3
0.1 + 0.2
1 / 3
$big
$big + 1
$huge
$huge * 10
$tiny
$neg
'a' + 1
$missing + 1
$n + 1
'' & $n
'' & $missing
'' & $t
'' & $neg
'' & 1.0
'' & $huge
'' & $tiny
'' & $xs
'' & $people[1]
'' & 0.1
$t ? 'yes' : 'no'
$missing ? 'yes' : 'no'
$e ? 'yes' : 'no'
$o ? 'yes' : 'no'
'' ? 'yes' : 'no'
0 ? 'yes' : 'no'
[0] ? 'yes' : 'no'
[0, 1] ? 'yes' : 'no'
$f ? 'only'
($x := 5; $y := $x + 1; $x * $y)
($f := function($n) { $n <= 1 ? 1 : $n * $f($n - 1) }; $f(10))
(function($a, $b) { $a & $b })('x')
$map($xs, function($v, $i, $a) { $v + $i + $count($a) })
$map($one, function($v) { $v * 2 })
$map($e, function($v) { $v })
$map($people, function($p) { $p.age })
$filter($xs, function($v) { $v > 1 })
$filter($xs, function($v) { $v > 2 })
$filter($xs, function($v) { $v > 9 })
$reduce($xs, function($a, $b) { $a - $b })
$reduce($xs, function($a, $b) { $a - $b }, 100)
$reduce($e, function($a, $b) { $a + $b })
$single($xs, function($v) { $v = 1 })
$single($xs, function($v) { $v > 1 })
$sift($people[0], function($v, $k) { $k = 'name' })
$sift($people[0], function($v) { $v = 36 })
$each($people[1], function($v, $k) { $k })
$zip($xs, $words)
$zip([1, 2], [3])
$sort($xs)
$sort($words)
$sort([2, 'a'])
$sort([10, 9, 1])
$distinct([1, 1, '1', null, null, [1], [1], {"a": 1}, {"a": 1}])
$reverse($xs)
$reverse($e)
$append($xs, 4)
$append($missing, 4)
$append($e, $e)
$append(1, [2])
$count($missing)
$count($e)
$count('a')
$sum($xs)
$sum($e)
$sum($missing)
$sum(['a'])
$max($xs)
$max($e)
$min($xs)
$average($xs)
$average($e)
$string(1)
$string($n)
$string($missing)
$string('a')
$string($people[0])
$string([1.5, null, true, "a\\"b"])
$string($huge)
$string($tiny)
$string({"a": [1]}, true)
$string(-0)
$string(1e100)
$string(0.000001)
$string(22/7)
$length($text)
$length('')
$length('🚀')
$length($missing)
$length(1)
$substring($text, 0, 5)
$substring($text, 6)
$substring($text, -3)
$substring($text, -3, 2)
$substring('🚀漢é', 1, 1)
$substring('abc', 5)
$substring('abc', 0, 0)
$substring('abc', 1, -1)
$substring($missing, 0)
$substringBefore($text, '"')
$substringBefore($text, 'zz')
$substringAfter($text, '"')
$substringAfter($text, 'zz')
$uppercase($text)
$lowercase($text)
$uppercase('straße')
$trim('  a \\n  b  ')
$pad('x', 5)
$pad('x', -5, '#')
$pad('x', 4, 'ab')
$pad('🚀', 3, '-')
$contains($text, 'World')
$contains($text, /w\\w+/i)
$contains($text, 'zz')
$split('a,b,,c', ',')
$split('a,b,,c', ',', 2)
$split('a1b22c', /[0-9]+/)
$split('abc', '')
$split('', ',')
$join($words, '-')
$join($words)
$join($e, ',')
$join('a', ',')
$join($xs, ',')
$match('ab12cd345', /[a-z]+([0-9]+)/)
$match('abc', /x/)
$match('aXbX', /x/i, 1)
$replace('abcabc', 'b', 'X')
$replace('abcabc', 'b', 'X', 1)
$replace('abcabc', /b(.)/, '[$1$0$$]')
$replace('abc', /[a-b]/, function($m) { $uppercase($m.match) })
$replace('', 'a', 'b')
$base64encode('Hello')
$base64decode('SGVsbG8=')
$encodeUrlComponent('a b/é?&🚀')
$encodeUrl('https://x.y/a b?é=1')
$decodeUrlComponent('a%20b%2F%C3%A9')
$decodeUrl('https://x.y/a%20b')
$number('12')
$number('-1.5e3')
$number('0x1F')
$number('')
$number('x')
$number($t)
$number($n)
$number($missing)
$abs($neg)
$floor($neg)
$ceil($neg)
$round($neg)
$round(2.5)
$round(3.5)
$round(-2.5)
$round(123.456, 2)
$round(125, -1)
$round(135, -1)
$round(1.005, 2)
$power(2, 10)
$power(2, -1)
$power(2, 0.5)
$power(0, -1)
$sqrt(16)
$sqrt(-1)
$formatNumber(12345.678, '#,##0.00')
$formatNumber(0.5, '0%')
$formatNumber(-5, '0;(0)')
$formatNumber(1234.5, '00.000e0')
$formatBase(255, 16)
$formatBase(-10, 2)
$formatBase(10)
$formatBase(1, 1)
$formatInteger(2789, 'w')
$formatInteger(1999, 'I')
$formatInteger(12345, '#,##0')
$formatInteger(3, 'w;o')
$parseInteger('12,345', '#,##0')
$parseInteger('MCMXCIX', 'I')
$parseInteger('twelve', 'w')
$boolean('')
$boolean('a')
$boolean(0)
$boolean($e)
$boolean([0])
$boolean([0, 1])
$boolean([[]])
$boolean($o)
$boolean($n)
$boolean($missing)
$not($missing)
$not($n)
$not(1)
$keys($people[0])
$keys($people)
$keys($o)
$keys({"a": 1})
$lookup($people, 'name')
$lookup($people[0], 'age')
$lookup($people[0], 'zz')
$spread($people[0])
$spread({"a": 1})
$merge([{"a": 1}, {"b": 2}, {"a": 3}])
$merge($e)
$merge($missing)
$type($n)
$type($missing)
$type(1)
$type('')
$type($t)
$type($e)
$type($o)
$type(function() { 1 })
$error('mine')
$assert($f, 'mine')
$assert($t, 'mine')
$toMillis('2026-11-21T22:00:00Z')
$toMillis('2026-11-21T22:00:00.123+01:00')
$toMillis('2026-11-21')
$toMillis('21/11/2026', '[D01]/[M01]/[Y0001]')
$toMillis('nonsense')
$fromMillis(1795298400000)
$fromMillis(1795298400123, '[Y]-[M01]-[D01] [H01]:[m01]:[s01].[f001] [z]')
$fromMillis(1795298400000, '[FNn], [D1o] [MNn] [Y] [h]:[m01] [PN]', '+0530')
$fromMillis(1795298400000, '[X0001]-W[W01]-[F1]')
$clone($people[1])
$xs ~> $sum()
$text ~> $uppercase() ~> $length()
($sq := function($x) { $x * $x }; $inc := function($x) { $x + 1 }; (3 ~> $sq ~> $inc))
$people[0] ~> |$|{"age": 40, "new": true}, 'tags'|
$partition($xs, 2)
$partition([1..4], 2)
$partition($xs, 1)
$partition($xs, 5)
$range(1, 9, 2)
$range(0, 10, 3)
$range(9, 1, -4)
$range(1, 3, 1)
$parse($json)
$parse('[1, null]')
$parse('"x"')
$parse('{')
[1..5]
[5..1]
[0..0]
[-2..2].($ * 2)
[1..3][$ > 1]
"a" & 'b' & "\\u00e9\\n"
$xs[$ = $max($xs)]
$people[age = $max($people.age)].name
$people.tags ~> $distinct
$map($people.name, $uppercase)
$map([1..3], $string)
$map(['1', '2'], $number)
$people.age[]
$people[0].name[]
$one[0]
$one[]
$one.$string()
($missing)
($n)
`
  .split('\n')
  .filter((line) => line !== '');

interface Disagreement {
  readonly first: Verdict;
  readonly second: Verdict;
  readonly reason: string;
}

/**
 * Where the two differ, with the reason to believe npm's, which is the reference implementation in the version that
 * AWS names. No definition of ours uses any of it. A test holds that each still differs.
 */
export const disagreements: Readonly<Record<string, Disagreement>> = {
  '0.5 % 3': {
    first: { value: 0.5 },
    second: { value: 0 },
    reason:
      'Remainders may have fractions (docs.jsonata.org/numeric-operators); PyPI takes the whole part first.',
  },
  '1 / 0': {
    first: 'nothing',
    second: 'error',
    reason: 'Infinity is no JSON: the state fails with States.QueryEvaluationError either way.',
  },
  '$sort($people[$exists(age)], function($l, $r) { $l.age > $r.age }).name': {
    first: { value: ['Bob', 'Ada', 'Cy'] },
    second: { value: ['Bob', 'Cy', 'Ada'] },
    reason: 'Both have the ages in order; the reference leaves equals as they were, and PyPI does not.',
  },
  '$count($n)': {
    first: { value: 1 },
    second: { value: 0 },
    reason:
      'What is no array counts as one value (docs.jsonata.org/aggregation-functions), and null is a value.',
  },
  '$string($big)': {
    first: { value: '9007199254740990' },
    second: { value: '9.00719925474099e+15' },
    reason:
      'Both keep 15 digits; JavaScript writes whole numbers below 1e21 without an exponent (ECMA-262, Number::toString).',
  },
  '$string({"é": "🚀"})': {
    first: { value: '{"é":"🚀"}' },
    second: { value: '{"\\u00e9":"\\ud83d\\ude80"}' },
    reason: 'The same JSON; the reference writes it as JSON.stringify does.',
  },
  "$base64encode('Hello é')": {
    first: { value: 'SGVsbG8g6Q==' },
    second: { value: 'SGVsbG8gw6k=' },
    reason:
      'A character is one byte from 0x00 to 0xFF (docs.jsonata.org/string-functions); PyPI encodes UTF-8.',
  },
  "$number('0b11')": {
    first: { value: 3 },
    second: 'error',
    reason:
      'Binary, octal and hexadecimal are read (docs.jsonata.org/numeric-functions); PyPI knows the last only.',
  },
  "$number(' 1 ')": {
    first: 'error',
    second: { value: 1 },
    reason: 'A number as JSON writes it (docs.jsonata.org/numeric-functions) has no spaces around.',
  },
  '$partition([1..10], 4)': {
    first: {
      value: [
        [1, 2, 3, 4],
        [5, 6, 7, 8],
        [9, 10],
      ],
    },
    second: { value: [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10], []] },
    reason:
      'No chunk is empty (docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html, $partition). This one is ' +
      "moto's own text in JSONata, and not PyPI's.",
  },
};
