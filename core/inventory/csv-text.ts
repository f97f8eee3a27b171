/** Owns CSV as text: bytes to text, text to cells and back, and cells that a spreadsheet would run as formulas. */
import Papa from 'papaparse';

/** The bytes are no text that we can read; the message says what to save the file as. */
export class CsvTextError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CsvTextError';
  }
}

/** @throws CsvTextError for what is neither UTF-8 nor UTF-16 with its mark; guessing would garble names */
export function csvTextOf(bytes: Uint8Array): string {
  const utf16 =
    bytes[0] === 0xff && bytes[1] === 0xfe
      ? 'utf-16le'
      : bytes[0] === 0xfe && bytes[1] === 0xff
        ? 'utf-16be'
        : undefined;
  try {
    return new TextDecoder(utf16 ?? 'utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new CsvTextError('the file is not UTF-8: save it as "CSV UTF-8"');
  }
}

export interface CsvCells {
  /** Rows as spreadsheets count them, blank ones included. */
  readonly rows: readonly (readonly string[])[];
  /** By index in `rows`. */
  readonly malformed: ReadonlyMap<number, string>;
}

export const delimiters = [',', ';', '\t', '|'] as const;

/** @param atMost rows; all without it */
export function cellsOf(text: string, delimiter: (typeof delimiters)[number], atMost = 0): CsvCells {
  // One kind of line end, as a file that went through two tools has both.
  const plain = text.replaceAll(/\r\n?/g, '\n');
  const { data, errors } = Papa.parse<string[]>(plain, { delimiter, newline: '\n', preview: atMost });
  const malformed = new Map<number, string>();
  for (const { type, code, row } of errors) {
    if (type === 'Quotes' && row !== undefined && !malformed.has(row))
      malformed.set(row, quoteProblems[code] ?? code);
  }
  return { rows: data, malformed };
}

const quoteProblems: Readonly<Record<string, string>> = {
  MissingQuotes: 'a quoted cell has no end: close the quote',
  InvalidQuotes: 'a quoted cell goes on after its end: write a quote within a cell twice',
};

/** Rows to text with CRLF, as RFC 4180 has it; no cell of it is a formula. */
export function csvOf(rows: readonly (readonly string[])[]): string {
  return `${Papa.unparse(
    rows.map((row) => row.map(guarded)),
    { newline: '\r\n' },
  )}\r\n`;
}

/**
 * What spreadsheets take for a formula when it opens a cell (OWASP, "CSV Injection"), with the full-width forms that
 * some locales take for the same. An apostrophe before it makes it text; apostrophes that are there already get one
 * more, so that reading is the exact opposite of writing.
 */
const formula = /^'*[=+\-@＝＋－＠\t\r]/;

function guarded(cell: string): string {
  return formula.test(cell) ? `'${cell}` : cell;
}

/** The value of a cell: trimmed, without the guard, and without the `="007"` by which tools keep leading zeros. */
export function cellText(cell: string): string {
  const trimmed = cell.trim();
  if (trimmed.startsWith("'") && formula.test(trimmed)) return trimmed.slice(1);
  return /^="([^"]*)"$/.exec(trimmed)?.[1]?.trim() ?? trimmed;
}

/** A value within a message: told from the words round it, and cut where it would drown them. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
