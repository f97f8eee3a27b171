import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  batchDigest,
  canonicalPlan,
  type PlanEntry,
  parsePlanLine,
  planEntrySchema,
  planHash,
  planLine,
  rootHash,
  sha256Of,
} from '../../core/plan.ts';
import { entryOf, serverId } from '../support/samples.ts';

const word = (first: string, others: string, most: number) =>
  fc
    .tuple(
      fc.constantFrom(...first),
      fc.string({ unit: fc.constantFrom(...others), maxLength: Math.min(most - 1, 12) }),
    )
    .map(([a, b]) => a + b);
const letters = 'abcxyzABCXYZ0189';
const name = word(letters, `${letters}+._@-`, 128);
const version = word(letters, `${letters}.+:~^_-`, 128);
const hash = fc.nat(1000).map((n) => sha256Of(String(n)));
const size = fc.nat({ max: Number.MAX_SAFE_INTEGER % 1e15 });
const common = {
  name,
  architecture: fc.constantFrom('amd64', 'all', 'x86_64', 'noarch', 'i386'),
  repository: fc.oneof(word(letters, `${letters}+.:/_~-`, 128), fc.constant('-')),
  security: fc.boolean(),
  size,
};
const nothingBefore = { rollback: fc.constant(null), oldSize: fc.constant(0), oldSha256: fc.constant(null) };
const entry: fc.Arbitrary<PlanEntry> = fc.oneof(
  fc.record({
    ...common,
    action: fc.constant('install'),
    from: fc.constant(null),
    to: version,
    sha256: hash,
    ...nothingBefore,
  }),
  fc.record({
    ...common,
    action: fc.constantFrom('upgrade', 'downgrade'),
    from: version,
    to: version,
    sha256: hash,
    rollback: fc.constantFrom('repository', 'none'),
    oldSize: fc.constant(0),
    oldSha256: fc.constant(null),
  }),
  fc.record({
    ...common,
    action: fc.constantFrom('remove', 'replace'),
    from: version,
    to: fc.constant(null),
    sha256: fc.constant(null),
    rollback: fc.constantFrom('kept', 'repacked'),
    oldSize: size,
    oldSha256: hash,
  }),
) as fc.Arbitrary<PlanEntry>;
const plan = fc.array(entry, { maxLength: 8 });
const server = fc.nat(1000).map(serverId);
const shuffled = <T>(all: T[]) => fc.shuffledSubarray(all, { minLength: all.length });

describe('a plan line', () => {
  test('gives back the entry that it was made of', () => {
    fc.assert(
      fc.property(entry, (one) => {
        expect(parsePlanLine(planLine(one))).toEqual(one);
      }),
    );
  });

  test('is twelve fields that a shell can take apart', () => {
    fc.assert(
      fc.property(entry, (one) => {
        expect(planLine(one)).toMatch(/^[A-Za-z0-9+._@:~^/-]+(\t[A-Za-z0-9+._@:~^/-]+){11}$/);
      }),
    );
  });

  test('that is accepted, whatever it is, is written again as the same bytes or is no plan line of ours', () => {
    const garbled = fc
      .tuple(entry.map(planLine), fc.nat(120), fc.string({ maxLength: 3 }))
      .map(([line, at, text]) => line.slice(0, at) + text + line.slice(at + text.length));
    fc.assert(
      fc.property(garbled, (line) => {
        let parsed: PlanEntry;
        try {
          parsed = parsePlanLine(line);
        } catch {
          return;
        }
        expect(planLine(parsed)).toBe(line);
      }),
      { numRuns: 2000 },
    );
  });

  const good = planLine(entryOf());
  test.each([
    ['no field', ''],
    ['too few fields', good.split('\t').slice(0, 11).join('\t')],
    ['too many fields', `${good}\tmore`],
    ['spaces for tabs', good.replaceAll('\t', ' ')],
    ['another action', good.replace('upgrade', 'purge')],
    ['a name that is an option', good.replace('openssl', '-o')],
    ['a name that is a path', good.replace('openssl', '../openssl')],
    ['a command in the name', good.replace('openssl', '$(reboot)')],
    ['a line feed in the name', good.replace('openssl', 'open\nssl')],
    ['a carriage return at the end', `${good}\r`],
    ['a glob in the version', good.replace('3.0.2-1', '3.*')],
    ['a command in the version', good.replace('3.0.2-1', '1;reboot')],
    ['a quote in the repository', good.replace('Debian-Security', "Debian'")],
    ['a negative size', good.replace('1000000', '-1')],
    ['a size with an exponent', good.replace('1000000', '1e6')],
    ['a size beyond what numbers hold', good.replace('1000000', '9'.repeat(16))],
    ['a size with a zero in front', good.replace('1000000', '01000000')],
    ['an upper-case hash', good.replace(sha256Of('openssl'), sha256Of('openssl').toUpperCase())],
    ['no hash', good.replace(sha256Of('openssl'), '-')],
    ['an upgrade from nothing', good.replace('3.0.1-1', '-')],
    ['an upgrade to nothing', good.replace('3.0.2-1', '-')],
    ['a removal that names what to install', good.replace('upgrade', 'remove')],
    ['coverage of nothing', good.replace('3.0.1-1', '-').replace('upgrade', 'install')],
    ['no word on the version before', good.replace('repository\t0\t-', '-\t0\t-')],
    ['a kept file without its hash', good.replace('repository\t0', 'kept\t5')],
    ['a hash of a file that is not kept', good.replace('repository\t0\t-', `none\t5\t${sha256Of('old')}`)],
    ['a security flag that is neither', good.replace('yes', 'maybe')],
  ])('with %s is refused', (_, line) => {
    expect(() => parsePlanLine(line)).toThrow();
  });

  test('that is refused says which entry and what is missing', () => {
    expect(() => parsePlanLine(good.replace(sha256Of('openssl'), '-'))).toThrow(
      'upgrade of openssl names no version or no file hash',
    );
  });
});

describe('the seal of a plan', () => {
  test('does not depend on the order of entries', () => {
    fc.assert(
      fc.property(
        plan.chain((all) => fc.tuple(fc.constant(all), shuffled(all))),
        server,
        ([a, b], id) => {
          expect(canonicalPlan(id, b)).toBe(canonicalPlan(id, a));
          expect(planHash(id, b)).toBe(planHash(id, a));
        },
      ),
    );
  });

  test('binds the server', () => {
    fc.assert(
      fc.property(plan, server, server, (all, a, b) => {
        expect(planHash(a, all) === planHash(b, all)).toBe(a === b);
      }),
    );
  });

  test('changes with any field of any entry, with one entry more, and with one less', () => {
    fc.assert(
      fc.property(
        fc.array(entry, { minLength: 1, maxLength: 8 }),
        entry,
        fc.nat(),
        server,
        (all, other, at, id) => {
          const index = at % all.length;
          const seal = planHash(id, all);
          const before = all[index] as PlanEntry;
          for (const key of Object.keys(other) as (keyof PlanEntry)[]) {
            const changed = { ...before, [key]: other[key] } as PlanEntry;
            const isSame = changed[key] === before[key];
            expect(planHash(id, all.with(index, changed)) === seal).toBe(isSame);
          }
          expect(planHash(id, [...all, other])).not.toBe(seal);
          expect(planHash(id, all.toSpliced(index, 1))).not.toBe(seal);
        },
      ),
    );
  });

  test('is of a text in the order of bytes, ending with a line feed', () => {
    const text = canonicalPlan(
      serverId(1),
      ['zsh', 'Zope', 'apt', 'apt-utils'].map((one) => entryOf({ name: one })),
    );
    expect(text.split('\n').map((line) => line.split('\t')[1])).toEqual([
      '1',
      'Zope',
      'apt',
      'apt-utils',
      'zsh',
      undefined,
    ]);
  });

  test('is refused for what is no server', () => {
    expect(() => canonicalPlan('i-1\nupgrade', [])).toThrow();
  });

  test('is the one that servers compute', () => {
    // printf 'quarterdeck-plan\t1\ti-00000000000000001\n' | sha256sum
    expect(planHash(serverId(1), [])).toBe(
      '8a75f869aa6480fbfc1bf2c8a724470ee52df067577745bcf997919224d60bf3',
    );
  });
});

describe('the seal of a campaign', () => {
  const leaves = fc.uniqueArray(
    fc.record({ batchId: fc.nat(99).map((n) => `p-${String(n).padStart(4, '0')}`), digest: hash }),
    { selector: ({ batchId }) => batchId, minLength: 1, maxLength: 8 },
  );
  const plans = fc.uniqueArray(fc.record({ serverId: server, hash }), {
    selector: (one) => one.serverId,
    minLength: 1,
    maxLength: 8,
  });

  test('does not depend on the order of batches or servers', () => {
    fc.assert(
      fc.property(
        leaves.chain((all) => fc.tuple(fc.constant(all), shuffled(all))),
        ([a, b]) => {
          expect(rootHash('campaign-1', b)).toBe(rootHash('campaign-1', a));
        },
      ),
    );
    fc.assert(
      fc.property(
        plans.chain((all) => fc.tuple(fc.constant(all), shuffled(all))),
        ([a, b]) => {
          expect(batchDigest(b)).toBe(batchDigest(a));
        },
      ),
    );
  });

  test('changes with any server, any plan, any batch, and the campaign', () => {
    fc.assert(
      fc.property(leaves, fc.nat(), hash, (all, at, other) => {
        const index = at % all.length;
        const one = all[index] as (typeof all)[number];
        const root = rootHash('campaign-1', all);
        expect(rootHash('campaign-1', all.toSpliced(index, 1))).not.toBe(root);
        expect(rootHash('campaign-1', all.with(index, { ...one, digest: other })) === root).toBe(
          one.digest === other,
        );
        expect(rootHash('campaign-1', all.with(index, { ...one, batchId: 'p-9999' }))).not.toBe(root);
        expect(rootHash('campaign-2', all)).not.toBe(root);
      }),
    );
    fc.assert(
      fc.property(plans, fc.nat(), hash, (all, at, other) => {
        const index = at % all.length;
        const one = all[index] as (typeof all)[number];
        const digest = batchDigest(all);
        expect(batchDigest(all.toSpliced(index, 1))).not.toBe(digest);
        expect(batchDigest(all.with(index, { ...one, hash: other })) === digest).toBe(one.hash === other);
        expect(batchDigest(all.with(index, { ...one, serverId: serverId(9999) }))).not.toBe(digest);
      }),
    );
  });
});

describe('a plan entry', () => {
  test.each([
    '',
    '-',
    'a b',
    'a\tb',
    'a\nb',
    'ä',
    '`id`',
    'a|b',
    'a>b',
    "a'b",
    'a"b',
    'a\\b',
    'a/b',
    'a'.repeat(129),
  ])('has no name %j', (bad) => {
    expect(planEntrySchema.safeParse(entryOf({ name: bad })).success).toBe(false);
  });

  test('takes the versions that the five families have', () => {
    for (const to of [
      '1:9.2p1-2+deb12u3',
      '2.36-9+deb12u7~bpo1',
      '0:3.0.7-27.el9_4',
      '1.0^20240101git-1',
      '6.9.arch1-1',
    ])
      expect(planEntrySchema.safeParse(entryOf({ to })).success).toBe(true);
  });
});
