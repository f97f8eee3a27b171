import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha256Of } from '../../core/plan.ts';
import { gzipText } from '../../ssm-documents/gzip-text.ts';

describe('gzip of a text', () => {
  it('is read by everybody, whatever the text', () => {
    const repeated = fc
      .tuple(fc.string({ unit: 'binary', minLength: 1 }), fc.nat(400))
      .map(([text, times]) => text.repeat(times));
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string({ unit: 'binary' }), repeated)), (parts) => {
        const text = Buffer.from(parts.join('')).toString();
        expect(gunzipSync(gzipText(text)).toString()).toBe(text);
      }),
    );
  });

  it('finds what repeats as far back as a window reaches, and no further', () => {
    const unit = Array.from({ length: 900 }, (_, index) => sha256Of(String(index))).join('');
    const text = unit.slice(0, 40_000) + unit.slice(0, 8000) + unit.slice(30_000, 40_000);
    expect(gunzipSync(gzipText(text)).toString()).toBe(text);
  });

  it('is the same on every machine, and not much larger than that of zlib', () => {
    const text = Array.from({ length: 500 }, (_, index) => `line ${index % 37} of ${index * 7919}\n`).join(
      '',
    );
    const packed = gzipText(text);
    expect(sha256Of(packed)).toBe('ba3278a8311d254901f7a503e1ad142b1ec0594d01a8c094f6b19a1f255eba47');
    expect(packed.length).toBeLessThan(gzipSync(text, { level: 9 }).length * 1.6);
  });
});
