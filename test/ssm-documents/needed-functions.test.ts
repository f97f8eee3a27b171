import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { assembleDocuments, plainScript } from '../../ssm-documents/assemble.ts';
import { onlyNeeded } from '../../ssm-documents/needed-functions.ts';

const script = (text: string) => text.trim().split('\n');
const defined = (lines: readonly string[]) =>
  lines.flatMap((line) => /^([a-z_]+)\(\)/.exec(line)?.[1] ?? []).toSorted();

describe('of the functions of a script', () => {
  it('those stay that it reaches, also by way of others, and in the order that they had', () => {
    const lines = script(`
first() {
  second "$@" | third
}
unused() {
  first
}
second() { fourth; }
third() (
  echo "{"
)
fourth() {
  cat
} 2>/dev/null
FIFTH=1
run first`);
    const needed = onlyNeeded(lines);
    expect(defined(needed)).toEqual(['first', 'fourth', 'second', 'third']);
    expect(needed).toEqual(lines.filter((_, index) => index < 3 || index > 5));
  });

  it('what calls only itself, or is called by a comment, goes', () => {
    const needed = onlyNeeded(script('loop() {\n  loop\n}\n# loop\nother() { :; }\nother'));
    expect(defined(needed)).toEqual(['other']);
  });

  it('those stay that are called from elsewhere, by a part of their names, or in text that a function prints', () => {
    const lines = script(`
see_http() { :; }
see_tcp() { :; }
print_it() {
  cat <<'SCRIPT'
inner() {
  needed_there
}
SCRIPT
}
needed_there() { :; }
other() { :; }
look "see_$kind"`);
    expect(defined(onlyNeeded(lines, ['print_it now']))).toEqual([
      'inner',
      'needed_there',
      'print_it',
      'see_http',
      'see_tcp',
    ]);
  });

  it('both stay where one takes the place of another', () => {
    const lines = script('it() { return 1; }\nit() {\n  :\n}\nit');
    expect(onlyNeeded(lines)).toEqual(lines);
  });

  it('one whose end is not found stops the assembly', () => {
    expect(() => onlyNeeded(['it() {', '  }'])).toThrow('function it does not end at the left margin');
  });
});

describe('documents', () => {
  const steps = assembleDocuments('ssm-documents').flatMap(({ name, content }) =>
    content.mainSteps.map((step) => ({
      step: `${name} ${step.name}`,
      text: plainScript(step.inputs.runCommand),
    })),
  );

  it.each(steps)('$step is a script that bash can read', ({ text }) => {
    expect(spawnSync('bash', ['-n'], { input: text, encoding: 'utf8' })).toMatchObject({
      status: 0,
      stderr: '',
    });
  });

  it.each(steps.filter(({ step }) => step.endsWith('-Verify work')))(
    '$step has nothing that changes packages',
    ({ text }) => {
      for (const name of [
        'family_resolve',
        'family_transaction',
        'start_transaction',
        'family_rollback_transaction',
      ])
        expect(text).not.toContain(`${name}()`);
    },
  );
});
