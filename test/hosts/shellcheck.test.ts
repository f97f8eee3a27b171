import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { assembleDocuments, assembleTimeZoneDocument, plainScript } from '../../ssm-documents/assemble.ts';

const documents = [...assembleDocuments('ssm-documents'), assembleTimeZoneDocument('ssm-documents')];
const steps = documents.flatMap(({ name, content }) =>
  content.mainSteps.map((step) => ({
    step: `${name} ${step.name}`,
    script: plainScript(step.inputs.runCommand),
  })),
);

// A library is inlined whole, whatever of it the phase uses (2034, 2317); awk programs and formats made of escapes
// stand in quotes (2016, 2059); the search for newer versions works in a folder of its own (2030, 2031); what an order
// names repositories by is a glob (2053).
const expected = '2034,2317,2016,2059,2030,2031,2053';

describe('shellcheck, which machines that only run the unit tests need not have,', () => {
  it.each(steps)('finds nothing in $step as it is assembled', ({ script }) => {
    const checked = spawnSync('shellcheck', ['--shell=bash', `--exclude=${expected}`, '-'], {
      input: script,
      encoding: 'utf8',
    });
    expect(checked.error).toBeUndefined();
    expect(checked.stdout).toBe('');
  });
});
