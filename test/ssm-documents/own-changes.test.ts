import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'quarterdeck-own-changes-'));
  mkdirSync(join(folder, 'work'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (name: string, lines: readonly string[]) =>
  writeFileSync(join(folder, name), lines.map((line) => `${line.replaceAll(' ', '\t')}\n`).join(''));
const lines = (name: string) =>
  readFileSync(join(folder, name), 'utf8').replaceAll('\t', ' ').split('\n').slice(0, -1);

function bash(script: string) {
  const { stdout, stderr } = spawnSync(
    'bash',
    [
      '--norc',
      '-c',
      `STATE=${folder} WORK=${folder}/work LOG=${folder}/log PHASE=rollback
      log() { :; }
      conclude() { echo "$*"; exit; }
      for name in facts transport transaction own-changes; do source ssm-documents/lib/$name.sh; done
      ${script}`,
    ],
    { encoding: 'utf8', env: { PATH: process.env.PATH, LC_ALL: 'C' } },
  );
  expect(stderr).toBe('');
  return stdout.trim();
}

describe('a rollback undoes', () => {
  /** What is left to undo, with entries `verdict name arch from to now` as the patch found them and as they are now. */
  const undone = (before: readonly string[], now: readonly string[], undo: readonly string[]) => {
    write('compared.before', before);
    write('compared.rollback', now);
    write('undo', undo);
    return bash(`PLAN_ENTRIES=${before.length}; keep_to_own_changes`) || lines('undo');
  };
  const begun = () => write('patch', ['stage=ended', 'attempts=1']);

  it('what the patch changed', () => {
    begun();
    const undo = ['a all 2 1', 'new all 2 -', 'gone all - 1'];
    expect(
      undone(
        ['pending a all 1 2 1', 'pending new all - 2 -', 'pending gone all 1 - 1'],
        ['there a all 1 2 2', 'there new all - 2 2', 'there gone all 1 - -'],
        undo,
      ),
    ).toEqual(undo);
  });

  it('nothing where the patch began no transaction', () => {
    write('patch', ['stage=ended', 'attempts=0']);
    expect(undone(['there a all 1 2 2'], ['there a all 1 2 2'], ['a all 2 1'])).toEqual([]);
  });

  it('nothing, and says so, where what is installed could not be compared', () => {
    begun();
    expect(undone(['pending a all 1 2 1'], [], [])).toMatch(/^1 failed script-failed /);
  });

  it('not what an operator had updated before the patch', () => {
    begun();
    expect(
      undone(
        ['there a all 1 2 2', 'pending b all 1 2 1'],
        ['there a all 1 2 2', 'there b all 1 2 2'],
        ['a all 2 1', 'b all 2 1'],
      ),
    ).toEqual(['b all 2 1']);
  });

  it('nothing where the patch found a version that is not the sealed one before', () => {
    begun();
    expect(undone(['pending a all 1 3 2'], ['there a all 1 3 3'], ['a all 3 1'])).toBe(
      '107 refused not-covered at another version than the plan says when the patch began: a',
    );
  });

  it('nothing where somebody went on to another version since', () => {
    begun();
    expect(undone(['pending a all 1 2 1'], ['there a all 1 2 3'], ['a all 3 1'])).toBe(
      '104 drifted changed-since changed since the patch: a',
    );
  });

  it('also what a transaction that was cut off took away', () => {
    begun();
    expect(undone(['pending a all 1 2 1'], ['gone a all 1 2 -'], ['a all - 1'])).toEqual(['a all - 1']);
  });

  it('nothing while the transaction of the patch still runs', () => {
    expect(
      bash(`exec 8>"$STATE/transaction.lock"; flock 8
      seconds_left() { REPLY=3; }
      await_patch`),
    ).toBe('102 refused lock-held the package database is locked by the transaction of the patch');
    expect(bash('seconds_left() { REPLY=3; }; await_patch; echo free')).toBe('free');
  });
});

describe('a patch that was interrupted', () => {
  it('is not finished once a rollback began', () => {
    write('rollback', ['stage=started']);
    expect(bash('refuse_after_rollback; echo goes on')).toBe('goes on');
    write('rollback', ['stage=ended', 'attempts=1']);
    expect(bash('refuse_after_rollback; echo goes on')).toMatch(/^1 failed rolled-back-since /);
  });
});

describe('the state of a job', () => {
  const state = (script: string) =>
    bash(`ROOT='' CampaignId=2027-q1-tests; source ssm-documents/lib/state.sh; STATE=${folder}; ${script}`);

  it('keeps a value on its line, whatever a package manager said', () => {
    expect(
      state(`load_state patch; save_state stage=installed outcome=failed $'problem=E: no\\noutcome=patched'
      load_state patch; echo "\${ST[outcome]}: \${ST[problem]}"`),
    ).toBe('failed: E: no outcome=patched');
  });

  it('knows when a power cut took what a transaction was begun with', () => {
    for (const name of ['plan', 'undo', 'undo-files']) write(name, [name]);
    const script =
      'declare -A ST=(); save_terms; hash_terms; first=$REPLY; : >"$STATE/undo"; hash_terms; [[ $REPLY == "$first" ]] || echo lost';
    expect(bash(script)).toBe('lost');
  });
});

describe('versions before', () => {
  /** Names that are kept of three files of 10 MiB. */
  const kept = (settings: string) =>
    bash(`OLD=$STATE/old KeepPackages=keep KeepMebibytes=1024 PLAN_MEBIBYTES=0 ${settings}
      : >"$STATE/never"
      for name in a b c; do printf 'upgrade\\t%s\\tall\\t1\\t2\\tr\\tno\\t1\\thash\\n' $name; done >"$WORK/entries"
      printf '%s\\tall\\t1\\tii\\t%d\\n' a 20480 b 20480 c 10240 d 0 >"$WORK/installed"
      listed=\${listed:-[abc]}
      family_old_sources() { while read -r line; do [[ $line != $listed* ]] || printf '%s\\t10485760\\n' "$line"; done; }
      family_repack() { while read -r name arch version; do echo again >"$OLD/$name"; printf '%s\\t%s\\t%s\\t%s\\n' $name $arch $version $name; done; }
      family_fetch_old() { while read -r name arch version; do echo $name >"$OLD/$name"; printf '%s\\t%s\\t%s\\t%s\\n' $name $arch $version $name; done; }
      free_mebibytes() { echo 100; }
      source ssm-documents/lib/old-files.sh
      keep_old_files; awk -F '\\t' '{ printf "%s:%s ", $2, $10 }' "$WORK/entries"`);

  it('are kept where there is room', () => expect(kept('')).toBe('a:kept b:kept c:kept'));
  it('are bounded by the policy', () => expect(kept('KeepMebibytes=20')).toBe('a:kept b:kept c:repository'));
  it('take nothing of the room that the plan needs', () =>
    expect(kept('PLAN_MEBIBYTES=75')).toBe('a:kept b:repository c:repository'));
  it('are not kept where the plan takes all', () =>
    expect(kept('PLAN_MEBIBYTES=100')).toBe('a:repository b:repository c:repository'));

  it('that no repository has are put together where that can be done, as far as there is room', () => {
    expect(kept("listed='[a]'")).toBe('a:kept b:repacked c:repacked');
    // What is installed of it counts, since its file may be as large.
    expect(kept("listed='[a]' KeepMebibytes=25")).toBe('a:kept b:none c:repacked');
    expect(kept("listed='[a]' KeepPackages=none")).toBe('a:repository b:none c:none');
    expect(readFileSync(join(folder, 'old', 'index'), 'utf8')).toBe('');
  });

  it('of an earlier pass go', () => {
    mkdirSync(join(folder, 'old'));
    writeFileSync(join(folder, 'old', 'stray'), '');
    kept('');
    expect(existsSync(join(folder, 'old', 'stray'))).toBe(false);
  });
});

describe('services on old files', () => {
  it('are those of this server, not of its containers', () => {
    const cgroups = [
      '0::/system.slice/nginx.service',
      '1:name=systemd:/system.slice/system-getty.slice/getty@tty1.service',
      '0::/system.slice/docker-0a.scope/system.slice/mysql.service',
      '0::/docker/0a/system.slice/postgres.service',
      '0::/lxc.payload.one/system.slice/ssh.service',
      '0::/user.slice/user-0.slice/user@0.service/app.slice/some.service',
    ];
    writeFileSync(join(folder, 'cgroups'), `${cgroups.join('\n')}\n`);
    expect(bash(`source ssm-documents/lib/evidence.sh; own_units <"$STATE/cgroups"`).split('\n')).toEqual([
      'nginx.service',
      'getty@tty1.service',
      'user@0.service',
    ]);
  });

  it.each([
    'networking',
    'wicked',
    'cloud-final',
    'rc-local',
    'corosync',
    'virtqemud',
    'snap.amazon-ssm-agent',
  ])('are not restarted where that breaks more: %s', (name) => {
    const script = `source ssm-documents/lib/evidence.sh; [[ $NAME.service =~ $NEVER_RESTARTED ]] && echo never`;
    expect(bash(`NAME=${name}; ${script}`)).toBe('never');
  });
});

describe('files of packages', () => {
  const looked = (seconds: number) =>
    bash(`seconds_left() { REPLY=${seconds}; }; PLAN_ENTRIES=20
      : >"$STATE/plan"; echo old >"$STATE/differences"
      source ssm-documents/lib/evidence.sh
      family_integrity() { printf 'a\\t/x\\tdigest\\tfile\\n'; }
      look_at_files "$STATE/differences"; cat "$STATE/differences" 2>/dev/null || echo unknown`);

  it('are compared where there is time', () => expect(looked(40)).toBe('a\t/x\tdigest\tfile'));
  it('are not told to be whole where there is none', () => expect(looked(39)).toBe('unknown'));
});
