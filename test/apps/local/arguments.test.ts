import { describe, expect, test } from 'vitest';
import { helpText, mostServers, parseCommandLine, UsageError } from '../../../apps/local/arguments.ts';

const files: Record<string, string> = {
  'servers.json': '[{"name": "web-1", "zone": "Asia/Tokyo"}, {"name": "web-2", "id": "i-0123456789abcdef0"}]',
  'servers.yaml': '- name: web-1\n- name: web-2\n  tags: {tier: front}\n',
  'doubled.yaml': '- name: web-1\n- name: web-2\n- name: web-1\n',
  'wrong.yaml': '- name: ""\n  famly: debian\n- {name: x, family: rocky, zone: Mars/Base}\n- 7\n- {}\n',
  'broken.yaml': '[{',
  'empty.yaml': '',
};

function readText(path: string): string {
  const text = files[path];
  if (text === undefined) throw new Error(`ENOENT: no such file, open '${path}'`);
  return text;
}

const parse = (...argv: string[]) => parseCommandLine(argv, readText);

function argumentsOf(...argv: string[]) {
  const parsed = parse(...argv);
  if (parsed.kind !== 'run') throw new Error('asked for help');
  return parsed.arguments;
}

function complaint(...argv: string[]): string {
  try {
    parse(...argv);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    expect((error as UsageError).exitCode).toBe(2);
    return (error as Error).message;
  }
  throw new Error(`${argv.join(' ')} was taken`);
}

describe('the command line', () => {
  test('leaves everything to the defaults when it is empty', () => {
    expect(argumentsOf()).toEqual({
      hosts: undefined,
      servers: undefined,
      json: false,
      fail: undefined,
      out: undefined,
    });
  });

  test('takes every option, with a space or an equals sign', () => {
    const expected = { hosts: 'shim', servers: { count: 12 }, json: true, fail: 'canary', out: 'there' };
    expect(
      argumentsOf('--hosts', 'shim', '--servers', '12', '--json', '--fail', 'canary', '--out', 'there'),
    ).toEqual(expected);
    expect(argumentsOf('--hosts=shim', '--servers=12', '--json', '--fail=canary', '--out=there')).toEqual(
      expected,
    );
  });

  test.each([
    [['--hots', 'shim'], 'unknown option --hots: did you mean --hosts?'],
    [['--server', '3'], 'unknown option --server: did you mean --servers?'],
    [['--xyzzy'], 'unknown option --xyzzy\n'],
    [['-x'], 'unknown option -x\n'],
    [['--hosts', 'sandbx'], '--hosts "sandbx" is not to be had: did you mean sandbox?'],
    [['--hosts', 'windows'], '--hosts "windows" is not to be had: choose one of shim, sandbox, debian'],
    [['--fail', 'all'], '--fail "all" is not to be had: choose one of canary'],
    [['--hosts'], '--hosts needs a value'],
    [['--out='], '--out needs a value'],
    [['--hosts', '--json'], '--hosts needs a value'],
    [['--json=yes'], '--json takes no value, not "yes"'],
    [['--json', '--json'], '--json is given twice: give it once'],
    [['8'], 'unexpected argument "8"'],
    [['--', '8'], 'unexpected argument "8"'],
  ])('names what is wrong with %j', (argv, message) => {
    expect(complaint(...argv)).toContain(message);
  });

  test.each(['0', '-3', '2.5', '1001', '99999999999999999999'])('refuses %s servers', (count) => {
    expect(complaint('--servers', count)).toContain(`--servers ${count} is not a number of servers`);
  });

  test.each([1, mostServers])('takes %i servers', (count) => {
    expect(argumentsOf('--servers', String(count)).servers).toEqual({ count });
  });

  test('says how to get help with every complaint', () => {
    expect(complaint('--nonsense')).toMatch(/npm start -- --help shows all options$/);
  });
});

describe('help', () => {
  test.each([['--help'], ['-h'], ['--json', '--help']])('is shown for %s', (...argv) => {
    expect(parse(...argv)).toEqual({ kind: 'help', text: helpText });
  });

  test('fits 80 columns and names every option', () => {
    for (const line of helpText.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    for (const option of ['hosts', 'servers', 'fail', 'json', 'out', 'help'])
      expect(helpText).toContain(`--${option}`);
  });
});

describe('a list of servers', () => {
  test('is read from JSON, and the rest of each server is made up', () => {
    const { servers } = argumentsOf('--servers', 'servers.json');
    if (!servers || !('list' in servers)) throw new Error('no list');
    expect(servers.list).toMatchObject([
      { name: 'web-1', family: 'debian', zone: 'Asia/Tokyo', tags: {} },
      { name: 'web-2', id: 'i-0123456789abcdef0' },
    ]);
  });

  test('is read from YAML, and a name has the same id in every run', () => {
    const fromYaml = argumentsOf('--servers', 'servers.yaml').servers;
    const again = argumentsOf('--servers', 'servers.yaml').servers;
    expect(fromYaml).toMatchObject({ list: [{ name: 'web-1' }, { name: 'web-2', tags: { tier: 'front' } }] });
    expect(again).toEqual(fromYaml);
  });

  test('is refused with place, value and mend of each mistake', () => {
    const message = complaint('--servers', 'wrong.yaml');
    expect(message.split('\n').slice(0, -1)).toEqual([
      '--servers wrong.yaml:',
      '  [0].name is "": write at least 1 character',
      '  [0].famly is not known: a server has schema, id, name, place, family, environment, owner, zone, hostGroup, metal, haGroups, tags',
      '  [1].family is "rocky": choose one of debian, rhel, amazon, suse, arch',
      '  [1].zone is "Mars/Base": is not a time zone: write it like Europe/Berlin',
      '  [2] is 7: write a server, like {"name": "web-1"}',
      '  [3].name is missing: write a string',
    ]);
  });

  test.each([
    ['doubled.yaml', '[2].name is "web-1", as that of [0]: make them differ'],
    ['broken.yaml', 'is neither JSON nor YAML'],
    ['empty.yaml', 'write a list of servers'],
    ['absent.yaml', 'can not be read: ENOENT'],
  ])('is refused when it is %s', (file, message) => {
    expect(complaint('--servers', file)).toContain(message);
  });
});
