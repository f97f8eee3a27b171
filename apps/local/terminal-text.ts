/** Owns how text is measured, cut, padded, wrapped and coloured for a terminal. */
import type { Tone } from './report/state-words.ts';

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** East Asian scripts and pictures take two columns; marks that combine are part of their grapheme. */
const wide =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|^\p{Emoji_Presentation}/u;

/** Columns that a text takes; it must hold no escape sequences. */
export function textWidth(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const { segment } of segmenter.segment(text)) width += wide.test(segment) ? 2 : 1;
  return width;
}

/** The text, cut to so many columns with an ellipsis. */
export function clipText(text: string, columns: number): string {
  if (textWidth(text) <= columns) return text;
  let clipped = '';
  let left = columns - 1;
  for (const { segment } of segmenter.segment(text)) {
    left -= textWidth(segment);
    if (left < 0) break;
    clipped += segment;
  }
  return columns > 0 ? `${clipped}…` : '';
}

/** Exactly so many columns. */
export function padText(text: string, columns: number, side: 'left' | 'right' = 'left'): string {
  const clipped = clipText(text, columns);
  const space = ' '.repeat(Math.max(0, columns - textWidth(clipped)));
  return side === 'left' ? clipped + space : space + clipped;
}

/** Lines of at most so many columns, broken at spaces where there are any. */
export function wrapText(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).flatMap((part) => chunks(part, columns))) {
    if (line !== '' && textWidth(line) + 1 + textWidth(word) > columns) {
      lines.push(line);
      line = word;
    } else line += line === '' ? word : ` ${word}`;
  }
  return line === '' ? lines : [...lines, line];
}

function chunks(word: string, columns: number): string[] {
  const parts: string[] = [];
  let part = '';
  for (const { segment } of segmenter.segment(word)) {
    if (part !== '' && textWidth(part + segment) > columns) {
      parts.push(part);
      part = '';
    }
    part += segment;
  }
  return part === '' ? parts : [...parts, part];
}

/** The sixteen colours of the terminal's own theme, so that they can be read on light and on dark. */
const codes: Readonly<Record<Tone | 'strong' | 'faint', string>> = {
  good: '32',
  calm: '2',
  busy: '36',
  watch: '33',
  bad: '31;1',
  strong: '1',
  faint: '2',
};

export type Paint = (style: Tone | 'strong' | 'faint', text: string) => string;

export function painter(colour: boolean): Paint {
  return colour ? (style, text) => `\u001b[${codes[style]}m${text}\u001b[0m` : (_style, text) => text;
}

/** What is written to a file or a pipe has no edge to fit, and a terminal that nobody has sized says 0 columns. */
export function columnsOf({
  isTTY,
  columns,
}: {
  readonly isTTY?: boolean;
  readonly columns?: number;
}): number {
  return isTTY && columns ? Math.max(columns, 20) : 100;
}

/** Whether a stream may be coloured: https://no-color.org, and a terminal that knows how. */
export function mayColour(
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  return stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb';
}
