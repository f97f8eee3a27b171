import { describe, expect, it } from 'vitest';
import { parseCommandLine, UsageError } from '../../../apps/cli/arguments.ts';
import { helpText } from '../../../apps/cli/help.ts';

describe('the command line', () => {
  it.each([
    [['plan', '--skip-bad-rows'], '--skip-bad-rows is of a list'],
    [['plan', '--servers', 'a', '--aws'], '--servers plans a file, and --aws what is stored'],
    [['plan', '--aws', '--state', 'x'], '--state is on this machine and --aws is not'],
    [['plan', '--aws', '--now', '2026-11-21'], '--now is for this machine'],
    [['servers'], 'servers what? Write one of import, export, list, sync'],
    [['servers', 'improt', 'a'], 'did you mean import?'],
    [['servers', 'import'], 'needs a word more: the server list'],
    [['servers', 'import', 'a', 'b'], 'unexpected argument "b"'],
    [['servers', 'import', 'a', '--replace', '--skip-bad-rows'], 'would take out servers'],
    [['servers', 'list', '--force'], 'unknown option --force'],
    [['schedule', 'set', 'a'], 'needs one of --cron'],
    [['schedule', 'set', 'a', '--cron', '0 2 * * sat', '--date', '2027-01-09'], 'leave out --date'],
    [['schedule', 'set', 'a', '--date', '2027-02-30'], '"2027-02-30" is not a day'],
    [['schedule', 'set', 'a', '--cron', '0 2 * * sat', '--time', '02:00'], '--time is of a date'],
    [['schedule', 'set', 'a', '--policy', '--approved'], '--approved is of a date'],
    [['schedule', 'set', 'a', '--date', '9.1.2027'], 'write it like 2027-01-09'],
    [['schedule', 'set', 'a', '--date', '2027-01-09', '--time', '2:00'], 'write it like 02:00'],
    [['feed', '--owner', 'a', '--group', 'b'], 'leave out --owner or --group'],
    [['plna', '--servers', 's.csv'], 'did you mean plan?'],
    [['plan', '--server', 's.csv'], 'did you mean --servers?'],
    [['plan', '--servers'], '--servers needs a value'],
    [['plan', '--servers', 'a', '--servers', 'b'], '--servers is given twice'],
    [['plan', '--servers', 'a', '--json=yes'], '--json takes no value'],
    [['plan', '--servers', 'a', '--now', '2026-02-30'], 'is not an instant'],
    [['plan', '--servers', 'a', '--now', 'today'], 'is not an instant'],
    [['plan', 'more', '--servers', 'a'], 'unexpected argument "more"'],
    [['--servers', 'a'], 'no command'],
  ])('%j is refused: %s', (argv, message) => {
    expect(() => parseCommandLine(argv)).toThrow(UsageError);
    expect(() => parseCommandLine(argv)).toThrow(message);
  });

  it.each([
    '2026-11-21T12:00:00Z',
    '2026-11-21T12:00Z',
    '2026-11-21T13:00:00+01:00',
    '2026-11-21T12:00:00.000Z',
  ])('reads %s as an instant', (now) => {
    expect(parseCommandLine(['plan', '--servers', 'a', '--now', now])).toMatchObject({
      arguments: { now: '2026-11-21T12:00:00.000Z' },
    });
  });

  it.each([
    [[], undefined],
    [['--help'], undefined],
    [['plan', '-h'], 'plan'],
    [['servers', '--help'], 'servers'],
    [['schedule', 'set', '--help'], 'schedule set'],
  ])('%j asks for help', (argv, command) => {
    expect(parseCommandLine(argv)).toEqual({ kind: 'help', command });
    expect(helpText(command)).toContain(`Usage: quarterdeck ${command ?? 'COMMAND'}`);
    for (const line of helpText(command).split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  });

  it.each([
    [['servers', 'import', 'a.csv', '--force'], { file: 'a.csv', force: true, replace: false }],
    [['servers', '--json', 'list', '--owner', 'ana'], { filter: { owner: 'ana' }, json: true }],
    [['servers', 'export'], { file: undefined, place: { aws: false, state: '.quarterdeck/state' } }],
    [
      ['schedule', 'set', 'a', '--cron', '0 2 * * sat'],
      { rule: { kind: 'cron', expression: '0 2 * * sat' } },
    ],
    [['schedule', 'set', 'a', '--date', '2027-01-09'], { rule: { kind: 'date', date: '2027-01-09' } }],
    [['schedule', 'remove', 'a', '--aws'], { server: 'a', rule: null, place: { aws: true } }],
    [['feed', '--group', 'web'], { audience: { kind: 'group', group: 'web' } }],
  ])('%j is understood', (argv, expected) => {
    expect(parseCommandLine(argv)).toMatchObject({ arguments: expected });
  });
});
