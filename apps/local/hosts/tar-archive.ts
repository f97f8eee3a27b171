/** Writes ustar archives in memory, every entry owned by root, whoever runs this. */

export interface TarEntry {
  /** Path below the archive's root, without a leading slash. */
  readonly path: string;
  readonly content: Buffer;
  readonly mode: number;
}

const BLOCK = 512;

const octal = (value: number, width: number) => `${value.toString(8).padStart(width - 1, '0')}\0`;

function header(path: string, size: number, mode: number, folder: boolean, modified: number): Buffer {
  const name = `${path}${folder ? '/' : ''}`;
  if (Buffer.byteLength(name) > 100)
    throw new Error(`path "${path}" is too long for a package: shorten it to 97 bytes`);
  const out = Buffer.alloc(BLOCK);
  out.write(name, 0);
  out.write(octal(mode, 8), 100);
  out.write(octal(0, 8), 108);
  out.write(octal(0, 8), 116);
  out.write(octal(size, 12), 124);
  out.write(octal(modified, 12), 136);
  out.write(' '.repeat(8), 148);
  out.write(folder ? '5' : '0', 156);
  out.write('ustar\x0000', 257);
  out.write('root', 265);
  out.write('root', 297);
  const sum = out.reduce((total, byte) => total + byte, 0);
  out.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return out;
}

function parentsOf(paths: readonly string[]): string[] {
  const folders = new Set(['']);
  for (const path of paths) {
    const parts = path.split('/').slice(0, -1);
    for (let depth = 1; depth <= parts.length; depth++) folders.add(parts.slice(0, depth).join('/'));
  }
  return [...folders].sort();
}

/**
 * @param modified epoch seconds written on every entry
 * @param top what every path begins with: Debian's begin at `.`, Arch's have nothing there
 */
export function tarArchive(entries: readonly TarEntry[], modified: number, top: '.' | '' = '.'): Buffer {
  const blocks: Buffer[] = [];
  const placed = (path: string) => [top, path].filter(Boolean).join('/');
  for (const folder of parentsOf(entries.map((entry) => entry.path)).map(placed))
    if (folder !== '') blocks.push(header(folder, 0, 0o755, true, modified));
  for (const { path, content, mode } of entries) {
    blocks.push(header(placed(path), content.length, mode, false, modified), content);
    blocks.push(Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK));
  }
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}
