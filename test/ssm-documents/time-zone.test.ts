import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { documentSizeLimit, parseDocument } from '../../apps/local/run-command/document.ts';
import { combineOutput } from '../../apps/local/run-command/output.ts';
import { zoneReportSchema } from '../../core/inventory/detected-zone.ts';
import { assembleTimeZoneDocument } from '../../ssm-documents/assemble.ts';

const { name, content } = assembleTimeZoneDocument('ssm-documents');
const lines = content.mainSteps[0]?.inputs.runCommand ?? [];

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'quarterdeck-zone-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function file(path: string, text: string, mode = 0o644): void {
  const whole = join(root, path);
  mkdirSync(dirname(whole), { recursive: true });
  writeFileSync(whole, text);
  chmodSync(whole, mode);
}
function link(path: string, target: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  symlinkSync(target, join(root, path));
}
/** On the PATH before the machine's own. */
const program = (program: string, script: string) =>
  file(`bin/${program}`, `#!/bin/bash\n${script}\n`, 0o755);

function ask(env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync('bash', ['-s'], {
    input: `${lines.join('\n')}\n`,
    encoding: 'utf8',
    env: { PATH: `${join(root, 'bin')}:/usr/bin:/bin`, QD_ROOT: root, ...env },
  });
  expect(status).toBe(0);
  expect(stdout.match(/\n/g)).toHaveLength(1);
  const { readings } = zoneReportSchema.parse({ ...JSON.parse(stdout), at: '2027-01-09T02:00:00.000Z' });
  return {
    readings,
    said: Object.fromEntries(readings.map((one) => [one.method, one.value])),
    stdout,
    stderr,
  };
}

describe('the document that asks for the time zone', () => {
  beforeEach(() => {
    program('snmpget', 'exit 1');
    program('timedatectl', 'exit 1');
    program('date', 'echo UTC+0000');
  });

  it('is a document of schema 2.2 with one step and no parameters', () => {
    expect(name).toBe('TimeZone');
    expect(() => parseDocument(name, JSON.stringify(content))).not.toThrow();
    expect(JSON.stringify(content).length).toBeLessThan(documentSizeLimit);
    expect(content).not.toHaveProperty('parameters');
    expect(content.mainSteps).toHaveLength(1);
    expect(content.mainSteps[0]).toMatchObject({ precondition: { StringEquals: ['platformType', 'Linux'] } });
    expect(lines[0]).toBe('#!/bin/bash');
    // What SSM's model asks of a CommandPluginName.
    expect(content.mainSteps[0]?.name.length).toBeGreaterThanOrEqual(4);
    expect(lines.join('\n')).not.toMatch(/\{\{|\$SCRIPTS|json_member/);
  });

  it('asks in the order in which answers are believed', () => {
    program('snmpget', "echo 'Hex-STRING: 07 EB 01 09 03 00 00 00 2B 01 00 '");
    program('timedatectl', 'echo Europe/Berlin');
    file('etc/timezone', 'Europe/Berlin\n');
    link('etc/localtime', '/usr/share/zoneinfo/Europe/Berlin');
    expect(ask().readings).toEqual([
      { method: 'snmp', value: 'Hex-STRING: 07 EB 01 09 03 00 00 00 2B 01 00' },
      { method: 'timedatectl', value: 'Europe/Berlin' },
      { method: 'etc-timezone', value: 'Europe/Berlin' },
      { method: 'localtime-link', value: '/usr/share/zoneinfo/Europe/Berlin' },
      { method: 'date', value: 'UTC+0000' },
    ]);
  });

  it('asks SNMP for a number, without MIBs, and keeps its program from writing', () => {
    program('snmpget', `printf '%s\\n' "$@" "$SNMP_PERSISTENT_DIR" "$SNMPCONFPATH" >"${root}/asked"; exit 1`);
    expect(ask().said).not.toHaveProperty('snmp');
    const asked = spawnSync('cat', [join(root, 'asked')], { encoding: 'utf8' }).stdout.split('\n');
    expect(asked).toEqual(
      [
        '-v',
        '2c',
        '-c',
        'public',
        '-t',
        '1',
        '-r',
        '1',
        '-m',
        '',
        '-M',
        '',
        '-O',
        'v',
        'udp:localhost',
      ].concat(['1.3.6.1.2.1.25.1.2.0', '/dev/null', '/dev/null', '']),
    );
  });

  it.each([
    ['has no such object', "echo 'No Such Object available on this agent at this OID'"],
    ['hears nothing', "echo 'Timeout: No Response from localhost.' >&2; exit 1"],
    ['prints what is too long', "echo 'Hex-STRING: '; head -c 160 /dev/zero | tr '\\0' x"],
  ])('leaves SNMP out where it %s', (_, script) => {
    program('snmpget', script);
    const { said, stderr } = ask();
    expect(Object.keys(said)).toEqual(['date']);
    expect(stderr).toContain('quarterdeck: snmp ');
  });

  it('reads the status of a timedatectl that has no show', () => {
    program(
      'timedatectl',
      `[[ $1 == status ]] || exit 1
echo '      Local time: Sat 2027-01-09 03:00:00 CET'
echo '       Time zone: Europe/Berlin (CET, +0100)'
echo '     NTP enabled: yes'`,
    );
    expect(ask().said.timedatectl).toBe('Time zone: Europe/Berlin (CET, +0100)');
    program('timedatectl', "[[ $1 == status ]] && echo '        Timezone: Asia/Tokyo (JST, +0900)'");
    expect(ask().said.timedatectl).toBe('Timezone: Asia/Tokyo (JST, +0900)');
  });

  it('leaves out what takes too long, and asks the rest', () => {
    program('timedatectl', '[[ $1 == show ]] && exec sleep 60; exit 1');
    const began = Date.now();
    const { said, stderr } = ask();
    expect(Object.keys(said)).toEqual(['date']);
    expect(stderr).toContain('timedatectl does not answer');
    expect(Date.now() - began).toBeLessThan(15_000);
  });

  it.each([
    ['# written by hand\n\n  Europe/Berlin  # and so on\n', 'Europe/Berlin'],
    ['Etc/UTC', 'Etc/UTC'],
    ['', undefined],
    ['# nothing\n', undefined],
    ['n/a\n', undefined],
  ])('reads /etc/timezone %j', (text, value) => {
    file('etc/timezone', text);
    expect(ask().said['etc-timezone']).toBe(value);
  });

  it('follows the link as far as the name of a zone, and no further', () => {
    link('etc/localtime', 'somewhere/zone');
    link('etc/somewhere/zone', '/usr/share/zoneinfo/US/Eastern');
    link('usr/share/zoneinfo/US/Eastern', '../America/New_York');
    expect(ask().said['localtime-link']).toBe('/usr/share/zoneinfo/US/Eastern');
  });

  it.each([
    ['is a file', () => file('etc/localtime', 'TZif2')],
    ['leads nowhere that is a zone', () => link('etc/localtime', '/etc/my-zone')],
    ['leads to itself', () => link('etc/localtime', 'localtime')],
  ])('leaves the link out where it %s', (_, make) => {
    make();
    expect(Object.keys(ask().said)).toEqual(['date']);
  });

  it("asks for the server's time and not for the agent's", () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: of the shell
    program('date', 'printf "%s%s\\n" "${TZ:-system}" "$LC_ALL"');
    expect(ask({ TZ: 'Asia/Tokyo', LC_ALL: 'de_DE.UTF-8' }).said.date).toBe('systemC');
  });

  it('says that there is nothing, where nothing answers', () => {
    program('date', 'exit 1');
    expect(ask().stdout).toBe('{"schema":1,"readings":[]}\n');
  });

  it('stays one line of less than 2 KB, and whole beside its log, whatever a server answers', () => {
    const odd = '"\\"\\"\\é\u0001'.repeat(40).slice(0, 100);
    program('timedatectl', `cat ${root}/odd`);
    file('odd', odd);
    file('etc/timezone', odd);
    program('date', `cat ${root}/odd`);
    program('snmpget', `printf 'Hex-STRING: '; cat ${root}/odd`);
    link('etc/localtime', `/usr/share/zoneinfo/${'"\\'.repeat(60)}`);
    const { readings, stdout, stderr } = ask();
    expect(readings.length).toBeGreaterThan(3);
    expect(Buffer.byteLength(stdout)).toBeLessThan(2048);
    expect(combineOutput(stdout, stderr).startsWith(stdout)).toBe(true);
  });

  it('runs none of what a server answers', () => {
    file('etc/timezone', `$(touch ${root}/ran)\`touch ${root}/ran\`\n`);
    const { said } = ask();
    expect(said['etc-timezone']).toContain('$(touch');
    expect(spawnSync('ls', [join(root, 'ran')]).status).not.toBe(0);
  });
});
