import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { combineOutput, OutputHead, outputLimit } from '../../../../apps/local/run-command/output.ts';

describe('the output of a step', () => {
  test('is kept whole up to the limit, and its head beyond', () => {
    const whole = new OutputHead(100);
    whole.write(Buffer.from('a'.repeat(60)));
    whole.write(Buffer.from('b'.repeat(40)));
    expect(whole.text()).toBe('a'.repeat(60) + 'b'.repeat(40));
    whole.write(Buffer.from('c'));
    expect(whole.text()).toBe(`${'a'.repeat(60)}${'b'.repeat(20)}--output truncated--`);
  });

  test('however it comes in, is a head of what was written and within the limit', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 40 })), (chunks) => {
        const head = new OutputHead(100);
        for (const chunk of chunks) head.write(Buffer.from(chunk));
        const text = head.text();
        expect(text.length).toBeLessThanOrEqual(100);
        const written = Buffer.concat(chunks.map((chunk) => Buffer.from(chunk))).toString();
        expect(written.startsWith(text.replace(/--output truncated--$/, ''))).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  test('shows both streams in one text', () => {
    expect(combineOutput('out\n', '')).toBe('out\n');
    expect(combineOutput('out\n', 'err\n')).toBe('out\n\n----------ERROR-------\nerr\n');
  });

  test('in one text is never longer than ListCommandInvocations allows, and begins with standard output', () => {
    const stream = fc.nat(6_000).map((length) => 'x'.repeat(length));
    fc.assert(
      fc.property(stream, stream, (stdout, stderr) => {
        const text = combineOutput(stdout, stderr);
        expect(text.length).toBeLessThanOrEqual(outputLimit);
        expect(text.startsWith(stdout.slice(0, 1_000))).toBe(true);
        if (stderr !== '') expect(text).toContain('----------ERROR-------');
      }),
    );
  });

  test('a short summary survives any noise on standard error', () => {
    const summary = 's'.repeat(1_200);
    expect(combineOutput(summary, 'e'.repeat(8_000)).startsWith(`${summary}\n-----`)).toBe(true);
  });
});
