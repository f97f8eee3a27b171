/** A terminal for tests: keeps what a person would see after the escape sequences that the progress grid uses. */
import type { Screen } from '../../apps/local/progress/live-screen.ts';

export interface TestScreen extends Screen {
  columns: number;
  rows: number;
  /** All that was ever written. */
  readonly written: string;
  readonly frames: number;
  readonly isCursorShown: boolean;
  /** The lines on the screen and above it, without trailing spaces. */
  lines(): string[];
  resize(columns: number): void;
}

/** @throws on a sequence that this terminal does not know: a new one must be taught to it */
export function createTestScreen(columns = 80, rows = 24): TestScreen {
  let written = '';
  let frames = 0;
  let isCursorShown = true;
  let content: string[] = [''];
  let row = 0;
  let column = 0;
  const listeners = new Set<() => void>();

  const sequence = (code: string) => {
    const [, number = '1', letter] = /^\?(?:25|2026)([hl])$/.test(code)
      ? []
      : (/^(\d*)([A-Z])$/i.exec(code) ?? ['', '', code]);
    if (code === '?25l') isCursorShown = false;
    else if (code === '?25h') isCursorShown = true;
    else if (code === '?2026h') frames++;
    else if (code === '?2026l' || letter === 'm' || /^[\d;]*m$/.test(code)) return;
    else if (letter === 'A') {
      // A cursor stops at the top of the screen: what has scrolled out of it can not be reached.
      row = Math.max(content.length - screen.rows, 0, row - Number(number || 1));
    } else if (letter === 'K') content[row] = (content[row] ?? '').slice(0, column);
    else if (letter === 'J') {
      content[row] = (content[row] ?? '').slice(0, column);
      content = content.slice(0, row + 1);
    } else throw new Error(`the test terminal does not know ${JSON.stringify(code)}`);
  };

  const put = (character: string) => {
    if (column >= screen.columns) newLine();
    content[row] =
      (content[row] ?? '').padEnd(column).slice(0, column) +
      character +
      (content[row] ?? '').slice(column + 1);
    column++;
  };

  const newLine = () => {
    row++;
    column = 0;
    content[row] ??= '';
  };

  const screen: TestScreen = {
    isTTY: true,
    columns,
    rows,
    get written() {
      return written;
    },
    get frames() {
      return frames;
    },
    get isCursorShown() {
      return isCursorShown;
    },
    lines: () => content.map((line) => line.trimEnd()),
    write(text) {
      written += text;
      for (let i = 0; i < text.length; i++) {
        const code = text.startsWith('\u001b[', i)
          ? /^[\d;?]*[A-Za-z]/.exec(text.slice(i + 2))?.[0]
          : undefined;
        if (code !== undefined) {
          sequence(code);
          i += code.length + 1;
        } else if (text[i] === '\n') newLine();
        else if (text[i] === '\r') column = 0;
        else put(text[i] as string);
      }
    },
    on: (_event, listener) => listeners.add(listener),
    off: (_event, listener) => listeners.delete(listener),
    resize(next) {
      // As terminals do it: lines that no longer fit are broken in two.
      const broken = content.map((line) => line.trimEnd().match(new RegExp(`.{1,${next}}`, 'g')) ?? ['']);
      row = broken.slice(0, row).flat().length;
      content = broken.flat();
      screen.columns = next;
      for (const listener of listeners) listener();
    },
  };
  return screen;
}
