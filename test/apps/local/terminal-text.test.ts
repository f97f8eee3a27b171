import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  clipText,
  columnsOf,
  mayColour,
  padText,
  painter,
  textWidth,
  wrapText,
} from '../../../apps/local/terminal-text.ts';

const printable = fc.string({ unit: 'grapheme' });

describe('text on a terminal', () => {
  test.each([
    ['plain', 5],
    ['größer', 6],
    ['e\u0301', 1],
    ['日本', 4],
    ['서버', 4],
    ['🚢', 2],
    ['', 0],
  ])('%s is %i columns wide', (text, width) => {
    expect(textWidth(text)).toBe(width);
  });

  test('is never wider than asked for when it is cut, and exactly so wide when it is padded', () => {
    fc.assert(
      fc.property(printable, fc.integer({ min: 2, max: 40 }), (text, columns) => {
        expect(textWidth(clipText(text, columns))).toBeLessThanOrEqual(columns);
        expect(textWidth(padText(text, columns))).toBe(columns);
        expect(textWidth(padText(text, columns, 'right'))).toBe(columns);
      }),
    );
  });

  test('loses nothing but spaces when it is wrapped', () => {
    fc.assert(
      fc.property(printable, fc.integer({ min: 2, max: 40 }), (text, columns) => {
        const lines = wrapText(text, columns);
        for (const line of lines) expect(textWidth(line)).toBeLessThanOrEqual(columns);
        expect(lines.join('').replace(/\s/g, '')).toBe(text.replace(/\s/g, ''));
      }),
    );
  });

  test('is cut with an ellipsis, and only where it must be', () => {
    expect(clipText('harbor-httpd', 8)).toBe('harbor-…');
    expect(clipText('harbor', 6)).toBe('harbor');
  });
});

test('a terminal that nobody has sized, and what is none, are as wide as people read', () => {
  expect(columnsOf({ isTTY: true, columns: 80 })).toBe(80);
  expect(columnsOf({ isTTY: true, columns: 0 })).toBe(100);
  expect(columnsOf({ isTTY: true, columns: 3 })).toBe(20);
  expect(columnsOf({ columns: 80 })).toBe(100);
});

describe('colour', () => {
  test('is used on a terminal alone, and not where it is unwanted', () => {
    expect(mayColour({ isTTY: true }, {})).toBe(true);
    expect(mayColour({ isTTY: true }, { NO_COLOR: '' })).toBe(true);
    expect(mayColour({ isTTY: true }, { NO_COLOR: '1' })).toBe(false);
    expect(mayColour({ isTTY: true }, { TERM: 'dumb' })).toBe(false);
    expect(mayColour({}, {})).toBe(false);
  });

  test('leaves text alone where it is off', () => {
    expect(painter(false)('bad', 'failed')).toBe('failed');
    expect(painter(true)('bad', 'failed')).toBe('\u001b[31;1mfailed\u001b[0m');
  });
});
