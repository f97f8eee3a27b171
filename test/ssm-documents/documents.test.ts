import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { documentSizeLimit, parseDocument } from '../../apps/local/run-command/document.ts';
import { substitute } from '../../apps/local/run-command/interpolation.ts';
import { assembleDocuments, plainScript } from '../../ssm-documents/assemble.ts';

const documents = assembleDocuments('ssm-documents');
const folders = readdirSync('ssm-documents', { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => join('ssm-documents', name));
const families = folders
  .filter((path) => existsSync(join(path, 'family.sh')))
  .map((path) => path.slice('ssm-documents/'.length));
const folder = mkdtempSync(join(tmpdir(), 'quarterdeck-documents-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** For every parameter what it takes, and what it must not take. */
const samples: Readonly<Record<string, { good: readonly string[]; bad: readonly string[] }>> = {
  CampaignId: {
    good: ['2027-q1-canary', 'abcdefgh'],
    bad: ['short', 'Has-Capitals', '-leading', 'a'.repeat(61), '../../etc'],
  },
  Bucket: { good: ['quarterdeck-campaigns', 'a.b.c'], bad: ['ab', 'Bucket', 'ends-', 'a'.repeat(64)] },
  BucketRegion: { good: ['eu-central-1', 'us-gov-west-1'], bad: ['eu-central', 'EU-central-1', '1'] },
  OrderKey: {
    good: [`orders/${'0f'.repeat(32)}.txt`],
    bad: [`servers/${'0f'.repeat(32)}.txt`, `orders/${'0f'.repeat(31)}.txt`, `orders/${'0f'.repeat(32)}xtxt`],
  },
  OrderSha256: { good: ['0f'.repeat(32)], bad: ['0F'.repeat(32), '0f'.repeat(33), ''] },
  HybridPrefix: { good: ['hybrid', 'AROAEXAMPLE0123456789'], bad: ['a/b', '', 'a:b'] },
  Services: { good: ['report', 'restart'], bad: ['', 'restarted'] },
  KeepPackages: { good: ['keep', 'none'], bad: ['yes'] },
  KeepMebibytes: { good: ['0', '1024'], bad: ['-1', '01', '10000000'] },
  KeepDays: { good: ['1', '14'], bad: ['0', '1000'] },
  Mode: { good: ['all', 'security', 'advisories', 'packages', 'groups'], bad: ['', 'everything', 'all '] },
  Reboot: { good: ['never', 'if-needed', 'always'], bad: ['maybe', 'Always'] },
  Removals: { good: ['refuse', 'allow'], bad: ['yes'] },
  Backup: { good: ['none', 'best-effort', 'required'], bad: ['', 'always'] },
  BackupBucket: { good: ['none', 'quarterdeck-backups'], bad: ['ab', 'Bucket', 'ends-'] },
  BackupMebibytes: { good: ['1', '256', '5120'], bad: ['0', '01', '10000'] },
  BackupTimeout: { good: ['30', '300', '14400'], bad: ['0', '030', '100000'] },
  RollbackTo: { good: ['packages', 'configuration', 'kernel'], bad: ['root-volume', ''] },
  DryRun: { good: ['yes', 'no'], bad: ['', 'true'] },
  TimeBudget: { good: ['1', '600', '172800'], bad: ['0', '-1', '1.5', '1000000', '010'] },
  RebootReserve: { good: ['0', '600'], bad: ['-1', '06', '100000'] },
  MaxMetadataAge: { good: ['1', '168'], bad: ['0', '99999'] },
  ExecutionTimeout: {
    good: ['5', '60', '3600', '99999', '172799', '172800'],
    bad: ['4', '0', '172801', '200000', '1e3', '060'],
  },
};
const breakouts = ["'", '"', '`id`', '$(id)', ';id', '\n', '\u2028', '{{ Bucket }}', 'x\nBucket=evil', '\\'];

describe('the documents', () => {
  it('are five for every family', () => {
    const phases = ['Patch', 'Prepare', 'Reboot', 'Rollback', 'Verify'];
    const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);
    expect(families).toContain('debian');
    expect(documents.map(({ name }) => name)).toEqual(
      families.flatMap((family) => phases.map((phase) => `${capital(family)}-${phase}`)),
    );
  });

  it.each(documents)('$name runs nothing in place of a script that can not be unpacked', ({ content }) => {
    const lines = content.mainSteps[0]?.inputs.runCommand ?? [];
    const values = Object.fromEntries(
      Object.entries(samples).map(([name, { good }]) => [name, good[0] as string]),
    );
    const damaged = lines.map((line) => (line.length === 512 ? `A${line.slice(1)}` : line));
    expect(damaged).not.toEqual(lines);
    const { status, stderr } = spawnSync('bash', ['-s'], {
      input: `${damaged.join('\n')}\n`,
      encoding: 'utf8',
      cwd: folder,
      env: { PATH: '/usr/bin:/bin', QD_ROOT: folder, ...environmentOf(values) },
    });
    expect(status).toBe(1);
    expect(stderr).toContain('the script could not be unpacked');
  });

  // A second one takes the place of the first without a word, and what calls that may come to call itself for ever.
  it.each(documents)('$name defines every function once, but for those of its family', ({ content }) => {
    const script = plainScript(content.mainSteps[0]?.inputs.runCommand ?? []);
    const names = [...script.matchAll(/^([a-z_]+)\(\) [({]$/gm)].map(([, name]) => name as string);
    const twice = names.filter((name, index) => names.indexOf(name) !== index);
    expect(names.length).toBeGreaterThan(50);
    expect(twice.filter((name) => !name.startsWith('family_'))).toEqual([]);
  });

  it.each(documents)(
    '$name fits the schema, and its size leaves room for parameters',
    ({ name, content }) => {
      const text = JSON.stringify(content);
      expect(() => parseDocument(name, text)).not.toThrow();
      expect(Buffer.byteLength(text)).toBeLessThan(documentSizeLimit - 1500);
    },
  );

  it.each(documents)(
    '$name ends in a summary step and lets no failure of the work step keep it away',
    ({ content }) => {
      expect(content.mainSteps.map(({ name }) => name)).toEqual(['work', 'summary']);
      for (const { inputs, precondition } of content.mainSteps) {
        expect(Object.keys(inputs).toSorted()).toEqual(['runCommand', 'timeoutSeconds']);
        expect(precondition).toEqual({ StringEquals: ['platformType', 'Linux'] });
        expect(inputs.runCommand[0]).toBe('#!/bin/bash');
      }
    },
  );

  it.each(documents)(
    '$name doubles no brace but for parameters in its here-document and its time limit',
    ({ content }) => {
      for (const { inputs } of content.mainSteps) {
        const braced = inputs.runCommand.filter((line) => line.includes('{{'));
        expect(braced).toEqual(
          Object.keys(content.parameters)
            .filter((name) => name !== 'ExecutionTimeout')
            .map((name) => `${name}={{ ${name} }}`),
        );
      }
    },
  );

  it('have samples for every pattern here, and patterns take and reject them', () => {
    for (const { content } of documents) {
      expect(Object.keys(content.parameters).toSorted()).toEqual(Object.keys(samples).toSorted());
      for (const [name, parameter] of Object.entries(content.parameters)) {
        const pattern = new RegExp(parameter.allowedPattern);
        const { good, bad } = samples[name] ?? { good: [], bad: [] };
        for (const value of good) expect(value, name).toMatch(pattern);
        for (const value of [
          ...bad,
          ...breakouts,
          ...good.flatMap((value) => breakouts.map((end) => value + end)),
        ])
          expect(value, name).not.toMatch(pattern);
        if (parameter.default !== undefined) expect(parameter.default, name).toMatch(pattern);
        expect(parameter.interpolationType, name).toBe(name === 'ExecutionTimeout' ? undefined : 'ENV_VAR');
      }
    }
  });

  it('inline every script that they source', () => {
    for (const { content } of documents) {
      const text = content.mainSteps.map(({ inputs }) => plainScript(inputs.runCommand)).join('');
      expect(text).toContain('run_phase');
      expect(text).not.toContain('source "$SCRIPTS');
      expect(text).not.toMatch(/^%(script|packed|parameters)/m);
    }
  });
});

describe('the programs that scripts need', () => {
  const scripts = folders
    .flatMap((path) => readdirSync(path).map((file) => join(path, file)))
    .filter((file) => file.endsWith('.sh'))
    .map((file) => readFileSync(file, 'utf8'));
  const needed = scripts
    .flatMap((text) => [...text.matchAll(/^\s*NEEDS\+?=\(([^)]*)\)/gm)])
    .flatMap(([, words]) => (words as string).trim().split(/\s+/));
  const code = scripts.join('\n').replaceAll(/^\s*#.*$|^\s*NEEDS\+?=\([^)]*\)/gm, '');
  const calls = (name: string) =>
    new RegExp(
      `(?:^|[|(;&{!]|xargs -r|\\b(?:then|do|else|exec)\\b)\\s*(?:[A-Z_]+=\\S* )*${name}(?=\\s|$|\\))`,
      'm',
    ).test(code);

  it('are looked for all, and no others', () => {
    expect(needed.filter((name) => !calls(name))).toEqual([]);
    // What Debian's coreutils, util-linux, findutils, diffutils and package managers bring and a shell has not itself.
    const others =
      'apt-cache apt-config apt-get apt-mark awk basename cat chmod chown cmp comm cp curl cut date dd df diff dirname ' +
      'dpkg dpkg-deb dpkg-query du env expr find flock grep gunzip gzip head install ln ls mkdir mktemp mv nice nl ' +
      'nproc od openssl paste pgrep pkill ps readlink realpath renice rev rm rmdir sed seq setsid sha256sum shuf sleep ' +
      'sort split stat stdbuf sync tac tail tee timeout touch tr truncate uname uniq wc xargs xxd zcat ' +
      'base64 bsdtar gpg join mount pacman pacman-conf rpm rpmkeys tar unshare zypper';
    expect(others.split(' ').filter((name) => calls(name) && !needed.includes(name))).toEqual([]);
    expect(needed.filter((name) => !others.split(' ').includes(name))).toEqual([]);
  });
});

describe('the README of the documents', () => {
  const scripts = folders
    .flatMap((path) => readdirSync(path).map((file) => join(path, file)))
    .filter((file) => file.endsWith('.sh'))
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');
  const readme = readFileSync('ssm-documents/README.md', 'utf8');

  it('names every reason and warning that scripts give', () => {
    const given = scripts.matchAll(
      /(?:\bconclude \d+ (?:"[^"]+"|[^\s"]+) |\breason |\bwarn |METADATA_PROBLEM='?)([a-z]+-[a-z-]+|inodes|unsigned|stopped|interrupted)/g,
    );
    const codes = [...new Set([...given].map(([, code]) => code))];
    expect(codes.length).toBeGreaterThan(50);
    expect(codes.filter((code) => !readme.includes(`\`${code}\``))).toEqual([]);
  });

  it('has every code of the exit contract in its table, and the contract has none that the agent claims', () => {
    const codes = [...scripts.matchAll(/\bconclude (\d+)|METADATA_CODE=(\d+)/g)].map(
      ([, one, two]) => one ?? two,
    );
    expect(new Set(codes).size).toBeGreaterThan(8);
    for (const code of codes) expect(readme).toMatch(new RegExp(`^\\| ${code} +\\|`, 'm'));
    expect(codes).not.toContain('137');
    expect(codes).not.toContain('194');
  });
});

describe('parameters that try to break out of the shell', () => {
  const good = Object.fromEntries(
    Object.entries(samples).map(
      ([
        name,
        {
          good: [value],
        },
      ]) => [name, value as string],
    ),
  );
  const marker = join(folder, 'broken-out');
  const document = documents[0]?.content;
  const lines = document?.mainSteps[0]?.inputs.runCommand ?? [];
  // The reading of parameters, and then one line in place of the phase.
  const end = lines.indexOf('QUARTERDECK_PARAMETERS_END');
  const head = [...lines.slice(0, end + 1), 'printf "%s|" "$CampaignId" "$Bucket"'];

  const run = (script: readonly string[], env: Record<string, string>) =>
    spawnSync('bash', ['-s'], {
      input: `${script.join('\n')}\n`,
      encoding: 'utf8',
      cwd: folder,
      env: { PATH: '/usr/bin:/bin', ...env },
    });
  const textOf = (values: Record<string, string>) => head.map((line) => substitute(line, values));

  const hostile = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc
      .tuple(
        fc.constantFrom(
          '',
          'abcdefgh',
          "'",
          '"',
          '\n',
          '\\',
          'QUARTERDECK_PARAMETERS_END\n',
          'x\nBucket=evil\n',
        ),
        fc.constantFrom(
          `$(touch ${marker})`,
          `\`touch ${marker}\``,
          `; touch ${marker};`,
          `\ntouch ${marker}\n`,
          `|touch ${marker}|`,
        ),
        fc.constantFrom('', "'", '"', '#', '\n'),
      )
      .map((parts) => parts.join('')),
  );

  it('are refused, or taken as they are, from the environment', () => {
    fc.assert(
      fc.property(
        hostile.filter((value) => !value.includes('\0')),
        (value) => {
          const { stdout, status } = run(head, environmentOf({ ...good, CampaignId: value }));
          expect(existsSync(marker)).toBe(false);
          expect(stdout).toBe(status === 0 ? `${value}|${good.Bucket}|` : '');
          expect(status === 0).toBe(/^[a-z0-9][a-z0-9-]{7,59}$/.test(value) && !value.includes('\n'));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('are refused, or taken as they are, as text in the script', () => {
    fc.assert(
      fc.property(
        // Whoever knows the delimiter can end a here-document: the service's own check of patterns is what stops that.
        hostile.filter((value) => !value.includes('\0') && !value.includes('QUARTERDECK_PARAMETERS_END')),
        (value) => {
          const { stdout, status } = run(textOf({ ...good, CampaignId: value }), {});
          expect(existsSync(marker)).toBe(false);
          expect(stdout).toBe(status === 0 ? `${value}|${good.Bucket}|` : '');
        },
      ),
      { numRuns: 60 },
    );
  });

  it('win from the environment where an agent does both', () => {
    const text = textOf({ ...good, Bucket: 'from-text' });
    expect(run(text, environmentOf({ ...good, Bucket: 'from-environment' })).stdout).toBe(
      `${good.CampaignId}|from-environment|`,
    );
    expect(run(text, {}).stdout).toBe(`${good.CampaignId}|from-text|`);
  });

  it('stop the script when an agent neither sets nor substitutes them', () => {
    expect(run(head, {})).toMatchObject({ status: 1, stdout: '' });
  });
});

function environmentOf(values: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`SSM_${name}`, value]));
}
