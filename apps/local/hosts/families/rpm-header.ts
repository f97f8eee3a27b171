/** Writes the header structure of RPM files: tagged, typed values behind an index. */

/** A value with the type that RPM stores it as. */
export type TagValue =
  | { readonly int16: readonly number[] }
  | { readonly int32: readonly number[] }
  | { readonly string: string }
  | { readonly strings: readonly string[] }
  | { readonly translated: string }
  | { readonly bytes: Buffer };

export type Tags = ReadonlyMap<number, TagValue>;

const TYPE = { int16: 3, int32: 4, string: 6, bytes: 7, strings: 8, translated: 9 } as const;
const ALIGNMENT: Record<number, number> = { [TYPE.int16]: 2, [TYPE.int32]: 4 };
const ENTRY = 16;
const MAGIC = Buffer.from('8eade80100000000', 'hex');

function encode(value: TagValue): { type: number; count: number; data: Buffer } {
  if ('int16' in value) {
    const data = Buffer.alloc(value.int16.length * 2);
    value.int16.forEach((number, index) => {
      data.writeUInt16BE(number, index * 2);
    });
    return { type: TYPE.int16, count: value.int16.length, data };
  }
  if ('int32' in value) {
    const data = Buffer.alloc(value.int32.length * 4);
    value.int32.forEach((number, index) => {
      data.writeUInt32BE(number >>> 0, index * 4);
    });
    return { type: TYPE.int32, count: value.int32.length, data };
  }
  if ('bytes' in value) return { type: TYPE.bytes, count: value.bytes.length, data: value.bytes };
  if ('string' in value) return { type: TYPE.string, count: 1, data: Buffer.from(`${value.string}\0`) };
  if ('translated' in value)
    return { type: TYPE.translated, count: 1, data: Buffer.from(`${value.translated}\0`) };
  const data = Buffer.from(value.strings.map((text) => `${text}\0`).join(''));
  return { type: TYPE.strings, count: value.strings.length, data };
}

function entry(tag: number, type: number, offset: number, count: number): Buffer {
  const out = Buffer.alloc(ENTRY);
  out.writeInt32BE(tag, 0);
  out.writeInt32BE(type, 4);
  out.writeInt32BE(offset, 8);
  out.writeInt32BE(count, 12);
  return out;
}

/** @param region the tag that marks all of it as one immutable region: 62 for signatures, 63 for a package */
export function rpmHeader(tags: Tags, region: 62 | 63): Buffer {
  const index: Buffer[] = [];
  const store: Buffer[] = [];
  let offset = 0;
  for (const [tag, value] of [...tags].sort(([a], [b]) => a - b)) {
    const { type, count, data } = encode(value);
    if (count === 0) continue;
    const padding = -offset & ((ALIGNMENT[type] ?? 1) - 1);
    store.push(Buffer.alloc(padding), data);
    index.push(entry(tag, type, offset + padding, count));
    offset += padding + data.length;
  }
  // The region's own entry points to a trailer that says, as a negative offset, how long its index is.
  const trailer = entry(region, TYPE.bytes, -(index.length + 1) * ENTRY, ENTRY);
  index.unshift(entry(region, TYPE.bytes, offset, ENTRY));
  const sizes = Buffer.alloc(8);
  sizes.writeUInt32BE(index.length, 0);
  sizes.writeUInt32BE(offset + ENTRY, 4);
  return Buffer.concat([MAGIC, sizes, ...index, ...store, trailer]);
}
