import { describe, expect, test } from 'vitest';
import { parseDocument } from '../../../../apps/local/run-command/document.ts';
import { DocumentRegistry } from '../../../../apps/local/run-command/document-registry.ts';

const step = { action: 'aws:runShellScript', name: 'work', inputs: { runCommand: ['true'] } };
const sample = { schemaVersion: '2.2', mainSteps: [step] };

describe('a command document', () => {
  test('is read from YAML and from JSON', () => {
    const yaml = `
schemaVersion: "2.2"
mainSteps:
  - action: aws:runShellScript
    name: work
    inputs: { runCommand: ["true"] }
`;
    expect(parseDocument('Sample', yaml)).toEqual(parseDocument('Sample', JSON.stringify(sample)));
  });

  test('may carry onFailure beside its inputs, where the agent ignores it', () => {
    const document = parseDocument(
      'Sample',
      JSON.stringify({ ...sample, mainSteps: [{ ...step, onFailure: 'exit' }] }),
    );
    expect(document.mainSteps[0]).not.toHaveProperty('onFailure');
  });

  test.each([
    ['of another schema', { ...sample, schemaVersion: '0.3' }, /schemaVersion/],
    ['without steps', { ...sample, mainSteps: [] }, /mainSteps/],
    [
      'with an action that the local agent cannot do',
      { ...sample, mainSteps: [{ ...step, action: 'aws:runDocument' }] },
      /action/,
    ],
    ['with two steps of one name', { ...sample, mainSteps: [step, step] }, /two steps of one name/],
    [
      'with an input that is none',
      { ...sample, mainSteps: [{ ...step, inputs: { runCommand: [], timeout: 5 } }] },
      /timeout/,
    ],
    [
      'with a pattern that is none',
      { ...sample, parameters: { A: { type: 'String', allowedPattern: '(' } } },
      /expression/,
    ],
    [
      'with a name that the shell could not take',
      { ...sample, parameters: { 'a-b': { type: 'String' } } },
      /a-b/,
    ],
    [
      'with a list as environment variable',
      { ...sample, parameters: { A: { type: 'StringList', interpolationType: 'ENV_VAR' } } },
      /environment variables/,
    ],
  ])('%s is refused', (_, document, message) => {
    expect(() => parseDocument('Sample', JSON.stringify(document))).toThrow(
      expect.objectContaining({ name: 'InvalidDocumentContent', message: expect.stringMatching(message) }),
    );
  });
});

describe('registered documents', () => {
  const first = JSON.stringify(sample);
  const second = JSON.stringify({ ...sample, description: 'again' });

  test('get a version with each change, and none without', () => {
    const registry = new DocumentRegistry();
    expect(registry.register('Sample', first, 0).LatestVersion).toBe('1');
    expect(registry.register('Sample', first, 0).LatestVersion).toBe('1');
    expect(registry.register('Sample', second, 0)).toMatchObject({
      DocumentVersion: '2',
      LatestVersion: '2',
    });
    expect(registry.find('Sample', '1').content).toBe(first);
    expect(registry.find('Sample', '$LATEST').content).toBe(second);
  });

  test('keep their first version as the default, as CloudFormation leaves it', () => {
    const registry = new DocumentRegistry();
    registry.register('Sample', first, 0);
    registry.register('Sample', second, 0);
    expect(registry.describe('Sample', undefined).DocumentVersion).toBe('1');
  });

  test('have a hash that changes with any character', () => {
    const registry = new DocumentRegistry();
    const { Hash } = registry.register('Sample', first, 0);
    expect(Hash).toMatch(/^[0-9a-f]{64}$/);
    expect(registry.register('Sample', `${first} `, 0).Hash).not.toBe(Hash);
  });

  test.each([
    ['a name that AWS keeps', 'AWS-Sample', first, 'ValidationException'],
    ['a name with a blank', 'my sample', first, 'ValidationException'],
    [
      'more than 64 KB',
      'Sample',
      JSON.stringify({ ...sample, description: 'x'.repeat(65_536) }),
      'MaxDocumentSizeExceeded',
    ],
  ])('refuse %s', (_, name, content, code) => {
    expect(() => new DocumentRegistry().register(name, content, 0)).toThrow(
      expect.objectContaining({ name: code }),
    );
  });

  test('that are missing, and versions that are, are told apart', () => {
    const registry = new DocumentRegistry();
    registry.register('Sample', first, 0);
    expect(() => registry.find('Simple')).toThrow(expect.objectContaining({ name: 'InvalidDocument' }));
    expect(() => registry.find('Sample', '2')).toThrow(
      expect.objectContaining({ name: 'InvalidDocumentVersion' }),
    );
  });
});
