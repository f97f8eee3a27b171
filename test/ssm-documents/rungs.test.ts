import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';

let root: string;
const at = (path: string) => join(root, path);
const content = (path: string) => readFileSync(at(path), 'utf8');

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'quarterdeck-rungs-'));
  for (const folder of ['etc/app', 'job/state', 'job/configuration/originals/etc/app', 'work'])
    mkdirSync(at(folder), { recursive: true });
  return () => rmSync(root, { recursive: true });
});

function bash(script: string): string[] {
  const { stdout, stderr } = spawnSync(
    'bash',
    [
      '--norc',
      '-c',
      `SCRIPTS=ssm-documents CampaignId=2027-q1-tests DryRun=no
      for name in log state transport facts result summary phase configuration-rung versions kernel-rung; do source ssm-documents/lib/$name.sh; done
      ROOT=${root} JOB=${root}/job STATE=${root}/job/state WORK=${root}/work LOG=${root}/log STEPS=${root}/steps
      SAVED=$JOB/configuration CHANGES=$JOB/configuration/index ORIGINALS=$JOB/configuration/originals
      KEPT_REASONS=0 KEPT_WARNINGS=0
      keep_reasons() { :; }
      log() { :; }
      ${script}`,
    ],
    { encoding: 'utf8', env: { PATH: process.env.PATH, LC_ALL: 'C' } },
  );
  expect(stderr).toBe('');
  return stdout.split('\n').filter((line) => line !== '');
}

const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

/** Notes files as they are now, and as they are once the change is made, as a patch would. */
function patched(paths: readonly string[], change: () => void) {
  const states = () =>
    bash(paths.map((path) => `configuration_at "$ROOT" ${quoted(path)}; printf '%s\\n' "$REPLY"`).join('\n'));
  const before = states();
  for (const path of paths) spawnSync('cp', ['-a', '-T', at(path), at(`job/configuration/originals${path}`)]);
  change();
  const after = states();
  writeFileSync(
    at('job/configuration/index'),
    paths.map((path, i) => `${path}\t${before[i]}\t${after[i]}\n`).join(''),
  );
}

/** What the rung has to say; `since` is what happens between the transaction and the way back. */
function goBack(since: () => void = () => {}): string[] {
  since();
  return bash(`note_untouched; note_left
    ! has_restorable || restore_configuration
    printf '%s\\n' "\${REASONS[@]}" "\${WARNINGS[@]}"`);
}

const odd = `/etc/app/-a b'"$(touch x)*`;
const file = '/etc/app/file';
const link = '/etc/app/link';
const came = '/etc/app/came';

describe('the configuration rung', () => {
  const changeAll = () => {
    writeFileSync(at(odd), 'before\n');
    chmodSync(at(odd), 0o640);
    writeFileSync(at(file), 'before\n');
    writeFileSync(at('/etc/app/other'), 'other\n');
    symlinkSync('/before', at(link));
    patched([odd, file, link, came], () => {
      writeFileSync(at(odd), 'after\n');
      chmodSync(at(odd), 0o600);
      rmSync(at(file));
      rmSync(at(link));
      symlinkSync(at('/etc/app/other'), at(link));
      writeFileSync(at(came), 'came\n');
    });
  };
  const expectAsBefore = () => {
    expect(content(odd)).toBe('before\n');
    expect(statSync(at(odd)).mode & 0o777).toBe(0o640);
    expect(content(file)).toBe('before\n');
    expect(readlinkSync(at(link))).toBe('/before');
    expect(readdirSync(at('/etc/app'))).toHaveLength(4);
  };

  it('brings back content, modes and links of exactly what changed, whatever its name, and takes away what came', () => {
    changeAll();
    expect(goBack(() => writeFileSync(at('/etc/app/other'), 'by others\n'))).toEqual([]);
    expectAsBefore();
    expect(content('/etc/app/other')).toBe('by others\n');
  });

  it('finds nothing to do when it is asked again, and clears away what a killed run left', () => {
    changeAll();
    writeFileSync(at('/etc/app/.quarterdeck-2027-q1-tests'), 'half of it');
    expect(goBack()).toEqual([]);
    rmSync(at('steps'));
    expect(goBack()).toEqual([]);
    expect(() => content('steps')).toThrow('ENOENT');
    expectAsBefore();
  });

  it('takes what the way back of a package made of a file for its own doing', () => {
    changeAll();
    bash('note_untouched');
    writeFileSync(at(file), 'as the old package brings it\n');
    expect(
      bash(
        `note_left; has_restorable && restore_configuration; printf '%s\\n' "\${REASONS[@]}" "\${WARNINGS[@]}"`,
      ),
    ).toEqual([]);
    expectAsBefore();
  });

  it.each<[string, string, () => void]>([
    ['content', odd, () => writeFileSync(at(odd), 'by a person\n')],
    ['mode', odd, () => chmodSync(at(odd), 0o644)],
    [
      'target',
      link,
      () => {
        rmSync(at(link));
        symlinkSync('/etc/shadow', at(link));
      },
    ],
    ['presence', file, () => writeFileSync(at(file), 'again\n')],
  ])('leaves what has another %s since, and says so', (_, path, change) => {
    changeAll();
    const state = () => bash(`configuration_at "$ROOT" ${quoted(path)}; printf '%s\\n' "$REPLY"`);
    let changed: string[] = [];
    const said = goBack(() => {
      change();
      changed = state();
    });
    expect(said).toEqual([expect.stringContaining('configuration-kept\tchanged since the patch')]);
    expect(state()).toEqual(changed);
    expect(content('steps')).toContain(`configuration\tleave\t${path}\t-\t-\n`);
  });

  it('follows no folder that has become a link', () => {
    changeAll();
    mkdirSync(at('/elsewhere'));
    const said = goBack(() => {
      renameSync(at('/etc/app'), at('/moved'));
      symlinkSync(at('/moved'), at('/etc/app'));
    });
    expect(said).toEqual([expect.stringContaining('not-restored\tcould not be brought back')]);
    expect(content('/moved/came')).toBe('came\n');
    expect(() => lstatSync(at('/moved/file'))).toThrow('ENOENT');
  });

  it('brings folders back that went with their files, as closed as they were', () => {
    const deep = '/etc/app/closed/deep/file';
    mkdirSync(at('/etc/app/closed/deep'), { recursive: true });
    chmodSync(at('/etc/app/closed'), 0o700);
    chmodSync(at('/etc/app/closed/deep'), 0o750);
    writeFileSync(at(deep), 'before\n');
    writeFileSync(
      at('work/list'),
      ['etc', 'etc/app', 'etc/app/closed', 'etc/app/closed/deep', deep.slice(1)]
        .map((path) => `./${path}\n`)
        .join(''),
    );
    spawnSync('tar', [
      '-C',
      root,
      '--no-recursion',
      '-czf',
      at('job/configuration/archive'),
      '-T',
      at('work/list'),
    ]);
    patched([deep], () => rmSync(at('/etc/app/closed'), { recursive: true }));
    expect(bash('ARCHIVE=$SAVED/archive; keep_originals "$CHANGES"')).toEqual([]);
    expect(goBack()).toEqual([]);
    expect(content(deep)).toBe('before\n');
    expect(statSync(at('/etc/app/closed')).mode & 0o777).toBe(0o700);
    expect(statSync(at('/etc/app/closed/deep')).mode & 0o777).toBe(0o750);
  });

  it('makes no folder where a link leads', () => {
    const deep = '/etc/app/deep/file';
    mkdirSync(at('/etc/app/deep'));
    mkdirSync(at('job/configuration/originals/etc/app/deep'));
    writeFileSync(at(deep), 'before\n');
    patched([deep], () => rmSync(at('/etc/app/deep'), { recursive: true }));
    const said = goBack(() => {
      renameSync(at('/etc/app'), at('/moved'));
      symlinkSync(at('/moved'), at('/etc/app'));
    });
    expect(said).toEqual([expect.stringContaining('not-restored\tcould not be brought back')]);
    expect(readdirSync(at('/moved'))).toEqual([]);
  });

  it.each<[string, () => void]>([
    ['is gone', () => rmSync(at(`job/configuration/originals${file}`))],
    ['was altered', () => writeFileSync(at(`job/configuration/originals${file}`), 'altered\n')],
  ])('has not brought back a file whose original %s', (_, change) => {
    changeAll();
    expect(goBack(change)).toEqual([
      expect.stringContaining(`not-restored\tcould not be brought back: ${file}`),
    ]);
    expect(() => lstatSync(at(file))).toThrow('ENOENT');
    expect(content('steps')).toContain(`configuration\tmissing\t${file}\t-\t-\n`);
  });
});

describe('a running kernel', () => {
  it.each([
    ['6.1.0-13-amd64', 'linux-image-6.1.0-13-amd64 amd64 6.1.55-1', true],
    ['6.1.0-13-amd64', 'linux-image-6.1.0-12-amd64 amd64 6.1.52-1', false],
    ['6.1.0-13-amd64', 'linux-image-6.1.0-13-amd64-dbg amd64 6.1.55-1', false],
    ['6.8.0-1012-aws', 'linux-modules-6.8.0-1012-aws amd64 6.8.0-1012.13', true],
    ['5.14.0-427.13.1.el9_4.x86_64', 'kernel-core x86_64 5.14.0-427.13.1.el9_4', true],
    ['5.14.0-427.13.1.el9_4.x86_64', 'kernel-core x86_64 5.14.0-427.1', false],
    ['5.14.0-427.13.1.el9_4.x86_64', 'kernel-core x86_64 5.14.0-427.14.1.el9_4', false],
    ['6.12.20-23.97.amzn2023.x86_64', 'kernel6.12 x86_64 1:6.12.20-23.97.amzn2023', true],
    ['6.4.0-150600.23.7-default', 'kernel-default x86_64 6.4.0-150600.23.7.3', true],
    ['6.4.0-150600.23.7-default', 'kernel-default x86_64 6.4.0-150600.23.14.2', false],
  ])('%s is of %s: %s', (running, left, is) => {
    writeFileSync(at('left'), `${left.replaceAll(' ', '\t')}\n`);
    expect(bash(`is_of_packages ${running} "$ROOT/left" && echo yes || echo no`)).toEqual([
      is ? 'yes' : 'no',
    ]);
  });
});
