/** Owns the lines at the end of a terminal that are drawn again and again in place. */
import { stripVTControlCharacters } from 'node:util';
import { textWidth } from '../terminal-text.ts';

/** The part of a terminal's stream that is needed; `process.stdout` and `process.stderr` are such. */
export interface Screen {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
  on(event: 'resize', listener: () => void): unknown;
  off(event: 'resize', listener: () => void): unknown;
}

/** Control sequence introducer of ECMA-48. */
const csi = '\u001b[';
const hideCursor = `${csi}?25l`;
const showCursor = `${csi}?25h`;
/** Terminals that know it show a frame all at once; the others ignore it. */
const beginFrame = `${csi}?2026h`;
const endFrame = `${csi}?2026l`;
const clearToLineEnd = `${csi}K`;
const clearBelow = `${csi}J`;

export class LiveScreen {
  readonly #screen: Screen;
  /** Columns that each line of the last frame takes. */
  #drawn: readonly number[] = [];
  #isOpen = false;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  get columns(): number {
    return Math.max(20, this.#screen.columns ?? 80);
  }

  get rows(): number {
    return Math.max(4, this.#screen.rows ?? 24);
  }

  /** @param above lines that stay, printed before the frame once */
  draw(lines: readonly string[], above: readonly string[] = []): void {
    const cursor = this.#isOpen ? '' : hideCursor;
    this.#isOpen = true;
    const text = [...above, ...lines].map((line) => `${line}${clearToLineEnd}\n`).join('');
    this.#screen.write(`${beginFrame}${cursor}${this.#back()}${text}${clearBelow}${endFrame}`);
    this.#drawn = lines.map((line) => textWidth(stripVTControlCharacters(line)));
  }

  /** Leaves the last frame where it is. Safe to call at any time, and more than once. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#drawn = [];
    this.#screen.write(showCursor);
  }

  /** To the first line of the last frame; a terminal that was made narrower has broken long lines in two. */
  #back(): string {
    const height = this.#drawn.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / this.columns)), 0);
    return height === 0 ? '' : `\r${csi}${height}A`;
  }
}
