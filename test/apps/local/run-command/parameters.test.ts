import { describe, expect, test } from 'vitest';
import { parseDocument } from '../../../../apps/local/run-command/document.ts';
import { resolveParameters } from '../../../../apps/local/run-command/parameters.ts';

const step = { action: 'aws:runShellScript', name: 'work', inputs: { runCommand: ['true'] } };
const documentWith = (parameters: unknown) =>
  parseDocument('Sample', JSON.stringify({ schemaVersion: '2.2', parameters, mainSteps: [step] }));

describe('parameters of a command', () => {
  test('that are not given take their defaults, as text', () => {
    const document = documentWith({
      Mode: { type: 'String', default: 'all' },
      Names: { type: 'StringList', default: ['a', 'b'] },
      Limit: { type: 'Integer', default: 5 },
      Force: { type: 'Boolean', default: false },
    });
    expect(resolveParameters(document, { Mode: ['security'] })).toEqual({
      Mode: 'security',
      Names: ['a', 'b'],
      Limit: '5',
      Force: 'false',
    });
  });

  test.each([
    ['a name that the document does not have', { Mood: ['all'] }, /no parameter Mood/],
    ['a name that every object has', { constructor: ['all'] }, /no parameter constructor/],
    ['a value outside the allowed ones', { Mode: ['none'] }, /one of all, security, not "none"/],
    ['a value outside the pattern', { Id: ['a b'] }, /does not match .*: "a b"/],
    ['a list for one value', { Mode: ['all', 'all'] }, /takes one value, and was given 2/],
    ['no value at all', { Mode: [] }, /takes one value, and was given 0/],
    ['text for a number', { Limit: ['many'] }, /whole number, not "many"/],
    ['a number for a yes or no', { Force: ['1'] }, /true or false, not "1"/],
    ['an item of a list outside the pattern', { Names: ['ok', 'not ok'] }, /does not match .*: "not ok"/],
    ['too long a value', { Short: ['abcd'] }, /has 4 characters/],
  ])('refuse %s', (_, given, message) => {
    const document = documentWith({
      Mode: { type: 'String', default: 'all', allowedValues: ['all', 'security'] },
      Id: { type: 'String', default: 'x', allowedPattern: '^[a-z]+$' },
      Limit: { type: 'Integer', default: 5 },
      Force: { type: 'Boolean', default: true },
      Names: { type: 'StringList', default: [], allowedPattern: '^[a-z]+$' },
      Short: { type: 'String', default: 'x', maxChars: 3 },
    });
    expect(() => resolveParameters(document, given)).toThrow(
      expect.objectContaining({ name: 'InvalidParameters', message: expect.stringMatching(message) }),
    );
  });

  test('without a default have to be given', () => {
    expect(() => resolveParameters(documentWith({ Id: { type: 'String' } }), {})).toThrow(
      /Id has no value and no default/,
    );
  });

  test('checks nothing more than an unanchored pattern says', () => {
    const document = documentWith({ Id: { type: 'String', allowedPattern: '[a-z]+' } });
    expect(resolveParameters(document, { Id: ['$(reboot)'] })).toEqual({ Id: '$(reboot)' });
  });
});
