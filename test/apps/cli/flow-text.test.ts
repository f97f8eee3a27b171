import { describe, expect, it } from 'vitest';
import { flowedHelp, narrowed } from '../../../apps/cli/flow-text.ts';
import { helpText } from '../../../apps/cli/help.ts';

const words = (text: string) => text.split(/\s+/).filter((word) => word !== '');

describe('help', () => {
  it.each([undefined, 'plan', 'servers', 'schedule set', 'schedule list', 'feed'])(
    'of %s fits narrow terminals, and says the same',
    (command) => {
      const page = helpText(command);
      for (const columns of [60, 80, 100]) {
        const flowed = flowedHelp(page, columns);
        expect(words(flowed)).toEqual(words(page));
        for (const line of flowed.split('\n')) expect(line.length, line).toBeLessThanOrEqual(columns);
      }
    },
  );

  it('keeps descriptions in their column', () => {
    const page = '  --flag TEXT        One two three four five six\n                     seven eight.\n';
    expect(flowedHelp(page, 44)).toBe(
      '  --flag TEXT        One two three four five\n                     six seven eight.\n',
    );
    expect(flowedHelp(page, 100)).toBe('  --flag TEXT        One two three four five six seven eight.\n');
  });
});

describe('what is told', () => {
  it('is broken between words where it does not fit, and left alone where it does', () => {
    expect(narrowed('  as it is\nweb-1 has a schedule already: change that one\n', 30)).toBe(
      '  as it is\nweb-1 has a schedule already:\nchange that one\n',
    );
  });
});
