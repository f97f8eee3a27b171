/**
 * Owns the one place that every call to AWS passes: it knows which function called by its access key, keeps what was
 * asked and answered, and can spoil a call on its way. Functions reach it through `AWS_ENDPOINT_URL` alone.
 */
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AskedCall, readCall, type WireRequest } from './wire.ts';

/** A call that was asked. `answer` is there once somebody has given one, also when the caller never heard it. */
export interface AwsCall extends Omit<AskedCall, 'key'> {
  /** The function: the access key id that signed, or of temporary credentials the one that asked for them. */
  readonly caller: string;
  /** ARN of the role that the caller assumed for this call. */
  readonly role?: string;
  readonly request: WireRequest;
  answer?: Answer;
  /** What was done to it. */
  fault?: Fault;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** `answer`: the server never sees the call. `cut`: the line breaks, before or after the server did the work. */
export type Fault =
  | { readonly kind: 'answer'; readonly answer: Answer }
  | { readonly kind: 'cut'; readonly when: 'before' | 'after' }
  /** Real milliseconds that the answer takes longer. */
  | { readonly kind: 'delay'; readonly millis: number }
  /** Passes the server's answer on otherwise than it was given. */
  | { readonly kind: 'change'; readonly change: (answer: Answer) => Answer };

type Decide = (call: AwsCall) => Fault | undefined;

export interface AwsProxy {
  readonly endpoint: string;
  /** All calls, in the order in which they came. */
  readonly calls: readonly AwsCall[];
  /** Asks for each call what to do to it; the first that decides is followed. @returns undoes it */
  spoil(decide: Decide): () => void;
  close(): Promise<void>;
}

/** @param upstream endpoint that serves a call */
export async function startProxy(upstream: (call: AwsCall) => string): Promise<AwsProxy> {
  const calls: AwsCall[] = [];
  const deciders = new Set<Decide>();
  const sessions = new Map<string, { readonly caller: string; readonly role: string }>();

  const take = async (incoming: IncomingMessage, response: ServerResponse) => {
    const request: WireRequest = {
      method: incoming.method ?? 'GET',
      url: incoming.url ?? '/',
      headers: incoming.headers,
      body: await bodyOf(incoming),
    };
    const { key, ...asked } = readCall(request);
    const call: AwsCall = { ...asked, ...(sessions.get(key) ?? { caller: key }), request };
    calls.push(call);
    const fault = first(deciders, call);
    if (fault) call.fault = fault;
    if (fault?.kind === 'cut' && fault.when === 'before') return void response.destroy();
    call.answer = fault?.kind === 'answer' ? fault.answer : await pass(upstream(call), request);
    if (call.operation === 'AssumeRole') {
      call.answer = onCallersClock(call.answer, request);
      rememberSession(sessions, call);
    }
    if (fault?.kind === 'cut') return void response.destroy();
    if (fault?.kind === 'delay') await sleep(fault.millis);
    const told = fault?.kind === 'change' ? fault.change(call.answer) : call.answer;
    response.writeHead(told.status, {
      ...told.headers,
      'content-length': told.body.length,
      ...sameClock(request),
    });
    response.end(request.method === 'HEAD' ? undefined : told.body);
  };

  const server = createServer((incoming, response) => {
    take(incoming, response).catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    // An address and no name: for that the S3 client puts the bucket into the path by itself.
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    spoil(decide) {
      deciders.add(decide);
      return () => deciders.delete(decide);
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Account whose credentials signed the call. @param home of those who assumed no role */
export function accountOfCall({ role }: Pick<AwsCall, 'role'>, home: string): string {
  return role?.split(':')[4] ?? home;
}

/** An answer in the words of the JSON protocols: of DynamoDB, SSM, Step Functions and SQS. */
export function jsonError(status: number, type: string, message = 'as the test says'): Answer {
  return {
    status,
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-errortype': type },
    body: Buffer.from(JSON.stringify({ __type: type, message })),
  };
}

/**
 * The server's clock is the caller's, which is that of a campaign and skips ahead: the SDK takes a difference of five
 * minutes for a skew of its clock, and repeats every call that was refused.
 */
function sameClock(request: WireRequest): { date?: string } {
  const at = signedAt(request);
  return at === undefined ? {} : { date: new Date(at).toUTCString() };
}

/** What STS gives when nothing else is asked for. */
const sessionMillis = 3_600_000;

/** Credentials that end by another clock would be old when they come, or never be renewed. */
function onCallersClock(answer: Answer, request: WireRequest): Answer {
  const at = signedAt(request);
  if (at === undefined) return answer;
  const text = answer.body.toString('utf8');
  const until = new Date(at + sessionMillis).toISOString();
  return {
    ...answer,
    body: Buffer.from(text.replace(/<Expiration>[^<]*</, `<Expiration>${until}<`)),
  };
}

/** Epoch milliseconds, by the caller's clock; undefined of a request that does not say. */
function signedAt({ headers }: WireRequest): number | undefined {
  const at = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(String(headers['x-amz-date']));
  if (at === null) return undefined;
  const [year = 0, month = 0, ...rest] = at.slice(1).map(Number);
  return Date.UTC(year, month - 1, ...rest);
}

function first(deciders: Iterable<Decide>, call: AwsCall): Fault | undefined {
  for (const decide of deciders) {
    const fault = decide(call);
    if (fault) return fault;
  }
  return undefined;
}

function rememberSession(sessions: Map<string, { caller: string; role: string }>, call: AwsCall): void {
  const key = /<AccessKeyId>([^<]+)</.exec(call.answer?.body.toString('utf8') ?? '')?.[1];
  if (key) sessions.set(key, { caller: call.caller, role: String(call.input.RoleArn) });
}

function pass(endpoint: string, { method, url, headers, body }: WireRequest): Promise<Answer> {
  // The body is here already, whole.
  const { expect: _, 'transfer-encoding': __, connection: ___, ...kept } = headers;
  return new Promise((resolve, reject) => {
    const passed = httpRequest(
      new URL(url, endpoint),
      { method, headers: { ...kept, 'content-length': body.length } },
      (answer) => {
        const { 'transfer-encoding': _, connection: __, ...headers } = answer.headers;
        bodyOf(answer).then(
          (content) => resolve({ status: answer.statusCode ?? 500, headers, body: content }),
          reject,
        );
      },
    );
    passed.once('error', reject);
    passed.end(body);
  });
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
