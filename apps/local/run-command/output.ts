/** Owns what is kept of a step's output: always the head, never the tail. */

export const stdoutLimit = 24_000;
export const stderrLimit = 8_000;
/** Standard output and error of a step together, as ListCommandInvocations brings them back. */
export const outputLimit = 2_500;

const truncated = '--output truncated--';
const errorTitle = '\n----------ERROR-------\n';
const outTruncated = '\n---Output truncated---';
const errorTruncated = '\n---Error truncated----';

/** A sink for one stream of a process, which forgets what is beyond the limit as it comes in. */
export class OutputHead {
  readonly #limit: number;
  #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  write(chunk: Buffer): void {
    // One more than the limit is kept, which is how text() knows that there was more.
    const room = this.#limit + 1 - this.#bytes;
    if (room <= 0) return;
    const kept = chunk.subarray(0, room);
    this.#chunks.push(kept);
    this.#bytes += kept.length;
  }

  text(): string {
    const all = Buffer.concat(this.#chunks);
    if (this.#bytes <= this.#limit) return all.toString('utf8');
    return headOf(all, this.#limit - truncated.length) + truncated;
  }
}

/**
 * Both streams in one text of at most 2,500 bytes, each shortened only if it is the longer half. As TruncateOutput in
 * the agent's source has it, a text of exactly 2,500 counts as too long.
 */
export function combineOutput(stdout: string, stderr: string): string {
  const title = stderr === '' ? '' : errorTitle;
  const room = outputLimit - title.length;
  const [out, error] = [Buffer.from(stdout), Buffer.from(stderr)];
  if (out.length + error.length < room) return stdout + title + stderr;
  if (out.length > room / 2 && error.length > room / 2) {
    const half = Math.floor((room - outTruncated.length - errorTruncated.length) / 2);
    return headOf(out, half) + outTruncated + title + headOf(error, half) + errorTruncated;
  }
  return out.length > error.length
    ? headOf(out, room - outTruncated.length - error.length) + outTruncated + title + stderr
    : stdout + title + headOf(error, room - errorTruncated.length - out.length) + errorTruncated;
}

/** Streaming, the decoder keeps back the character that the cut went through. */
function headOf(text: Buffer, bytes: number): string {
  return new TextDecoder().decode(text.subarray(0, bytes), { stream: true });
}
