/** Owns reading YAML that a person wrote: what could mean two things is refused, with its line. */
import { isNode, LineCounter, parseDocument } from 'yaml';

type Read =
  | { readonly value: unknown; readonly lineOf: (path: readonly PropertyKey[]) => number | undefined }
  | { readonly problem: { readonly path: string; readonly line?: number; readonly message: string } };

const largest = 256 * 1024;

/** No aliases, no tags, no doubled keys, one document. */
export function readYaml(text: string): Read {
  if (text.length > largest) return refusal(`is larger than ${largest / 1024} KiB: this is no configuration`);
  const lines = new LineCounter();
  try {
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
    // A warning is a tag that YAML does not know: its value would be read as something else than was meant.
    const [error] = [...document.errors, ...document.warnings];
    if (error) {
      const hint = error.code === 'MULTIPLE_DOCS' ? ': leave one document in the file' : '';
      return refusal(`is not plain YAML: ${error.message}${hint}`, lines.linePos(error.pos[0]).line);
    }
    const value: unknown = document.toJS({ maxAliasCount: 0 });
    return {
      value,
      lineOf(path) {
        // What is missing has no line; what should contain it does.
        for (let length = path.length; length > 0; length--) {
          const node = document.getIn(path.slice(0, length), true);
          if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
        }
        return undefined;
      },
    };
  } catch (error) {
    if (error instanceof RangeError) return refusal('is nested too deeply: this is no configuration');
    if (error instanceof ReferenceError) return refusal('uses an alias (*): write the value out');
    throw error;
  }
}

function refusal(message: string, line?: number): Read {
  return { problem: { path: '', message, ...(line !== undefined && { line }) } };
}
