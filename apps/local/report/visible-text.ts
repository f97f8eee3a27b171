/** Makes text from servers safe to show: nothing in it may steer a terminal, or reorder what a reader sees. */

/*
 * Control characters (terminal escapes among them), halves of surrogate pairs, line separators, and what only formats
 * its surroundings: with marks that set the direction of writing, one name can be made to look like another
 * (CVE-2021-42574).
 */
const steering = /[\p{Cc}\p{Cs}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** One line: every steering character is shown as a symbol instead. */
export function visibleText(text: string): string {
  return text.replace(steering, symbol);
}

/** Lines of a log: line feeds and tabs stay what they are. */
export function visibleLines(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .replace(steering, (character) => (/[\n\t]/.test(character) ? character : symbol(character)));
}

function symbol(character: string): string {
  const code = character.charCodeAt(0);
  // Unicode has pictures for the 33 control characters of ASCII.
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return code === 0x7f ? '\u2421' : '\ufffd';
}
