import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  instantOf,
  instantSchema,
  isBefore,
  millisOf,
  plusSeconds,
  secondsBetween,
} from '../../core/instant.ts';

const millis = fc.integer({ min: 0, max: Date.UTC(2200, 0, 1) });

describe('instants', () => {
  test('keep their milliseconds through text', () => {
    fc.assert(
      fc.property(millis, (at) => {
        expect(millisOf(instantSchema.parse(instantOf(at)))).toBe(at);
      }),
    );
  });

  test('compare as texts the way they do in time', () => {
    fc.assert(
      fc.property(millis, millis, (a, b) => {
        expect(isBefore(instantOf(a), instantOf(b))).toBe(a < b);
      }),
    );
  });

  test('add and subtract without a rest', () => {
    fc.assert(
      fc.property(millis, fc.integer({ min: -1e6, max: 1e6 }), (at, seconds) => {
        const from = instantOf(at + 1e9);
        expect(secondsBetween(from, plusSeconds(from, seconds))).toBe(seconds);
      }),
    );
  });

  test.each([
    '2026-11-21T01:00:00Z',
    '2026-11-21T01:00:00.000+01:00',
    '2026-11-21 01:00:00.000Z',
    '2026-02-29T01:00:00.000Z',
    '2026-13-01T01:00:00.000Z',
    '2026-11-21T25:00:00.000Z',
    // The same moment has another text, which would sort after it.
    '2026-11-21T24:00:00.000Z',
    '2026-11-21T23:59:60.000Z',
    '2026-11-21T01:00:00.000Z\n',
    '',
  ])('refuse %j', (text) => {
    expect(instantSchema.safeParse(text).success).toBe(false);
  });

  test('of one moment have one text', () => {
    const digits = (max: number) => fc.integer({ min: 0, max }).map((n) => String(n).padStart(2, '0'));
    const text = fc
      .tuple(digits(13), digits(32), digits(25), digits(60), digits(60))
      .map(([month, day, hour, minute, second]) => `2028-${month}-${day}T${hour}:${minute}:${second}.000Z`);
    fc.assert(
      fc.property(text, (at) => {
        if (instantSchema.safeParse(at).success) expect(instantOf(millisOf(at))).toBe(at);
      }),
      { numRuns: 1000 },
    );
  });
});
