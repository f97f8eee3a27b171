import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { planIn } from '../../core/use-cases/orders.ts';

const folder = mkdtempSync(join(tmpdir(), 'quarterdeck-result-'));
afterAll(() => rmSync(folder, { recursive: true }));
const bin = join(folder, 'bin');
mkdirSync(bin);

const bash = (script: string) =>
  spawnSync(
    'bash',
    [
      '--norc',
      '-c',
      `SCRIPTS=ssm-documents CampaignId=2027-q1-tests
      for name in log state json transport order result summary phase preview; do source ssm-documents/lib/$name.sh; done
      for name in apt resolve; do source ssm-documents/debian/$name.sh; done
      WORK=${folder} SERVER_ID=i-0123456789abcdef0
      conclude() { printf '%s|' "$@"; exit 0; }
      ${script}`,
    ],
    { encoding: 'utf8', env: { PATH: `${bin}:${process.env.PATH}`, QD_ROOT: folder } },
  );

describe('the log in a result', () => {
  const shortened = (text: string) => {
    writeFileSync(join(folder, 'long.log'), text);
    return bash(`LOG=${folder}/long.log; shorten_log`).stdout;
  };

  it('is whole as long as it is short', () => {
    const text = 'a line\n'.repeat(100);
    expect(shortened(text)).toBe(text);
  });

  it('keeps its beginning and its end where it is long, and says how much is missing', () => {
    const text = `the beginning\n${'.'.repeat(1024 * 1024)}\nthe end\n`;
    const kept = shortened(text);
    expect(kept.length).toBeLessThan(257 * 1024);
    expect(kept).toMatch(/^the beginning\n/);
    expect(kept).toMatch(/\nthe end\n$/);
    expect(kept).toContain(`[... ${text.length - 256 * 1024} bytes are left out here ...]`);
  });
});

describe('a plan', () => {
  const hash = '0f'.repeat(32);
  /** What apt says of so many upgrades, and its resolver's plan of them. */
  const planOf = (packages: number) => {
    const names = Array.from({ length: packages }, (_, index) => `package-${index}`);
    const write = (name: string, lines: readonly string[]) =>
      writeFileSync(join(folder, name), lines.join(''), { mode: 0o755 });
    write(
      'installed',
      names.map((name) => `${name}\tall\t1.0-1\tii \t1\n`),
    );
    write(
      'simulation',
      names.map((name) => `Inst ${name} [1.0-1] (1.1-1 Debian:13/stable [all])\n`),
    );
    write(
      'stanzas.txt',
      names.map(
        (name) => `Package: ${name}\nArchitecture: all\nVersion: 1.1-1\nSize: 100\nSHA256: ${hash}\n\n`,
      ),
    );
    writeFileSync(join(bin, 'apt-cache'), `#!/bin/sh\ncat ${folder}/stanzas.txt\n`, { mode: 0o755 });
    writeFileSync(join(bin, 'dpkg'), '#!/bin/sh\necho amd64\n', { mode: 0o755 });
    const covered = String.raw`sed -i 's/$/\trepository\t0\t-/' "$WORK/entries"`;
    return bash(`open_job; write_entries; ${covered}; write_plan; printf %s "$PLAN_ENTRIES"`).stdout;
  };

  it('of nearly 768 KiB is taken, and the control plane reads it', () => {
    expect(planOf(5000)).toBe('5000');
    const text = readFileSync(join(folder, 'entries'), 'utf8');
    expect(text.length).toBeGreaterThan(650 * 1024);
    expect(planIn(new Map([['plan', text]]))).toHaveLength(5000);
  });

  it('of more is not supported, before anything is fetched for it', () => {
    expect(planOf(6000)).toMatch(/^107\|unsupported\|plan-too-large\|the plan has \d{6} bytes/);
  });
});
