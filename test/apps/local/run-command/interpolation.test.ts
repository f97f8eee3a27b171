import { describe, expect, test } from 'vitest';
import { parseDocument } from '../../../../apps/local/run-command/document.ts';
import { bindStep, type Interpolation } from '../../../../apps/local/run-command/interpolation.ts';

const document = parseDocument(
  'Sample',
  JSON.stringify({
    schemaVersion: '2.2',
    parameters: {
      Name: { type: 'String', interpolationType: 'ENV_VAR' },
      Mode: { type: 'String' },
      Items: { type: 'StringList' },
    },
    mainSteps: [
      {
        action: 'aws:runShellScript',
        name: 'work',
        inputs: {
          runCommand: ['n={{ Name }} m={{Mode}}', 'i={{ Items }} o={{ Other }} c={{ constructor }}'],
          timeoutSeconds: '{{ Name }}',
          workingDirectory: '/{{ Mode }}',
        },
      },
      { action: 'aws:runShellScript', name: 'list', inputs: { runCommand: '{{ Items }}' } },
    ],
  }),
);
const values = { Name: '60', Mode: '"; reboot', Items: ['a', '<b>'] };
const bind = (interpolation: Interpolation, index = 0) =>
  bindStep(document, document.mainSteps[index] as (typeof document.mainSteps)[0], values, interpolation);

describe('parameters reach a step', () => {
  test('as text, which nothing quotes', () => {
    expect(bind('text')).toEqual({
      lines: ['n=60 m="; reboot', 'i=["a","\\u003cb\\u003e"] o={{ Other }} c={{ constructor }}'],
      timeoutSeconds: '60',
      workingDirectory: '/"; reboot',
      env: {},
    });
  });

  test('as environment variables, their place left as it was written', () => {
    const bound = bind('environment');
    expect(bound.env).toEqual({ SSM_Name: '60' });
    expect(bound.lines[0]).toBe('n={{ Name }} m="; reboot');
    expect(bound.timeoutSeconds).toBe('{{ Name }}');
  });

  test('as both', () => {
    const bound = bind('both');
    expect(bound.env).toEqual({ SSM_Name: '60' });
    expect(bound.lines[0]).toBe('n=60 m="; reboot');
  });

  test('as the whole script, where a list stands alone', () => {
    expect(bind('text', 1).lines).toEqual(['a', '<b>']);
  });
});
