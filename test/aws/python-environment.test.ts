import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { repositoryRoot } from '../../cdk/repository.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'quarterdeck-python-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function testAws(python: string) {
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', 'test/aws/main.ts', 'no-such-test'],
    {
      cwd: repositoryRoot,
      encoding: 'utf8',
      env: { ...process.env, PYTHON: python, QUARTERDECK_CACHE: join(folder, 'cache') },
    },
  );
  return { status, lines: stderr.trim().split('\n') };
}

function pythonThat(script: string): string {
  const file = join(folder, 'python');
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}

test('without Python it says in one line what to install', () => {
  expect(testAws('no-such-python')).toEqual({
    status: 2,
    lines: [
      "the tests against other people's AWS can not run: there is no no-such-python: install Python 3.11 or newer, with venv and pip",
    ],
  });
});

test('with a Python that is too old it says so', () => {
  const { status, lines } = testAws(pythonThat('echo Python 3.10.12'));
  expect(status).toBe(2);
  expect(lines).toEqual([expect.stringContaining('is 3.10.12: Python 3.11 or newer is needed')]);
});

test('without venv it says how to get it, and what it began is not taken for an environment the next time', () => {
  const python = pythonThat('[ "$1" = --version ] && echo Python 3.12.1 && exit; mkdir -p "$3"; exit 1');
  for (const attempt of ['first', 'second']) {
    const { status, lines } = testAws(python);
    expect(status, attempt).toBe(2);
    expect(lines.at(-1)).toContain('has no venv or ensurepip: install it (Debian: python3-venv)');
  }
});

test('what pip can not install is said, with the file that asks for it', () => {
  const python = pythonThat(
    `[ "$1" = --version ] && echo Python 3.12.1 && exit
     mkdir -p "$3/bin"; printf '#!/bin/sh\\necho no such index >&2; exit 1\\n' >"$3/bin/python"; chmod +x "$3/bin/python"`,
  );
  const { status, lines } = testAws(python);
  expect(status).toBe(2);
  expect(lines).toContain('no such index');
  expect(lines.at(-1)).toMatch(/pip could not install what .*requirements\.txt names/);
  expect(readdirSync(join(folder, 'cache'))).toEqual([expect.stringMatching(/^python-[0-9a-f]{16}$/)]);
});
