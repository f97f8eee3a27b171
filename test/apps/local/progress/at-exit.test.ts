import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const progressModule = join(import.meta.dirname, '../../../../apps/local/progress/progress.ts');

/** A process that draws on its standard output as if that were a terminal, and then does `ending`. */
function drawing(
  ending: string,
  before = '',
): Promise<{ output: string; code: number | null; signal: string | null }> {
  const script = `
    ${before}
    const { createProgress } = await import(${JSON.stringify(progressModule)});
    const screen = { isTTY: true, columns: 80, rows: 24, on() {}, off() {}, write: (text) => process.stdout.write(text) };
    const progress = createProgress({ screen, servers: [{ id: 'i-1', name: 'web-1' }], env: {}, stopwatch: () => 0 });
    progress.note('drawing');
    ${ending}
  `;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
    if (ending.includes('setTimeout') && output.includes('drawing')) child.kill('SIGTERM');
  });
  return new Promise((resolve) => child.on('close', (code, signal) => resolve({ output, code, signal })));
}

const hidden = '\u001b[?25l';
const shown = '\u001b[?25h';

describe('however a run ends', () => {
  test.concurrent.each([
    ['it throws', "throw new Error('broken');", { code: 1 }],
    ['it exits', 'process.exit(3);', { code: 3 }],
    ['it is told to end', 'setTimeout(() => {}, 60_000);', { signal: 'SIGTERM' }],
  ])('the cursor is shown again: %s', async (_how, ending, expected) => {
    const { output, ...end } = await drawing(ending);
    expect(end).toMatchObject(expected);
    expect(output).toContain(hidden);
    expect(output.lastIndexOf(shown)).toBeGreaterThan(output.lastIndexOf(hidden));
  });

  test.concurrent('a run that takes things down in order is given the time', async () => {
    const cleanUp = "process.once('SIGTERM', () => setTimeout(() => process.exit(130), 200));";
    const { output, code } = await drawing('setTimeout(() => {}, 60_000);', cleanUp);
    expect(code).toBe(130);
    expect(output.lastIndexOf(shown)).toBeGreaterThan(output.lastIndexOf(hidden));
  });
});
