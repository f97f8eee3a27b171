/** Owns a repository's answers as a test changes them on their way to a host. */
import type { RequestListener } from 'node:http';

/** @param change what is answered instead, from what would have been; undefined is 404 */
export function changedAnswers(
  listener: RequestListener,
  change: (path: string, content: Buffer) => Buffer | undefined,
): RequestListener {
  return (request, response) => {
    const path = request.url ?? '/';
    const gathered: Buffer[] = [];
    const capture = Object.assign(Object.create(response), {
      writeHead: (status: number) => Object.assign(capture, { status }),
      end: (content?: Buffer) => {
        if (content) gathered.push(content);
        const changed = capture.status === 200 ? change(path, Buffer.concat(gathered)) : undefined;
        response.writeHead(changed ? 200 : 404, { 'content-length': changed?.length ?? 0 });
        response.end(changed);
      },
    });
    listener(request, capture);
  };
}
