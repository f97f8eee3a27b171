/** Owns which functions of a script go into a document: those that it can reach. The rest are other phases'. */

interface Part {
  /** Of the function that the lines define; undefined for what runs as it is read. */
  readonly name: string | undefined;
  readonly lines: string[];
}

/**
 * A function is needed where a needed line has its name as a word, or a prefix of it before a variable (`see_$kind`).
 * That may keep too much, and never too little.
 *
 * @param lines of a script as it is written, with its indentation: functions begin and end at the left margin
 * @param callers what else calls it
 */
export function onlyNeeded(lines: readonly string[], callers: readonly string[] = []): string[] {
  const parts = partsOf(lines);
  const functions = new Map<string, string[]>();
  for (const { name, lines: own } of parts)
    if (name !== undefined)
      functions.set(name, [...(functions.get(name) ?? []), ...own.slice(1), own[0]?.replace(name, '') ?? '']);
  const needed = new Set<string>();
  const waiting = [
    ...callers,
    ...parts.filter(({ name }) => name === undefined).flatMap((part) => part.lines),
  ];
  for (let text = waiting.pop(); text !== undefined; text = waiting.pop()) {
    for (const name of namesIn(text, functions.keys())) {
      if (needed.has(name)) continue;
      needed.add(name);
      waiting.push(...(functions.get(name) ?? []));
    }
  }
  return parts.filter(({ name }) => name === undefined || needed.has(name)).flatMap((part) => part.lines);
}

function namesIn(line: string, functions: Iterable<string>): string[] {
  if (/^\s*#/.test(line)) return [];
  const words = new Set(line.match(/[A-Za-z_]\w*/g));
  const prefixes = line.match(/[A-Za-z_]\w*_(?=\$)/g) ?? [];
  return [...functions].filter(
    (name) => words.has(name) || prefixes.some((prefix) => name.startsWith(prefix)),
  );
}

function partsOf(lines: readonly string[]): Part[] {
  const parts: Part[] = [];
  let end: RegExp | undefined;
  let document: string | undefined;
  for (const line of lines) {
    const current = parts.at(-1);
    if (end !== undefined && current) {
      current.lines.push(line);
      if (document === undefined) {
        document = /(?<!<)<<'?([A-Z_]+)'?/.exec(line)?.[1];
        if (end.test(line)) end = undefined;
      } else if (line === document) document = undefined;
      continue;
    }
    const [, name, bracket, rest] = /^([a-z_][a-z0-9_]*)\(\) ([{(])(.*)$/.exec(line) ?? [];
    if (name !== undefined) {
      parts.push({ name, lines: [line] });
      if (rest === '') end = bracket === '{' ? /^\}( |$)/ : /^\)( |$)/;
    } else if (current && current.name === undefined) current.lines.push(line);
    else parts.push({ name: undefined, lines: [line] });
  }
  if (end !== undefined) throw new Error(`function ${parts.at(-1)?.name} does not end at the left margin`);
  return parts;
}
