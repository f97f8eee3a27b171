/**
 * Owns gzip with the same bytes everywhere: zlib's differ between versions of Node and kinds of processors, and every
 * difference would be a new version of each document.
 */
import { crc32 } from 'node:zlib';

const windowSize = 32_768;
const shortest = 3;
const longest = 258;
/** Earlier places looked at for each match: beyond this, scripts get hardly smaller. */
const patience = 128;

/** Bits as deflate packs them: from the low end of each byte, Huffman codes with their own first bit first. */
class BitWriter {
  readonly bytes: number[] = [];
  #held = 0;
  #count = 0;

  value(value: number, bits: number): void {
    this.#held |= value << this.#count;
    this.#count += bits;
    while (this.#count >= 8) {
      this.bytes.push(this.#held & 0xff);
      this.#held >>>= 8;
      this.#count -= 8;
    }
  }

  code(code: number, bits: number): void {
    for (let bit = bits - 1; bit >= 0; bit--) this.value((code >> bit) & 1, 1);
  }

  end(): void {
    if (this.#count > 0) this.value(0, 8 - this.#count);
  }
}

/** RFC 1951 section 3.2.6: the codes that need no table. */
function writeSymbol(out: BitWriter, symbol: number): void {
  if (symbol < 144) out.code(0x30 + symbol, 8);
  else if (symbol < 256) out.code(0x190 + symbol - 144, 9);
  else if (symbol < 280) out.code(symbol - 256, 7);
  else out.code(0xc0 + symbol - 280, 8);
}

interface Range {
  readonly from: number;
  readonly bits: number;
}

/** Section 3.2.5: ranges that grow by one bit after every `each` codes, the first `plain` of them without. */
function rangesOf(first: number, plain: number, each: number, count: number): readonly Range[] {
  let from = first;
  return Array.from({ length: count }, (_, code) => {
    const bits = code < plain ? 0 : Math.floor((code - plain) / each) + 1;
    const range = { from, bits };
    from += 1 << bits;
    return range;
  });
}
const lengths = [...rangesOf(shortest, 8, 4, 28), { from: longest, bits: 0 }];
const distances = rangesOf(1, 4, 2, 30);

function codeIn(ranges: readonly Range[], value: number): number {
  let code = ranges.length - 1;
  while ((ranges[code] as Range).from > value) code--;
  return code;
}

function writeMatch(out: BitWriter, length: number, distance: number): void {
  const lengthCode = codeIn(lengths, length);
  const { from, bits } = lengths[lengthCode] as Range;
  writeSymbol(out, 257 + lengthCode);
  out.value(length - from, bits);
  const distanceCode = codeIn(distances, distance);
  const far = distances[distanceCode] as Range;
  out.code(distanceCode, 5);
  out.value(distance - far.from, far.bits);
}

/** @returns one gzip member (RFC 1952) without name or time */
export function gzipText(text: string): Uint8Array {
  const input = Buffer.from(text);
  const out = new BitWriter();
  // One last block with the fixed codes.
  out.value(1, 1);
  out.value(1, 2);
  const places = new Map<number, number[]>();
  const keyAt = (at: number) =>
    ((input[at] as number) << 16) | ((input[at + 1] as number) << 8) | (input[at + 2] as number);
  const remember = (at: number) => {
    if (at + shortest > input.length) return;
    const key = keyAt(at);
    const known = places.get(key);
    if (known) known.push(at);
    else places.set(key, [at]);
  };
  let at = 0;
  while (at < input.length) {
    let best = { length: 0, distance: 0 };
    const known = at + shortest <= input.length ? (places.get(keyAt(at)) ?? []) : [];
    const most = Math.min(longest, input.length - at);
    for (let i = known.length - 1; i >= 0 && i >= known.length - patience; i--) {
      const start = known[i] as number;
      if (at - start > windowSize) break;
      let length = shortest;
      while (length < most && input[start + length] === input[at + length]) length++;
      if (length > best.length) best = { length, distance: at - start };
    }
    if (best.length === 0) writeSymbol(out, input[at] as number);
    else writeMatch(out, best.length, best.distance);
    for (const end = at + Math.max(1, best.length); at < end; at++) remember(at);
  }
  writeSymbol(out, 256);
  out.end();
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc32(input), 0);
  trailer.writeUInt32LE(input.length, 4);
  return Buffer.concat([
    Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]),
    Buffer.from(out.bytes),
    trailer,
  ]);
}
