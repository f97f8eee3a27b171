/** Owns tables in a terminal: columns as wide as they need to be, and narrower where the terminal is. */
import { visibleText } from '../local/report/visible-text.ts';
import { type Paint, padText, textWidth } from '../local/terminal-text.ts';

const gap = 2;
/** Less says nothing. */
const narrowest = 6;

/**
 * @param heads one for each column
 * @param columns of the terminal; `Infinity` for a file
 */
export function tableLines(
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  { columns, paint }: { readonly columns: number; readonly paint: Paint },
): string[] {
  const shown = rows.map((row) => row.map(visibleText));
  const widths = heads.map((head, column) =>
    shown.reduce((most, row) => Math.max(most, textWidth(row[column] ?? '')), textWidth(head)),
  );
  const room = columns - gap * (heads.length - 1);
  // From the widest: it is what can best do with less.
  while (sum(widths) > room && Math.max(...widths) > narrowest) {
    widths[widths.indexOf(Math.max(...widths))] = Math.max(...widths) - 1;
  }
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => padText(cell, widths[column] ?? 0))
      .join(' '.repeat(gap))
      .trimEnd();
  return [paint('strong', line(heads)), ...shown.map(line)];
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, next) => total + next, 0);
}
