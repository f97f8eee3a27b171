import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { summarySchema } from '../../core/summary.ts';

const root = mkdtempSync(join(tmpdir(), 'quarterdeck-summary-'));
afterAll(() => rmSync(root, { recursive: true }));
mkdirSync(join(root, 'etc'));
mkdirSync(join(root, 'proc/sys/kernel/random'), { recursive: true });
writeFileSync(join(root, 'etc/os-release'), 'ID=debian\nVERSION_ID="13"\n');
writeFileSync(join(root, 'proc/sys/kernel/random/boot_id'), '01234567-89ab-cdef-0123-456789abcdef\n');

const bash = (script: string, ...words: string[]) =>
  spawnSync(
    'bash',
    [
      '-c',
      `set -u; CampaignId=2027-q1-tests
      for name in log state json facts summary; do source ssm-documents/lib/$name.sh; done
      OBJECT_JSON=null SERVER_ID=i-0123456789abcdef0
      ${script}`,
      'bash',
      ...words,
    ],
    {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, QD_ROOT: root, AWS_SSM_INSTANCE_ID: 'i-0123456789abcdef0' },
    },
  );

describe('the summary', () => {
  it('is no longer where all is counted, timed and named at once', () => {
    const { stdout } = bash(
      `CampaignId=2027-q1-$(printf x%.0s {1..50})
      OBJECT_JSON='{"key":"'$(printf k%.0s {1..150})'","sha256":"'$(printf a%.0s {1..64})'","bytes":4000000}'
      PLAN_JSON='{"sha256":"'$(printf a%.0s {1..64})'","entries":1000,"security":1000,"downloadBytes":1000000000}'
      BOOT_JSON='{"before":"01234567-89ab-cdef-0123-456789abcdef","after":"01234567-89ab-cdef-0123-456789abcdef"}'
      for name in integrity{Before,After,Unexpected} rollback{Kept,Repacked,Repository,None} {old,restarted}Services held foreign leftovers; do
        FOUND[$name]=12345
      done
      for name in identify patch lock simulate transaction boot check integrity services reboot refresh total; do
        STEP_TIMES[$name]=123456
      done
      for n in 1 2 3 4 5; do reason metadata-altered "$1"; warn release-end-of-life "$1" 2>/dev/null; done
      summary_json patch 100 failed
      printf '%s\\n' "$REPLY"`,
      'some "words" '.repeat(40),
    );
    expect(Buffer.byteLength(stdout)).toBeLessThanOrEqual(2048 + 1);
    expect(summarySchema.parse(JSON.parse(stdout)).found).toMatchObject({
      held: 12_345,
      rollbackNone: 12_345,
    });
  });

  it('leaves out a count that is no number', () => {
    const { stdout } = bash(
      `FOUND[foreign]='error: no database' FOUND[held]=007; summary_json prepare 0 planned; printf '%s\\n' "$REPLY"`,
    );
    expect(summarySchema.parse(JSON.parse(stdout)).found).toMatchObject({ foreign: null, held: 7 });
  });

  it('is JSON of at most 2 KB whatever package managers say', () => {
    const sentence = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 900 }).map((words) => words.replaceAll('\0', '')),
      fc.constantFrom('"'.repeat(900), '\\'.repeat(900), 'ü'.repeat(900), 'a\tb\nc'),
    );
    fc.assert(
      fc.property(
        fc.array(sentence, { maxLength: 8 }),
        fc.array(sentence, { maxLength: 8 }),
        (reasons, warnings) => {
          const { stdout } = bash(
            `n=$1; shift
          for ((i = 0; i < n; i++)); do reason some-code "$1"; shift; done
          for words; do warn other-code "$words" 2>/dev/null; done
          STEP_TIMES[total]=1234
          summary_json patch 100 failed
          printf '%s\\n' "$REPLY"`,
            String(reasons.length),
            ...reasons,
            ...warnings,
          );
          expect(Buffer.byteLength(stdout)).toBeLessThanOrEqual(2048 + 1);
          const summary = summarySchema.parse(JSON.parse(stdout));
          expect(summary.reasons).toHaveLength(Math.min(reasons.length, 5));
          expect(summary.seconds).toEqual({ total: 12.34 });
        },
      ),
      { numRuns: 25 },
    );
  });

  it.each([
    [0, 0],
    [2, 0],
    [1, 1],
    [100, 1],
    [104, 1],
  ])('of contract code %i ends the document with %i', (code, exit) => {
    const { status, stdout } = bash(
      `open_job; load_state patch
      save_state stage=ended code=${code} result=failed
      echo '{"recorded":true}' >"$STATE/patch.summary"
      print_summary patch`,
    );
    expect({ status, stdout }).toEqual({ status: exit, stdout: '{"recorded":true}\n' });
  });

  it('of a work step that was killed tells the stage, and whether the server was restarted since', () => {
    const { stdout, status } = bash(
      `open_job; load_state patch
      : >"$STATE/lock"
      save_state stage=transaction boot=99999999-89ab-cdef-0123-456789abcdef server=$SERVER_ID
      rm -f "$STATE/patch.summary"
      print_summary patch`,
    );
    expect(status).toBe(1);
    expect(summarySchema.parse(JSON.parse(stdout))).toMatchObject({
      code: 1,
      result: 'failed',
      facts: { installed: null, rebooted: true },
      object: null,
      reasons: [{ code: 'interrupted', detail: expect.stringContaining('stage transaction') }],
    });
  });
});
