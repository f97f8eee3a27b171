import { describe, expect, it } from 'vitest';
import { machine, simulate } from './simulated-engine.ts';

async function evaluate(expression: string, input: unknown = {}): Promise<unknown> {
  const { run } = simulate();
  const execution = await run(
    machine({ A: { Type: 'Pass', Output: { value: `{% ${expression} %}` }, End: true } }),
    input,
  );
  return execution.status === 'SUCCEEDED'
    ? (execution.output as { value: unknown }).value
    : execution.cause?.replace(/^.*\(undefined\)\.$/, 'undefined');
}

describe("Step Functions' own functions", () => {
  it.each<[string, unknown]>([
    ['$partition([1,2,3,4,5], 2)', [[1, 2], [3, 4], [5]]],
    ['$partition([1,2,3], 2.9)', [[1, 2], [3]]],
    ['$partition([1,2,3])', [[1, 2, 3]]],
    ['$partition([], 2)', 'undefined'],
    ['$partition([1], 0)', 'undefined'],
    ['$range(0, 10, 5)', [0, 5, 10]],
    ['$range(3, -3, -3)', [3, 0, -3]],
    ['$range(1.9, 3, 1)', [1, 2, 3]],
    ['$range(3, 3, 1)', 3],
    ['$range(5, 1, 1)', 'undefined'],
    ['$range(1, 5)', 'undefined'],
    ["$hash('a', 'MD5')", '0cc175b9c0f1b6a831c399e269772661'],
    ["$hash('a', 'SHA-1')", '86f7e437faa5a7fce15d1ddcb9eaeaea377667b8'],
    ["$hash('a', 'SHA-256')", 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb'],
    ["$length($hash('a', 'SHA-384'))", 96],
    ["$length($hash('a', 'SHA-512'))", 128],
    ['$parse(\'{"a":[1,null]}\').a', [1, null]],
    ["$exists($parse('null'))", true],
    ['$random(7) = $random(7)', true],
    ['$random() != $random()', true],
    ['$uuid() != $uuid()', true],
    ['$contains($uuid(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)', true],
  ])('%s is %j', async (expression, value) => {
    expect(await evaluate(expression)).toEqual(value);
  });

  it.each([
    ['$partition([1], -1)', 'zero or greater'],
    ["$hash('a', 'CRC')", 'and not CRC'],
    ["$parse('{')", 'not JSON'],
    ['$parse(null)', 'T0410'],
    ['$range(1, 360146, 1)', 'memory limit'],
  ])('%s fails', async (expression, message) => {
    expect(await evaluate(expression)).toContain(message);
  });
});

describe("JSONata's clock and dice", () => {
  it.each<[string, unknown]>([
    ['$now()', '2026-11-03T22:00:00.000Z'],
    ["$now('[Y0001]-[M01]-[D01]')", '2026-11-03'],
    ["$now('[H01]:[m01]', '+0100')", '23:00'],
    ['$millis()', Date.UTC(2026, 10, 3, 22)],
    ['$toMillis($now()) - $millis()', 0],
  ])('%s follows the clock', async (expression, value) => {
    expect(await evaluate(expression)).toBe(value);
  });

  it('shuffle repeats with the same dice, and loses nothing', async () => {
    const once = await evaluate('$shuffle([1,2,3,4,5,6])');
    expect(await evaluate('$shuffle([1,2,3,4,5,6])')).toEqual(once);
    expect([...(once as number[])].sort()).toEqual([1, 2, 3, 4, 5, 6]);
    expect(once).not.toEqual([1, 2, 3, 4, 5, 6]);
  });
});
