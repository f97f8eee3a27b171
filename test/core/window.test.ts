import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { instantOf, millisOf, plusSeconds } from '../../core/instant.ts';
import { whyNotIn, windowSchema } from '../../core/window.ts';
import { window } from '../support/samples.ts';

const start = millisOf(window.start);
const at = fc.integer({ min: start - 86_400_000, max: start + 86_400_000 }).map(instantOf);
const seconds = fc.integer({ min: 0, max: 40_000 });

describe('a window', () => {
  test('lets begin what begins in it and ends in it, and nothing else', () => {
    fc.assert(
      fc.property(at, seconds, (now, needed) => {
        const fits =
          millisOf(now) >= start &&
          millisOf(now) < millisOf(window.end) &&
          millisOf(now) + needed * 1000 <= millisOf(window.end);
        expect(whyNotIn(window, now, needed) === undefined).toBe(fits);
      }),
      { numRuns: 500 },
    );
  });

  test('that refuses something refuses what takes longer', () => {
    fc.assert(
      fc.property(at, seconds, seconds, (now, needed, more) => {
        fc.pre(whyNotIn(window, now, needed) !== undefined);
        expect(whyNotIn(window, now, needed + more)).toBeDefined();
      }),
    );
  });

  test.each([
    [plusSeconds(window.start, -0.001), 0, 'window-not-open'],
    [window.start, 21_601, 'window-too-short'],
    [plusSeconds(window.end, -0.001), 1, 'window-too-short'],
    [window.end, 0, 'window-closed'],
  ])('at %s for %d s says %s', (now, needed, code) => {
    expect(whyNotIn(window, now, needed)?.code).toBe(code);
  });

  test('includes its start and the whole of its length', () => {
    expect(whyNotIn(window, window.start, 21_600)).toBeUndefined();
  });

  test.each([
    { ...window, end: window.start },
    { ...window, start: window.end, end: window.start },
    { ...window, zone: '' },
  ])('that is none is refused: %j', (none) => {
    expect(windowSchema.safeParse(none).success).toBe(false);
  });
});
