/** Serves a generated repository's folder over HTTP, as it is now or as it was. */
import { readdir, readFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';

function answering(read: (path: string) => Promise<Buffer | undefined>): RequestListener {
  return async (request, response) => {
    try {
      const path = decodeURIComponent(new URL(request.url ?? '/', 'http://repository').pathname);
      // Always the whole file: dates are too coarse to answer "not modified" about a repository of seconds.
      const content = await read(path);
      if (!content) return void response.writeHead(404).end();
      response.writeHead(200, { 'content-length': content.length });
      response.end(request.method === 'HEAD' ? undefined : content);
    } catch {
      response.writeHead(404).end();
    }
  };
}

export function folderListener(folder: string): RequestListener {
  return answering(async (path) => {
    const file = join(folder, path);
    return file.startsWith(`${folder}/`) ? readFile(file) : undefined;
  });
}

/** Answers for ever with what the folder holds when this is called. */
export async function frozenListener(folder: string): Promise<RequestListener> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = new Map<string, Buffer>();
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(path.slice(folder.length), await readFile(path));
  }
  return answering(async (path) => files.get(path));
}
