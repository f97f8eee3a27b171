/** Owns what every object store must do; run it on each adapter of the port. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Objects, PortError } from '../../core/ports.ts';

export interface ObjectsUnderTest {
  readonly objects: Objects;
  close(): Promise<void>;
}

/** @param withoutControl why a store that is reached over HTTP takes no key with a control character; asserted */
export function describeObjects(
  name: string,
  open: () => Promise<ObjectsUnderTest>,
  { withoutControl }: { readonly withoutControl?: string } = {},
): void {
  describe(`objects on ${name}`, () => {
    let opened: ObjectsUnderTest;
    let objects: Objects;
    beforeAll(async () => {
      opened = await open();
      objects = opened.objects;
    });
    afterAll(() => opened?.close());

    const text = async (key: string) => {
      const content = await objects.get(key);
      return content && Buffer.from(content).toString();
    };

    test('what is put is got, byte for byte', async () => {
      const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
      await objects.put('bytes', bytes);
      expect(await objects.get('bytes')).toEqual(bytes);
      await objects.put('text', 'größer\n');
      expect(await text('text')).toBe('größer\n');
      await objects.put('nothing', '');
      expect(await objects.get('nothing')).toEqual(new Uint8Array());
    });

    test('an object that is not there is undefined', async () => {
      await objects.put('folder/object', 'x');
      expect(await objects.get('missing')).toBeUndefined();
      expect(await objects.get('folder')).toBeUndefined();
      expect(await objects.get('folder/object/below')).toBeUndefined();
    });

    test('no more is read than the caller takes, to the byte', async () => {
      await objects.put('five', 'bytes');
      expect(Buffer.from((await objects.get('five', 5)) ?? '').toString()).toBe('bytes');
      const refused = objects.get('five', 4);
      await expect(refused).rejects.toThrow(PortError);
      await expect(refused).rejects.toMatchObject({
        code: 'too-large',
        message: 'object five has 5 bytes, and 4 are read at most',
      });
      await objects.put('none', '');
      expect(await objects.get('none', 0)).toEqual(new Uint8Array());
    });

    test('an object that is not there is undefined also to who takes little', async () => {
      await objects.put('shelf/object', 'x');
      expect(await objects.get('absent', 1)).toBeUndefined();
      expect(await objects.get('shelf', 1)).toBeUndefined();
      expect(await objects.get('shelf/object/below', 1)).toBeUndefined();
    });

    test('putting again replaces', async () => {
      await objects.put('twice', 'a long first content');
      await objects.put('twice', 'second');
      expect(await text('twice')).toBe('second');
    });

    test('what is changed after putting or getting is not what is stored', async () => {
      const content = Uint8Array.from([1, 2, 3]);
      await objects.put('own', content);
      content[0] = 9;
      const got = await objects.get('own');
      (got as Uint8Array)[1] = 9;
      expect(await objects.get('own')).toEqual(Uint8Array.from([1, 2, 3]));
    });

    test('of many that put at once, one wins whole', async () => {
      const contents = Array.from({ length: 8 }, (_, index) => String(index).repeat(200_000));
      await Promise.all(contents.map((content) => objects.put('race', content)));
      expect(contents).toContain(await text('race'));
    });

    test.each([
      'a/../../escape',
      '/../escape',
      '/rooted',
      'double//slash',
      'trailing/',
      '.',
      '..',
      '.incoming/x',
      'servers/arn:aws:ec2:eu-central-1:123456789012:instance/i-0123456789abcdef0/campaign-1/prepare.gz',
      'percent%2Fslash',
      'percent/slash',
      'space and + & ünï\u{1f600}',
    ])('the key %j is a name like any other', async (key) => {
      await objects.put(key, `content of ${key}`);
      expect(await text(key)).toBe(`content of ${key}`);
    });

    (withoutControl ? test.fails : test)(
      'a key with control characters is a name like any other',
      async () => {
        await objects.put('control\u0000\n', 'x');
        expect(await text('control\u0000\n')).toBe('x');
      },
    );

    test('different keys are different objects', async () => {
      const part = fc.string({
        unit: fc.constantFrom('a', 'A', '.', '%', '2', 'E', ':', '\\', ' '),
        maxLength: 4,
      });
      const key = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => `keys/${parts.join('/')}.x`);
      let run = 0;
      await fc.assert(
        fc.asyncProperty(fc.uniqueArray(key, { maxLength: 8 }), async (keys) => {
          const own = keys.map((each) => `run-${run}/${each}`);
          run++;
          fc.pre(!own.some((each) => own.some((other) => other.startsWith(`${each}/`))));
          for (const each of own) await objects.put(each, each);
          expect(await Promise.all(own.map(text))).toEqual(own);
        }),
        { numRuns: 50 },
      );
    });

    test.each([
      ['empty', '', /has 0 bytes: give it 1 to 1024/],
      ['too long', 'é'.repeat(513), /has 1026 bytes/],
      ['not text', 'a\ud800', /is not Unicode text/],
    ])('a key that is %s is refused', async (_, key, message) => {
      await expect(objects.put(key, 'x')).rejects.toThrow(message);
    });
  });
}
