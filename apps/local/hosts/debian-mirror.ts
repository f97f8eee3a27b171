/** Stands between hosts without a network and Debian's own mirror: fetches what they ask for, and keeps it. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { dirname, join } from 'node:path';
import { ARCHIVES } from './debian-base.ts';
import type { DebianMirror, PrivateApt } from './machine-apt.ts';

/** What a mirror has under a name it never uses again. */
const LASTING = /\/(pool|by-hash)\//;
/** The path as apt asks for it, still escaped: nothing that could lead out of the archive. */
const ASKED = /^\/(debian|debian-security)\/((?:dists|pool)\/[\w.+~%/-]+)$/;

export function debianMirrorListener(
  mirror: DebianMirror & { readonly security: string },
  apt: PrivateApt,
  folder: string,
): RequestListener {
  const fetches = new Map<string, Promise<void>>();

  const fetchTo = async (uri: string, file: string) => {
    if (LASTING.test(file) && existsSync(file)) return;
    await mkdir(dirname(file), { recursive: true });
    const draft = `${file}.${process.pid}`;
    try {
      await apt.fetch(uri, draft);
      await rename(draft, file);
    } catch (error) {
      // Without the world an index of an earlier run is as good as the mirror gets.
      if (!existsSync(file)) throw error;
    }
  };

  return async (request, response) => {
    const [path, archive, rest] = ASKED.exec(request.url ?? '') ?? [];
    if (!path || !rest || rest.includes('..')) return void response.writeHead(404).end();
    const origin = `/${archive}/` === ARCHIVES.security ? mirror.security : mirror.main;
    const file = join(folder, path);
    // Once a run: all its hosts see the same state of the mirror.
    const fetched = fetches.get(path) ?? fetchTo(`${origin}${rest}`, file);
    fetches.set(path, fetched);
    try {
      await fetched;
      const content = await readFile(file);
      response.writeHead(200, { 'content-length': content.length });
      response.end(request.method === 'HEAD' ? undefined : content);
    } catch {
      response.writeHead(404).end();
    }
  };
}
