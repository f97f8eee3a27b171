import { describe, expect, test } from 'vitest';
import { parseDocument } from '../../../../apps/local/run-command/document.ts';
import { admit } from '../../../../apps/local/run-command/precondition.ts';

function verdict(precondition: Record<string, string[]>): string {
  const { mainSteps } = parseDocument(
    'Sample',
    JSON.stringify({
      schemaVersion: '2.2',
      parameters: { Mode: { type: 'String' } },
      mainSteps: [{ action: 'aws:runShellScript', name: 'work', precondition, inputs: { runCommand: [] } }],
    }),
  );
  return admit(mainSteps[0] as (typeof mainSteps)[0], { Mode: 'install' }).verdict;
}

describe('a precondition', () => {
  test.each([
    [['platformType', 'Linux'], 'run'],
    [['linux', 'platformType'], 'run'],
    [['platformType', 'Windows'], 'skip'],
    [['{{ Mode }}', 'install'], 'run'],
    [['scan', '{{ Mode }}'], 'skip'],
    [['platformType', '{{ Mode }}'], 'fail'],
    [['install', 'install'], 'fail'],
    [['install', 'scan'], 'fail'],
    [['{{ Other }}', 'install'], 'fail'],
    [['platformType'], 'fail'],
    [['platformType', 'Linux', 'Linux'], 'fail'],
  ])('that StringEquals %j: %s', (operands, expected) => {
    expect(verdict({ StringEquals: operands })).toBe(expected);
  });

  test('of an operator that is not known fails, unless the step is skipped anyway', () => {
    const unknown = { StringLike: ['platformType', 'Linux'] };
    expect(verdict(unknown)).toBe('fail');
    expect(verdict({ ...unknown, StringEquals: ['platformType', 'Linux'] })).toBe('fail');
    expect(verdict({ ...unknown, StringEquals: ['platformType', 'Windows'] })).toBe('skip');
  });
});
