/** Owns lines that say what they are about: a label once, and beside it as many lines as the terminal needs. */
import { visibleText } from '../local/report/visible-text.ts';
import { wrapText } from '../local/terminal-text.ts';

/** @param columns of the terminal; `Infinity` for a file */
export function labelledLines(label: string, texts: readonly string[], columns: number): string[] {
  return texts.flatMap((text, index) =>
    wrapText(visibleText(text), columns - 12).map(
      (line, part) => `${(index === 0 && part === 0 ? label : '').padEnd(10)}  ${line}`,
    ),
  );
}
