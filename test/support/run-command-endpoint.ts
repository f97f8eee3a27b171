/** Owns the local Run Command behind HTTP, in the words of the SSM API: what the SDK's client is tested against. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RunCommandError } from '../../apps/local/run-command/api.ts';
import {
  describeInstanceInformation,
  listCommandInvocations,
  listCommands,
} from '../../apps/local/run-command/listing.ts';
import type { RunCommand } from '../../apps/local/run-command/service.ts';

type Input = never;

export interface RunCommandEndpoint {
  readonly url: string;
  /** Names of the calls that came, in order. */
  readonly calls: string[];
  /** Takes the next request away from the service: to answer otherwise, or to cut the connection. */
  interrupt(by: (response: ServerResponse) => void, when?: 'before' | 'after'): void;
  close(): Promise<void>;
}

/** @param contentOf of a document, by name and version: the service keeps what it parsed */
export async function serveRunCommand(
  service: RunCommand,
  contentOf: (name: string, version: string) => string,
): Promise<RunCommandEndpoint> {
  const operations: Readonly<Record<string, (input: Input) => unknown>> = {
    SendCommand: (input) => service.sendCommand(input),
    ListCommands: (input) => listCommands(service, input),
    ListCommandInvocations: (input) => listCommandInvocations(service, input),
    DescribeInstanceInformation: (input) => describeInstanceInformation(service, input),
    DescribeDocument: (input) => ({ Document: service.describeDocument(input) }),
    GetDocument: ({ Name, DocumentVersion }: { Name: string; DocumentVersion: string }) => ({
      Content: contentOf(Name, DocumentVersion),
    }),
    ListTagsForResource: () => ({ TagList: [] }),
  };
  const calls: string[] = [];
  const interruptions: { by: (response: ServerResponse) => void; when: 'before' | 'after' }[] = [];
  const server = createServer(async (request, response) => {
    const name = String(request.headers['x-amz-target']).replace('AmazonSSM.', '');
    calls.push(name);
    const interruption = interruptions.shift();
    const body = await bodyOf(request);
    if (interruption?.when === 'before') return interruption.by(response);
    const answer = carryOut(() => operations[name]?.(JSON.parse(body) as Input));
    if (interruption) return interruption.by(response);
    response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.1' });
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

function carryOut(operation: () => unknown): { status: number; body: unknown } {
  try {
    return { status: 200, body: operation() };
  } catch (error) {
    if (!(error instanceof RunCommandError)) throw error;
    return { status: 400, body: { __type: error.name, message: error.message } };
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
