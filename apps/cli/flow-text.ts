/** Owns text that a person wrote for wide lines, as it is shown where lines are narrow. */
import { textWidth, wrapText } from '../local/terminal-text.ts';

/** Lines that fit stay as they are; the others go on below their own indent, and below nothing that was a flag's name. */
export function narrowed(text: string, columns: number): string {
  return text
    .split('\n')
    .flatMap((line) => (textWidth(line) <= columns ? [line] : wrapText(line, columns)))
    .join('\n');
}

/** Where the descriptions of options begin. */
const descriptions = 21;

/** A page of help: descriptions stay in their column, paragraphs are filled anew. */
export function flowedHelp(page: string, columns: number): string {
  const blocks: { indent: number; head: string; text: string }[] = [];
  let isOpen = false;
  for (const line of page.split('\n')) {
    const isBelow = line.startsWith(' '.repeat(descriptions));
    const isOption = !isBelow && line.startsWith('  ');
    const isProse = line !== '' && !line.startsWith(' ') && !/^(Usage|Exit):/.test(line);
    const last = blocks.at(-1);
    if (last && isOpen && (isBelow || (isProse && last.indent === 0))) {
      last.text += ` ${line.trim()}`;
      continue;
    }
    // A name that is longer than its column has its description on the next line.
    const head = isOption ? line.slice(0, descriptions) : '';
    const isLong = isOption && line.length > descriptions && line[descriptions - 1] !== ' ';
    if (isLong) blocks.push({ indent: descriptions, head: line, text: '' });
    else
      blocks.push({
        indent: isOption || isBelow ? descriptions : 0,
        head,
        text: line.slice(head.length).trim(),
      });
    isOpen = line !== '';
  }
  return blocks
    .map(({ indent, head, text }) => {
      const lines = wrapText(text, Math.max(20, columns - indent));
      const below = lines.map((line, index) =>
        index === 0 && head.length <= descriptions ? head.padEnd(indent) + line : ' '.repeat(indent) + line,
      );
      return (lines.length === 0 ? [head] : head.length > descriptions ? [head, ...below] : below).join('\n');
    })
    .join('\n');
}
