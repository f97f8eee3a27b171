import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseResultObject, serverPrefix } from '../../core/result-object.ts';
import { dublin, frankfurt, resultText, serverId } from '../support/samples.ts';

const sections = fc.dictionary(
  fc.stringMatching(/^[a-z-]{1,32}$/),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  {
    maxKeys: 5,
  },
);
const parse = (text: string) => parseResultObject(Buffer.from(text));

describe('a result object', () => {
  test('gives back the sections that were written', () => {
    fc.assert(
      fc.property(sections, (written) => {
        expect(Object.fromEntries(parse(resultText(written)))).toEqual({ ...written });
      }),
    );
  });

  test('keeps lines that look like its own headers inside of their section', () => {
    const log = 'quarterdeck-result 1\nsection plan 3\nabc\n';
    expect(parse(resultText({ log, plan: '' }))).toEqual(
      new Map([
        ['log', log],
        ['plan', ''],
      ]),
    );
  });

  test('that is cut anywhere is refused, or lacks whole sections; never a part of one', () => {
    fc.assert(
      fc.property(sections, fc.nat(), (written, at) => {
        const bytes = Buffer.from(resultText(written));
        const cut = bytes.subarray(0, at % bytes.length);
        let parsed: Map<string, string>;
        try {
          parsed = parseResultObject(cut);
        } catch {
          return;
        }
        expect(parsed.size).toBeLessThan(Object.keys(written).length);
        for (const [name, text] of parsed) expect(text).toBe(written[name]);
      }),
      { numRuns: 500 },
    );
  });

  test('of hostile bytes is refused or read, and never hangs', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          parseResultObject(Buffer.concat([Buffer.from('quarterdeck-result 1\n'), bytes]));
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }),
    );
  });

  test.each([
    ['nothing', ''],
    ['another first line', 'quarterdeck-result 2\n'],
    ['an endless first line', 'q'.repeat(1000)],
    ['no header', 'quarterdeck-result 1\nplan\n'],
    ['a name of capitals', 'quarterdeck-result 1\nsection PLAN 0\n\n'],
    ['a negative size', 'quarterdeck-result 1\nsection plan -1\n\n'],
    ['a size larger than all there is', 'quarterdeck-result 1\nsection plan 9999999999\nabc\n'],
    ['a size one too large', 'quarterdeck-result 1\nsection plan 4\nabc\n'],
    ['a size one too small', 'quarterdeck-result 1\nsection plan 2\nabc\n'],
    ['a section twice', 'quarterdeck-result 1\nsection plan 1\na\nsection plan 1\nb\n'],
  ])('with %s is refused', (_, text) => {
    expect(() => parse(text)).toThrow(/result object|section/);
  });
});

describe("a server's folder", () => {
  test('is what IAM puts into the requests of its role', () => {
    const id = serverId(1);
    expect(serverPrefix({ id, place: frankfurt })).toBe(
      `servers/arn:aws:ec2:eu-central-1:111111111111:instance/${id}`,
    );
    const folderIn = (region: string) => serverPrefix({ id, place: { account: '111111111111', region } });
    expect(folderIn('cn-north-1')).toBe(`servers/arn:aws-cn:ec2:cn-north-1:111111111111:instance/${id}`);
    expect(folderIn('us-gov-west-1')).toBe(
      `servers/arn:aws-us-gov:ec2:us-gov-west-1:111111111111:instance/${id}`,
    );
    expect(serverPrefix({ id: 'mi-0123456789abcdef0', place: dublin })).toBe(
      'servers/hybrid:mi-0123456789abcdef0',
    );
    expect(serverPrefix({ id: 'mi-0123456789abcdef0', place: dublin }, 'AROAEXAMPLE0123456789')).toBe(
      'servers/AROAEXAMPLE0123456789:mi-0123456789abcdef0',
    );
  });

  test.each([
    ['cn-north-1', 'aws-cn'],
    ['us-gov-west-1', 'aws-us-gov'],
    ['us-west-2', 'aws'],
  ])('in %s is of partition %s', (region, partition) => {
    const place = { account: '111111111111', region };
    expect(serverPrefix({ id: serverId(1), place })).toContain(`/arn:${partition}:ec2:${region}:`);
  });
});
