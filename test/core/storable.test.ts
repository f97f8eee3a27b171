import { describe, expect, test } from 'vitest';
import { billedBytes, storable } from '../../core/storable.ts';

describe('the size of a record', () => {
  const empty = billedBytes({ key: { partition: 'p', sort: 's' }, body: '' });
  const grows = (body: unknown) => billedBytes({ key: { partition: 'p', sort: 's' }, body }) - empty;

  test.each<[string, unknown, number]>([
    ['text counts in UTF-8', 'aé\u{1f600}', 1 + 2 + 4],
    ['a number counts a byte for two digits and one more', 123_456, 4],
    ['a boolean counts one', true, 1],
    ['null counts one', null, 1],
    ['an empty map counts three', {}, 3],
    ['an empty list counts three', [], 3],
    ['a map counts names, values and one for each', { ab: 'cde' }, 3 + 1 + 2 + 3],
    ['a list counts values and one for each', ['ab', true], 3 + 1 + 2 + 1 + 1],
  ])('%s', (_, body, bytes) => {
    expect(grows(body)).toBe(bytes);
  });

  test('a due time counts with its attributes', () => {
    const record = { key: { partition: 'p', sort: 's' }, body: '' };
    const due = { shard: 'shard', at: '2026-11-21T01:00:00.000Z' };
    expect(billedBytes({ ...record, due }) - billedBytes(record)).toBe(8 + 5 + 5 + 24);
  });
});

test('a body that is nested too deeply is refused where that begins', () => {
  let body: unknown = 'core';
  for (let level = 0; level < 32; level++) body = [body];
  const record = { key: { partition: 'p', sort: 's' }, body };
  expect(storable(record).body).toEqual(body);
  expect(() => storable({ ...record, body: [body] })).toThrow(
    /more than 32 levels at body(\[0\]){32}: flatten it/,
  );
});

test('what is stored can not be changed', () => {
  const { body } = storable({ key: { partition: 'p', sort: 's' }, body: { servers: ['one'] } });
  expect(() => (body as { servers: string[] }).servers.push('two')).toThrow(TypeError);
});
