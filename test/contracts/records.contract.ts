/** Owns what every state store must do; run it on each adapter of the port. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Instant } from '../../core/instant.ts';
import type { RecordKey, Records, StoredRecord } from '../../core/ports.ts';

export interface RecordsUnderTest {
  readonly records: Records;
  close(): Promise<void>;
}

const at = (minute: number): Instant => `2026-11-21T01:${String(minute).padStart(2, '0')}:00.000Z`;

export interface RecordsContractOptions {
  /** Of each property. */
  readonly runs?: number;
  /** What an imitation of a store does not keep, and why it is no matter: asserted, so that it is noticed when it does. */
  readonly gaps?: Partial<Record<'empty names in maps' | 'items just below the limit', string>>;
}

export function describeRecords(
  name: string,
  open: () => Promise<RecordsUnderTest>,
  { runs = 30, gaps = {} }: RecordsContractOptions = {},
): void {
  describe(`records on ${name}`, () => {
    let opened: RecordsUnderTest;
    let records: Records;
    let fresh = 0;
    /** Partitions of this test's own, so that tests share one store. */
    const partition = () => `test#${++fresh}`;

    beforeAll(async () => {
      opened = await open();
      records = opened.records;
    });
    afterAll(() => opened?.close());

    const readAll = async (name: string, options: { prefix?: string; limit?: number } = {}) => {
      const found: StoredRecord[] = [];
      let after: string | undefined;
      do {
        const page = await records.list(name, { ...options, ...(after !== undefined && { after }) });
        if (options.limit) expect(page.records.length).toBeLessThanOrEqual(options.limit);
        found.push(...page.records);
        after = page.next;
      } while (after !== undefined);
      return found;
    };

    test('a created record is read back as it was written, at revision 1', async () => {
      const record = { key: { partition: partition(), sort: 'a' }, body: { state: 'planned' } };
      expect(await records.create(record)).toBe(true);
      expect(await records.get(record.key)).toEqual({ ...record, revision: 1 });
    });

    test('a record that is not there is undefined', async () => {
      expect(await records.get({ partition: partition(), sort: 'a' })).toBeUndefined();
    });

    test('creating what exists is refused and changes nothing', async () => {
      const key = { partition: partition(), sort: 'a' };
      await records.create({ key, body: 'first' });
      expect(await records.create({ key, body: 'second' })).toBe(false);
      expect(await records.get(key)).toEqual({ key, body: 'first', revision: 1 });
    });

    test('replacing needs the revision that was read', async () => {
      const key = { partition: partition(), sort: 'a' };
      expect(await records.replace({ key, body: 0 }, 1)).toBe(false);
      expect(await records.get(key)).toBeUndefined();
      await records.create({ key, body: 1 });
      expect(await records.replace({ key, body: 2 }, 1)).toBe(true);
      expect(await records.replace({ key, body: 'late' }, 1)).toBe(false);
      expect(await records.replace({ key, body: 'early' }, 3)).toBe(false);
      expect(await records.get(key)).toEqual({ key, body: 2, revision: 2 });
    });

    test('of many that claim the same record, exactly one is told that it did', async () => {
      const key = { partition: partition(), sort: 'a' };
      const created = await Promise.all(
        Array.from({ length: 8 }, () => records.create({ key, body: 'mine' })),
      );
      expect(created.filter(Boolean)).toHaveLength(1);
      const replaced = await Promise.all(
        Array.from({ length: 8 }, () => records.replace({ key, body: 'mine again' }, 1)),
      );
      expect(replaced.filter(Boolean)).toHaveLength(1);
    });

    test('any interleaving of creates and replaces leaves what a plain model says', async () => {
      const step = fc.record({
        sort: fc.constantFrom('a', 'b', 'c'),
        value: fc.integer(),
        expected: fc.option(fc.integer({ min: 1, max: 4 }), { nil: null }),
        due: fc.option(fc.integer({ min: 0, max: 59 }), { nil: null }),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
          const own = partition();
          const model = new Map<string, StoredRecord>();
          for (const { sort, value, expected, due } of steps) {
            const record = {
              key: { partition: own, sort },
              body: { value },
              ...(due !== null && { due: { shard: own, at: at(due) } }),
            };
            const before = model.get(sort);
            const fits = expected === null ? !before : before?.revision === expected;
            if (fits) model.set(sort, { ...record, revision: (expected ?? 0) + 1 });
            const done =
              expected === null ? await records.create(record) : await records.replace(record, expected);
            expect(done).toBe(fits);
          }
          const stored = [...model.values()];
          expect(await readAll(own)).toEqual(stored.toSorted((a, b) => (a.key.sort < b.key.sort ? -1 : 1)));
          const due = await records.listDue(own, at(59), 10);
          expect(new Set(due)).toEqual(new Set(stored.filter((record) => record.due)));
        }),
        { numRuns: runs },
      );
    });

    test('bodies are plain JSON, and come back equal', async () => {
      const body = fc.jsonValue({ stringUnit: 'grapheme' });
      await fc.assert(
        fc.asyncProperty(body, async (value) => {
          const text = JSON.stringify(value);
          // An empty name has a test of its own.
          fc.pre(!/"(__proto__)?":/.test(text) && numbersOf(value).every(isStorableNumber));
          const key = { partition: partition(), sort: 'a' };
          await records.create({ key, body: value });
          expect((await records.get(key))?.body).toEqual(JSON.parse(text));
        }),
        { numRuns: runs },
      );
    });

    test.each([
      ['an empty string', { text: '' }],
      ['a string of every awkward kind', { text: 'é\u{1f600}\u0000\n"\\' }],
      ['empty containers', { list: [], map: {}, nested: [[], [{}]] }],
      ['numbers of every awkward kind', [0, -1, 0.1, 1e21, 2 ** 53, 5e-130, -1.5e125, 1 / 3]],
      ['null, false and text alone', [null, false]],
    ])('keeps %s', async (_, body) => {
      const key = { partition: partition(), sort: 'a' };
      await records.create({ key, body });
      expect((await records.get(key))?.body).toEqual(body);
    });

    const orGap = (gap: keyof typeof gaps) => (gap in gaps ? test.fails : test);

    orGap('empty names in maps')('keeps an empty name in a map', async () => {
      const key = { partition: partition(), sort: 'a' };
      await records.create({ key, body: { '': [] } });
      expect((await records.get(key))?.body).toEqual({ '': [] });
    });

    test('leaves out properties that are undefined', async () => {
      const key = { partition: partition(), sort: 'a' };
      await records.create({ key, body: { here: 1, gone: undefined } });
      expect((await records.get(key))?.body).toStrictEqual({ here: 1 });
    });

    test('what is changed after writing is not what is stored', async () => {
      const body = { servers: ['one'] };
      const key = { partition: partition(), sort: 'a' };
      await records.create({ key, body });
      body.servers.push('two');
      expect((await records.get(key))?.body).toEqual({ servers: ['one'] });
    });

    test.each([
      ['a date', { at: new Date(0) }, /holds a Date at body\.at: store plain objects/],
      ['undefined in a list', [undefined], /holds undefined at body\[0\]: store null/],
      ['no body', undefined, /holds undefined at body/],
      ['infinity', { share: Number.POSITIVE_INFINITY }, /the number Infinity at body\.share/],
      ['a number too large', 1e126, /the number 1e\+126 at body: store it as text/],
      ['400 KB and more', 'x'.repeat(400 * 1024), /is 4\d{5} bytes and an item takes 409600: split it/],
    ])('refuses %s before it is sent, and says what to do', async (_, body, message) => {
      const key = { partition: partition(), sort: 'a' };
      await expect(records.create({ key, body })).rejects.toThrow(message);
      expect(await records.get(key)).toBeUndefined();
    });

    test('refuses an empty key', async () => {
      await expect(records.create({ key: { partition: partition(), sort: '' }, body: 1 })).rejects.toThrow(
        /sort key of record .* has 0 bytes: give it 1 to 1024/,
      );
    });

    orGap('items just below the limit')('takes an item just below the limit', async () => {
      const key = { partition: partition(), sort: 'a' };
      const body = 'x'.repeat(400 * 1024 - 300);
      await records.create({ key, body });
      expect((await records.get(key))?.body).toBe(body);
    });

    test('many keys are answered in their order, also if some are missing or named twice', async () => {
      const own = partition();
      const key = (index: number): RecordKey => ({ partition: own, sort: `server#${index}` });
      const indexes = Array.from({ length: 230 }, (_, index) => index);
      await Promise.all(
        indexes.filter((index) => index % 3).map((index) => records.create({ key: key(index), body: index })),
      );
      const asked = [...indexes.toReversed(), 1, 1];
      const answer = await records.getMany(asked.map(key));
      expect(answer.map((record) => record?.body)).toEqual(
        asked.map((index) => (index % 3 ? index : undefined)),
      );
      expect(await records.getMany([])).toEqual([]);
    });

    test('pages hold every record once, in the byte order of their keys', async () => {
      const sort = fc.oneof(
        fc.string({ minLength: 1, maxLength: 6, unit: 'binary' }),
        fc.constantFrom('a', 'a#', 'a#1', 'a#10', 'a#2', 'ab', 'b', '\uffee', '\u{1f600}'),
      );
      await fc.assert(
        fc.asyncProperty(
          fc.uniqueArray(sort, { maxLength: 12 }),
          fc.constantFrom('', 'a', 'a#', 'zz'),
          fc.integer({ min: 1, max: 5 }),
          async (sorts, prefix, limit) => {
            const own = partition();
            for (const sort of sorts) await records.create({ key: { partition: own, sort }, body: sort });
            const expected = sorts
              .filter((sort) => sort.startsWith(prefix))
              .toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
            expect((await readAll(own, { prefix, limit })).map(({ body }) => body)).toEqual(expected);
          },
        ),
        { numRuns: runs },
      );
    });

    test('a listing without limit brings more than one page of large items', async () => {
      const own = partition();
      const body = 'x'.repeat(300_000);
      const sorts = Array.from({ length: 130 }, (_, index) => String(index).padStart(4, '0'));
      const large = new Set(sorts.slice(0, 6));
      for (const sort of sorts) {
        await records.create({ key: { partition: own, sort }, body: large.has(sort) ? body : sort });
      }
      expect((await readAll(own)).map(({ key }) => key.sort)).toEqual(sorts);
    });

    test('due items come earliest first, up to and including the time asked for', async () => {
      const shard = partition();
      for (const minute of [30, 10, 20, 40]) {
        await records.create({
          key: { partition: shard, sort: `batch#${minute}` },
          body: minute,
          due: { shard, at: at(minute) },
        });
      }
      await records.create({ key: { partition: shard, sort: 'never' }, body: 'never' });
      const due = async (minute: number, limit = 10) =>
        (await records.listDue(shard, at(minute), limit)).map(({ body }) => body);
      expect(await due(30)).toEqual([10, 20, 30]);
      expect(await due(29)).toEqual([10, 20]);
      expect(await due(59, 2)).toEqual([10, 20]);
      expect(await due(9)).toEqual([]);
      expect(await records.listDue(`${shard}x`, at(59), 10)).toEqual([]);
    });

    test('an item leaves the due index when its due time vanishes, and moves when it changes', async () => {
      const shard = partition();
      const key = { partition: shard, sort: 'batch' };
      const due = async () => (await records.listDue(shard, at(30), 10)).map(({ revision }) => revision);
      await records.create({ key, body: {}, due: { shard, at: at(10) } });
      expect(await due()).toEqual([1]);
      await records.replace({ key, body: {}, due: { shard, at: at(40) } }, 1);
      expect(await due()).toEqual([]);
      await records.replace({ key, body: {}, due: { shard, at: at(20) } }, 2);
      expect(await due()).toEqual([3]);
      await records.replace({ key, body: {} }, 3);
      expect(await due()).toEqual([]);
    });
  });
}

function numbersOf(value: unknown): number[] {
  if (typeof value === 'number') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(numbersOf) : [];
}

function isStorableNumber(value: number): boolean {
  const magnitude = Math.abs(value);
  return magnitude === 0 || (magnitude > 1e-129 && magnitude < 1e125);
}
