/** Owns how archives are read: to their end without keeping them, or unpacked into a scratch folder that goes again. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, lstat, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract, Parser } from 'tar';
import type { InspectedArchive, RestoredArchive, RestoredFile } from '../../core/ports.ts';

/** @throws Error when the source itself fails; an archive that is none is a finding */
export async function inspectArchive(source: Readable): Promise<InspectedArchive> {
  const hash = createHash('sha256');
  let bytes = 0;
  let entries = 0;
  let problem: string | undefined;
  const parser = new Parser({
    strict: true,
    onReadEntry(entry) {
      entries++;
      entry.resume();
    },
  });
  // Of kinds that are not unpacked, such as devices: in the archive all the same.
  parser.on('ignoredEntry', () => entries++);
  const ended = new Promise<void>((resolve) => {
    parser.on('end', resolve);
    parser.on('error', (error) => {
      problem ??= error instanceof Error ? error.message : String(error);
      resolve();
    });
  });
  for await (const chunk of source as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
    // What can not be read is hashed to its end nevertheless: the hash tells altered from badly made.
    if (problem === undefined && !parser.write(chunk)) await drained(parser, ended);
  }
  if (problem === undefined) {
    parser.end();
    await ended;
  }
  if (problem === undefined && entries === 0) problem = 'it has no entries';
  const sha256 = hash.digest('hex');
  return problem === undefined ? { sha256, bytes, entries } : { sha256, bytes, entries: null, problem };
}

async function drained(parser: Parser, ended: Promise<void>): Promise<void> {
  await Promise.race([new Promise<void>((resolve) => parser.once('drain', () => resolve())), ended]);
}

/**
 * Files and folders are looked at where they were unpacked. Links are as the archive has them: what is unpacked never
 * leads out of the scratch folder, so links that do are not made there.
 *
 * @param wanted files whose text is returned
 * @param atMost bytes that may be unpacked
 * @throws Error when it can not be unpacked, or is larger
 */
export async function restoreArchive(
  source: Readable,
  wanted: readonly string[],
  atMost: number,
): Promise<RestoredArchive> {
  const folder = await mkdtemp(join(tmpdir(), 'quarterdeck-restore-'));
  try {
    const { links, modes } = await unpackInto(folder, source, atMost);
    const unpacked = await filesBelow(folder, folder);
    const files = unpacked.map((file) => ({ ...file, mode: modes.get(file.path) ?? file.mode }));
    const texts = new Map<string, string>();
    for (const path of wanted) {
      if (files.some((file) => file.path === path && file.type === 'file'))
        texts.set(path, await readFile(join(folder, path), 'utf8'));
    }
    return { files: [...files, ...links].toSorted((a, b) => (a.path < b.path ? -1 : 1)), texts };
  } finally {
    // After an error, files that were being written may still come into being.
    await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }
}

interface Unpacked {
  /** Symbolic ones. */
  readonly links: readonly RestoredFile[];
  /** As the archive has them, by path: on disk they are what this process may give to files. */
  readonly modes: ReadonlyMap<string, string>;
}

async function unpackInto(folder: string, source: Readable, atMost: number): Promise<Unpacked> {
  const links: RestoredFile[] = [];
  const modes = new Map<string, string>();
  let unpacked = 0;
  let problem: Error | undefined;
  const unpack = extract({
    cwd: folder,
    // Whoever runs this is not root, and needs to read what it unpacks.
    preserveOwner: false,
    filter(path, entry) {
      if (!('linkpath' in entry)) return false;
      const { size, type, linkpath, mode } = entry;
      const name = path.replace(/^(\.\/)+/, '').replace(/\/+$/, '');
      unpacked += size ?? 0;
      if (unpacked > atMost)
        problem ??= new Error(`${path} is past the ${atMost} bytes that are unpacked at most`);
      if (type !== 'SymbolicLink') {
        if (mode !== undefined) modes.set(name, modeText(mode));
        return problem === undefined;
      }
      links.push({ path: name, type: 'link', mode: '0777', target: linkpath ?? '' });
      return false;
    },
    onwarn(code, message) {
      if (code !== 'TAR_ENTRY_INFO') problem ??= new Error(String(message));
    },
  });
  // Not a pipeline: the writing end of an unpacker finishes before its last file is there.
  const closed = new Promise<void>((resolve) => {
    unpack.on('close', resolve);
    unpack.on('error', (error) => {
      problem ??= error instanceof Error ? error : new Error(String(error));
      resolve();
    });
  });
  for await (const chunk of source as AsyncIterable<Buffer>) {
    if (problem !== undefined) break;
    if (!unpack.write(chunk)) await drained(unpack, closed);
  }
  unpack.end();
  await closed;
  if (problem !== undefined) throw problem;
  return { links, modes };
}

const modeText = (mode: number) => `0${(mode & 0o777).toString(8).padStart(3, '0')}`;

async function filesBelow(root: string, folder: string): Promise<RestoredFile[]> {
  const all: RestoredFile[] = [];
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const found = await lstat(path);
    const base = { path: relative(root, path), mode: modeText(found.mode) };
    if (found.isDirectory()) all.push({ ...base, type: 'directory' }, ...(await filesBelow(root, path)));
    else if (found.isFile()) {
      // It may be closed to everybody, and is gone in a moment.
      await chmod(path, 0o600);
      all.push({ ...base, type: 'file', sha256: await hashOf(path) });
    } else all.push({ ...base, type: 'other' });
  }
  return all;
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
