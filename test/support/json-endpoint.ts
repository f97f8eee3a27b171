/** Owns an HTTP server that speaks AWS's JSON protocols: what SDK clients are tested against. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Takes what was asked; what it throws goes to `refusal`. */
type Operation = (input: never) => unknown;

/** By name, without the prefix of the service. */
export type Operations = Readonly<Record<string, Operation>>;

export interface JsonEndpoint {
  readonly url: string;
  /** Names of the calls that came, in order. */
  readonly calls: string[];
  /** Takes the next request away from the service: to answer otherwise, or to cut the connection. */
  interrupt(by: (response: ServerResponse) => void, when?: 'before' | 'after'): void;
  close(): Promise<void>;
}

/** Answers to operations that are not there, as the services do. */
class UnknownOperation extends Error {
  constructor(name: string) {
    super(`there is no operation ${name} here`);
    this.name = 'UnknownOperationException';
  }
}

/** @param isRefusal whether an error is an answer of the service, with its name as the error's; others break the test */
export async function serveJson(
  operations: Operations,
  isRefusal: (error: unknown) => boolean,
): Promise<JsonEndpoint> {
  const calls: string[] = [];
  const interruptions: { by: (response: ServerResponse) => void; when: 'before' | 'after' }[] = [];
  const server = createServer(async (request, response) => {
    const name = String(request.headers['x-amz-target']).replace(/^.*\./, '');
    calls.push(name);
    const interruption = interruptions.shift();
    const body = await bodyOf(request);
    if (interruption?.when === 'before') return interruption.by(response);
    const answer = carryOut(operations[name], name, body, isRefusal);
    if (interruption) return interruption.by(response);
    const type = request.headers['content-type'] ?? 'application/x-amz-json-1.1';
    response.writeHead(answer.status, { 'content-type': type });
    response.end(JSON.stringify(answer.body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    interrupt: (by, when = 'before') => interruptions.push({ by, when }),
    close: () => closed(server),
  };
}

function carryOut(
  operation: Operation | undefined,
  name: string,
  body: string,
  isRefusal: (error: unknown) => boolean,
): { status: number; body: unknown } {
  try {
    if (operation === undefined) throw new UnknownOperation(name);
    return { status: 200, body: operation(JSON.parse(body) as never) ?? {} };
  } catch (error) {
    if (!(error instanceof UnknownOperation || isRefusal(error))) throw error;
    const { name: __type, message } = error as Error;
    return { status: 400, body: { __type, message } };
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
