import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

describe('the archive of a backup', () => {
  const folder = mkdtempSync(join(tmpdir(), 'quarterdeck-backup-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  let server = 0;

  /** Makes the backup of a folder with some files; `programs` come before those of the machine. */
  function makeBackup(programs: Readonly<Record<string, string>> = {}, before = '', mebibytes = 16) {
    const root = join(folder, String(server++));
    const job = join(root, 'var/lib/quarterdeck/2027-q1-tests');
    for (const path of ['bin', 'etc/app', 'work']) mkdirSync(join(root, path), { recursive: true });
    mkdirSync(join(job, 'state'), { recursive: true });
    writeFileSync(join(root, 'etc/app/app.conf'), 'port = 80\n');
    writeFileSync(join(root, 'work/installed'), 'app\tall\t1.0-1\tii \t1\n');
    writeFileSync(join(job, 'state/backup'), 'path\t/etc\n');
    for (const [name, text] of Object.entries(programs))
      writeFileSync(join(root, 'bin', name), `#!/bin/bash\n${text}\nPATH=\${PATH#*:} exec ${name} "$@"\n`, {
        mode: 0o755,
      });
    const script = `
      SCRIPTS=ssm-documents CampaignId=2027-q1-tests Backup=required BackupBucket=b BackupMebibytes=${mebibytes} BackupTimeout=99 CLOSING=()
      for name in log state json transport summary facts backup; do
        source <(sed '/^source .*\\(FAMILY\\|facts\\|compliance\\|evidence\\|versions\\)/d' ssm-documents/lib/$name.sh)
      done
      WORK=${root}/work SERVER_PREFIX=servers/me
      family_manifest() { printf 'app\\tall\\tmain\\tmanual\\n'; }
      family_holds() { :; }
      time_to_spare() { REPLY=\${LEFT:-99}; }
      put_confirmed() { cp -- "$3" ${root}/sent; }
      ${before}
      make_backup
      echo "$BACKUP_PROBLEM|$BACKUP_JSON"`;
    const { stdout } = spawnSync('bash', ['--norc', '-c', script], {
      encoding: 'utf8',
      env: { PATH: `${join(root, 'bin')}:${process.env.PATH}`, QD_ROOT: root },
    });
    const [problem = '', summary = ''] = stdout.trim().split('\n').at(-1)?.split('|') ?? [];
    return { problem, summary: JSON.parse(summary), left: readdirSync(join(job, 'configuration')), root };
  }

  it('is sent once it could be read back, and kept for a rollback', () => {
    const { problem, summary, left } = makeBackup();
    expect(problem).toBe('');
    expect(summary).toMatchObject({ key: 'backups/me/2027-q1-tests/configuration.tar.gz', files: 4 });
    expect(left).toEqual(['archive']);
  });

  it('is the same of the same files', () => {
    const again = makeBackup({}, 'make_backup; sleep 1.1; cp "$ROOT/sent" "$ROOT/first"');
    expect(readFileSync(join(again.root, 'sent'))).toEqual(readFileSync(join(again.root, 'first')));
  });

  const failing = (words: string, code: number) =>
    `[[ $* != *--create* ]] || { PATH=\${PATH#*:} tar "$@"; echo 'tar: ./etc/app: ${words}' >&2; exit ${code}; }`;

  it.each([
    ['file changed as we read it', 1],
    ['Warning: Cannot flistxattr: Operation not supported', 0],
  ])('does not mind "%s"', (words, code) => {
    const { problem, summary } = makeBackup({ tar: failing(words, code) });
    expect([problem, summary === null]).toEqual(['', false]);
  });

  it.each<[string, Readonly<Record<string, string>>, string, RegExp]>([
    [
      'tar could not read a file',
      { tar: failing('Read error at byte 0: Input/output error', 2) },
      '',
      /^tar ended with 2, gzip with 0: tar: .\/etc\/app: Read error/,
    ],
    [
      'gzip was ended',
      { gzip: '[[ $1 != -n ]] || { cat >/dev/null; exit 1; }' },
      '',
      /^tar ended with 0, gzip with 1: /,
    ],
    [
      'it has not all that was listed',
      { tar: '[[ $* != *--list* ]] || { cat >/dev/null; echo ./etc; exit; }' },
      '',
      /^of 4 entries 1 can be read back$/,
    ],
    [
      'it can not be read',
      { gzip: '[[ $1 != -dc ]] || { echo x; exit 1; }' },
      '',
      /^of 4 entries none can be read back$/,
    ],
    [
      'reading takes longer than there is',
      { tar: '[[ $* != *--create* ]] || sleep 20' },
      'LEFT=2',
      /^\d+ files with \d+ bytes could not be read within 2 seconds$/,
    ],
    [
      'reading takes longer than it may',
      { tar: '[[ $* != *--create* ]] || sleep 20' },
      'BackupTimeout=2',
      /^\d+ files with \d+ bytes could not be read within 1 seconds$/,
    ],
    ['there is no time', {}, 'LEFT=0', /^there is no time for it$/],
    [
      'there is no room beside the plan',
      {},
      'echo 99999999 >"$STATE/room"',
      /has \d+ MiB free; plan and archive need 100000019 MiB$/,
    ],
    [
      'hashing takes longer than it may',
      { sha256sum: '[[ $# -lt 2 ]] || sleep 20' },
      'BackupTimeout=2',
      /^the time for it went by while its files were hashed$/,
    ],
    [
      'what it is to have is a link',
      {},
      'ln -s app "$ROOT/etc/now"; printf "path\\t/etc/\\npath\\t/etc/now/\\n" >"$STATE/backup"',
      /^\/etc\/now\/ is a link: name what it leads to$/,
    ],
    [
      'there is no configuration',
      {},
      'printf "path\\t/nowhere\\n" >"$STATE/backup"',
      /^the configuration can not be read, or there is none$/,
    ],
    [
      'the search for files was ended without a word',
      { find: '[[ $* != *-print0* ]] || { printf "./etc\\0"; exit 137; }' },
      '',
      /^the configuration can not be read, or there is none$/,
    ],
    [
      'a folder can not be read',
      { find: `[[ $* != *-print0* ]] || { echo "find: './etc/app': Input/output error" >&2; exit 1; }` },
      '',
      /^the configuration can not be read, or there is none$/,
    ],
    ['no packages are known', {}, ': >"$WORK/installed"', /^the list of packages could not be written$/],
  ])('is none where %s, and nothing of it stays', (_, programs, before, words) => {
    const { problem, summary, left } = makeBackup(programs, before);
    expect(problem).toMatch(words);
    expect([summary, left]).toEqual([null, []]);
  });

  /** Of what a server tells of it in its result. */
  const listed = (root: string) =>
    readFileSync(join(root, 'var/lib/quarterdeck/2027-q1-tests/state/files'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t')[0]);

  it.each([
    ['and how they are was noted', ''],
    ['also where they are too many to be noted', 'MOST_FILES=0'],
  ])('is told with the files that stayed as they were, %s', (_, many) => {
    const { root } = makeBackup(
      {},
      `${many}
      family_manifest() { echo other >"$ROOT/etc/app/other.conf"; sleep 0.1; }
      put_confirmed() { echo changed >"$ROOT/etc/app/other.conf"; }
      after() { note_configuration; list_backed_up; }
      trap after EXIT`,
    );
    expect(listed(root)).toEqual(['/etc/app/app.conf']);
  });
});

describe('the list of the configuration before a patch', () => {
  it.each([
    ['was ended', 'kill -KILL $$'],
    ['could not read a file', `echo 'sha256sum: ./etc/b: Input/output error' >&2; exit 1`],
    ['had no room to write to', `echo 'sha256sum: write error: No space left on device' >&2; exit 1`],
    ['did not say what it could not do', 'exit 1'],
  ])('is none where the hashing %s: files it lacks would be taken for new ones', (_, end) => {
    const root = mkdtempSync(join(tmpdir(), 'quarterdeck-list-'));
    try {
      for (const path of ['bin', 'etc', 'work', 'state']) mkdirSync(join(root, path));
      for (const name of ['a', 'b', 'c']) writeFileSync(join(root, 'etc', name), name);
      writeFileSync(join(root, 'state/backup'), 'path\t/etc\n');
      const program = `#!/bin/bash\nPATH=\${PATH#*:} sha256sum -- "$2"\n${end}\n`;
      writeFileSync(join(root, 'bin/sha256sum'), program, { mode: 0o755 });
      const script = `
        SCRIPTS=ssm-documents CampaignId=2027-q1-tests CLOSING=()
        for name in log state transport configuration; do source ssm-documents/lib/$name.sh; done
        WORK=$ROOT/work STATE=$ROOT/state SAVED=$ROOT/saved CHANGES=$ROOT/saved/index
        time_to_spare() { REPLY=99; }
        note_configuration; ls "$STATE"`;
      const { stdout } = spawnSync('bash', ['--norc', '-c', script], {
        encoding: 'utf8',
        env: { PATH: `${join(root, 'bin')}:${process.env.PATH}`, QD_ROOT: root },
      });
      expect(stdout).toBe('backup\n');
    } finally {
      rmSync(root, { recursive: true });
    }
  });
});
