import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Exception,
  exceptionSchema,
  exceptionsFor,
  heldBy,
  plannedAgainst,
} from '../../core/exception.ts';
import { plusSeconds } from '../../core/instant.ts';
import { entryOf, exceptionOf, serverId, serverOf } from '../support/samples.ts';

const now = '2026-11-21T22:00:00.000Z';
const isExcepted = (glob: string, name: string) =>
  plannedAgainst([entryOf({ name })], [exceptionOf({ package: glob })]) !== undefined;

/** What a glob means, as slow and plain as can be. */
function matches(glob: string, name: string): boolean {
  if (glob === '') return name === '';
  if (glob[0] !== '*') return glob[0] === name[0] && name !== '' && matches(glob.slice(1), name.slice(1));
  return matches(glob.slice(1), name) || (name !== '' && matches(glob, name.slice(1)));
}

describe('the glob of an exception', () => {
  const name = fc.string({ unit: fc.constantFrom('a', 'b', '.', '+', '-'), minLength: 1, maxLength: 8 });
  const glob = fc.string({ unit: fc.constantFrom('a', 'b', '.', '+', '-', '*'), minLength: 1, maxLength: 8 });

  test('covers what * for any characters covers, and no more', () => {
    fc.assert(
      fc.property(glob, name, (pattern, text) => {
        expect(isExcepted(pattern, text)).toBe(matches(pattern, text));
      }),
      { numRuns: 3000 },
    );
  });

  test('without * is the name itself: no character of it is a regular expression', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary-ascii', maxLength: 12 }).filter((text) => !text.includes('*')),
        name,
        (pattern, text) => {
          expect(isExcepted(pattern, text)).toBe(pattern === text);
          expect(isExcepted(pattern, pattern)).toBe(true);
        },
      ),
      { numRuns: 1000 },
    );
  });

  test.each([
    ['openssl', 'openssl', true],
    ['openssl', 'openssl-libs', false],
    ['openssl*', 'openssl-libs', true],
    ['*ssl', 'openssl', true],
    ['*', 'anything', true],
    ['linux-*-amd64', 'linux-image-6.1.0-40-amd64', true],
    ['libstdc++6', 'libstdc++6', true],
    ['libstdc++6', 'libstdccc6', false],
    ['python3.11', 'python3x11', false],
    ['openssl', 'OpenSSL', false],
  ])('%s on %s: %s', (pattern, text, covered) => {
    expect(isExcepted(pattern, text)).toBe(covered);
  });

  test('takes no time to speak of, however many * it has', () => {
    const hostile = `${'*a'.repeat(63)}*b`;
    expect(exceptionSchema.shape.package.safeParse(hostile).success).toBe(true);
    const began = performance.now();
    expect(isExcepted(hostile, 'a'.repeat(128))).toBe(false);
    expect(performance.now() - began).toBeLessThan(2000);
  });
});

describe('exceptions in force', () => {
  const scopes: readonly Exception['scope'][] = [
    { kind: 'everywhere' },
    { kind: 'group', hostGroup: 'web' },
    { kind: 'group', hostGroup: 'db' },
    { kind: 'server', serverId: serverId(1) },
    { kind: 'server', serverId: serverId(2) },
  ];

  test('are those whose scope covers the server', () => {
    const all = scopes.map((scope, index) => exceptionOf({ id: `e-${index}`, scope }));
    const ids = (server: Parameters<typeof exceptionsFor>[0]) =>
      exceptionsFor(server, all, now).map(({ id }) => id);
    expect(ids(serverOf(1, { hostGroup: 'web' }))).toEqual(['e-0', 'e-1', 'e-3']);
    expect(ids(serverOf(2))).toEqual(['e-0', 'e-4']);
  });

  test('begin with their first moment and end before their last', () => {
    const exception = exceptionOf({ from: now, until: plusSeconds(now, 60) });
    const isInForce = (seconds: number) =>
      exceptionsFor(serverOf(1), [exception], plusSeconds(now, seconds)).length === 1;
    expect([-0.001, 0, 59.999, 60].map(isInForce)).toEqual([false, true, true, false]);
  });

  test('hold the whole server only where they name no package', () => {
    expect(heldBy([exceptionOf()])).toBeUndefined();
    expect(heldBy([exceptionOf(), exceptionOf({ package: null })])?.code).toBe('hold');
    expect(heldBy([exceptionOf({ package: null, reason: 'x'.repeat(400) })])?.detail).toHaveLength(400);
  });

  test('against a plan say which package, until when and who wants it', () => {
    const plan = [entryOf({ name: 'zsh' }), entryOf({ name: 'openssl' })];
    expect(plannedAgainst(plan, [exceptionOf({ package: null }), exceptionOf()])).toEqual({
      code: 'excepted-after-sealing',
      detail: 'openssl is excepted until 2027-01-01T00:00:00.000Z by carol: the vendor has not certified it',
    });
    expect(plannedAgainst(plan, [exceptionOf({ package: 'bash' })])).toBeUndefined();
  });
});
