import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'quarterdeck-versions-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Verdict and version that counts, of one entry `action name arch from to` where this is installed. */
function verdictOf(entry: string, installed: readonly string[]): string[] {
  const [action, name, arch, from, to] = entry.split(' ');
  writeFileSync(
    join(folder, 'plan'),
    `quarterdeck-plan\t1\ti-1\n${[action, name, arch, from, to].join('\t')}\n`,
  );
  writeFileSync(
    join(folder, 'installed'),
    installed.map((line) => `${line.replaceAll(' ', '\t')}\t1\n`).join(''),
  );
  const { stderr } = spawnSync(
    'bash',
    [
      '--norc',
      '-c',
      `KERNEL_NAMES='^k$' STATE=${folder} WORK=${folder}; source ssm-documents/lib/versions.sh
      family_version_at_least() { [[ $1 == "$2" || $1 > $2 ]]; }
      compare_plan ${folder}/compared`,
    ],
    { encoding: 'utf8', env: { PATH: process.env.PATH, LC_ALL: 'C' } },
  );
  expect(stderr).toBe('');
  const fields = readFileSync(join(folder, 'compared'), 'utf8').trimEnd().split('\t');
  return [fields[0] ?? '', fields[5] ?? ''];
}

describe('an entry of a plan is', () => {
  it.each([
    ['there at its version', 'upgrade a all 1 2', ['a all 2 ii'], 'there', '2'],
    ['there above it', 'upgrade a all 1 2', ['a all 3 ii'], 'there', '3'],
    ['pending at the version before', 'upgrade a all 1 2', ['a all 1 ii'], 'pending', '1'],
    ['gone where somebody removed it', 'upgrade a all 1 2', [], 'gone', '-'],
    ['broken where it is not configured', 'upgrade a all 1 2', ['a all 2 iF'], 'broken', '2'],
    ['pending before its first install', 'install a all - 2', [], 'pending', '-'],
    ['there once removed', 'remove a all 1 -', [], 'there', '-'],
    ['pending while it is to be removed', 'replace a all 1 -', ['a all 1 ii'], 'pending', '1'],
    ['pending where another version is to be removed', 'remove a all 1 -', ['a all 2 ii'], 'pending', '2'],
    [
      'another architecture where it became independent',
      'upgrade a noarch 1 2',
      ['a x86_64 1 ii'],
      'pending',
      '1',
    ],
    [
      'pending as a kernel beside older ones',
      'install k x86_64 - 5',
      ['k x86_64 3 ii', 'k x86_64 4 ii'],
      'pending',
      '4',
    ],
    [
      'there as a kernel beside older ones',
      'install k x86_64 - 5',
      ['k x86_64 4 ii', 'k x86_64 5 ii'],
      'there',
      '5',
    ],
    [
      'there as a kernel where a newer one is',
      'install k x86_64 - 5',
      ['k x86_64 6 ii', 'k x86_64 4 ii'],
      'there',
      '6',
    ],
    [
      'pending as a kernel that makes room',
      'remove k x86_64 3 -',
      ['k x86_64 3 ii', 'k x86_64 4 ii'],
      'pending',
      '3',
    ],
    [
      'there as a kernel that made room',
      'remove k x86_64 3 -',
      ['k x86_64 4 ii', 'k x86_64 5 ii'],
      'there',
      '-',
    ],
  ])('%s', (_, entry, installed, verdict, now) => {
    expect(verdictOf(entry, installed)).toEqual([verdict, now]);
  });
});
