/** Owns the S3 that servers reach: GET, HEAD and PUT of objects, allowed as their role's policy allows it on AWS. */
import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { DateTime } from 'luxon';
import type { Objects } from '../../../core/ports.ts';
import { backupPrefix, serverPrefix } from '../../../core/result-object.ts';
import type { FaultSource } from './endpoint-faults.ts';
import type { EndpointClock, EndpointServer, RoleSessions } from './role-credentials.ts';
import { S3Error } from './s3-error.ts';
import { decoded, verifySignature } from './signature.ts';

export interface S3Request {
  readonly serverId: string;
  readonly method: string;
  /** Absent when the connection was cut instead of an answer. */
  readonly status?: number;
}

export interface S3EndpointOptions {
  /** The campaign bucket. */
  readonly objects: Objects;
  /** The backup bucket, which servers may write to and not read. */
  readonly backups: Objects | undefined;
  readonly clock: EndpointClock;
  readonly sessions: RoleSessions;
  readonly faults: FaultSource;
  readonly onRequest: (request: S3Request) => void;
}

/** What a server sends is a log and a plan; a larger body is a mistake that should not fill this machine. */
const largestBody = 64 * 1024 * 1024;

const plainHeaders =
  /^x-amz-(date|content-sha256|security-token|user-agent|acl|checksum-.+|sdk-.+|server-side-encryption)$/;

/** @param server whose network the request comes from; what is allowed depends on who signed */
export function createS3Listener(options: S3EndpointOptions, server: EndpointServer): RequestListener {
  const { faults, clock, onRequest } = options;
  return async (request, response) => {
    const method = request.method ?? 'GET';
    const body = await bodyOf(request);
    // The server is gone: there is nobody to answer.
    if (body === 'broken off') return;
    await sleep(faults.delayOf(server.id, method));
    const fault = faults.take(server.id, method);
    const cut = () => {
      onRequest({ serverId: server.id, method });
      request.socket.destroy();
    };
    if (fault === 'cut') return cut();
    const requestId = randomBytes(8).toString('hex').toUpperCase();
    response.setHeader('x-amz-request-id', requestId);
    response.setHeader('Server', 'AmazonS3');
    response.setHeader('Date', DateTime.fromMillis(clock.now()).toHTTP() ?? '');
    try {
      if (fault === 'InternalError')
        throw new S3Error(fault, 'We encountered an internal error. Please try again.');
      if (fault === 'SlowDown') throw new S3Error(fault, 'Please reduce your request rate.');
      const content = await serve(options, request, method, body, response);
      if (fault === 'lost-answer') return cut();
      response.setHeader('Content-Length', content.byteLength);
      response.end(method === 'HEAD' ? undefined : content);
    } catch (error) {
      const refusal =
        error instanceof S3Error
          ? error
          : new S3Error('InternalError', `the endpoint failed: ${String(error)}`);
      response.statusCode = refusal.status;
      response.setHeader('Content-Type', 'application/xml');
      response.end(method === 'HEAD' ? undefined : refusal.toXml(request.url ?? '/', requestId));
    }
    onRequest({ serverId: server.id, method, status: response.statusCode });
  };
}

async function serve(
  { objects, backups, clock, sessions }: S3EndpointOptions,
  request: IncomingMessage,
  method: string,
  body: Buffer | 'too large',
  response: ServerResponse,
): Promise<Uint8Array> {
  const url = request.url ?? '/';
  const context = { sessions, region: objects.region, now: clock.now() };
  const { server, payloadHash } = verifySignature({ method, url, rawHeaders: request.rawHeaders }, context);
  refuseTheUnknown(request, method, url);
  if (body === 'too large') {
    throw new S3Error('EntityTooLarge', `this endpoint takes bodies up to ${largestBody} bytes`);
  }
  if (createHash('sha256').update(body).digest('hex') !== payloadHash) {
    throw new S3Error(
      'XAmzContentSHA256Mismatch',
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
    );
  }
  const { bucket, key } = addressOf(url);
  const store = [objects, backups].find((one) => one?.bucket === bucket);
  if (!store) {
    throw new S3Error('NoSuchBucket', 'The specified bucket does not exist', { BucketName: bucket });
  }
  const kind = store === objects ? 'campaigns' : 'backups';
  if (method === 'PUT') {
    authorize(server, 's3:PutObject', kind, key, bucket);
    if (request.headers['content-length'] === undefined) {
      throw new S3Error('MissingContentLength', 'You must provide the Content-Length HTTP header.');
    }
    confirmChecksum(request, body, response);
    await store.put(key, body);
    response.setHeader('ETag', etagOf(body));
    return new Uint8Array();
  }
  authorize(server, 's3:GetObject', kind, key, bucket);
  const content = await store.get(key);
  // The role may not list the bucket, and so S3 does not tell it whether the object exists.
  if (content === undefined) throw denied(server, 's3:ListBucket', '', bucket);
  response.setHeader('ETag', etagOf(content));
  response.setHeader('Content-Type', 'binary/octet-stream');
  return content;
}

/** S3 checks what the client says of the body, and says so in its answer. */
function confirmChecksum(request: IncomingMessage, body: Buffer, response: ServerResponse): void {
  const said = request.headers['x-amz-checksum-sha256'];
  if (said === undefined) return;
  if (typeof said !== 'string' || !/^[A-Za-z0-9+/]{43}=$/.test(said)) {
    throw new S3Error('InvalidRequest', 'Value for x-amz-checksum-sha256 header is invalid.');
  }
  if (createHash('sha256').update(body).digest('base64') !== said) {
    throw new S3Error('BadDigest', 'The SHA256 you specified did not match the calculated checksum.');
  }
  response.setHeader('x-amz-checksum-sha256', said);
}

/** The policy of the servers' role: read orders and hooks, write under one's own prefix, nothing else. */
function authorize(
  server: EndpointServer,
  action: 's3:GetObject' | 's3:PutObject',
  kind: 'campaigns' | 'backups',
  key: string,
  bucket: string,
): void {
  const allowed = {
    campaigns: { 's3:GetObject': ['orders/', 'hooks/'], 's3:PutObject': [`${serverPrefix(server)}/`] },
    backups: { 's3:GetObject': [], 's3:PutObject': [`${backupPrefix(server)}/`] },
  }[kind][action];
  if (!allowed.some((prefix) => key.startsWith(prefix))) throw denied(server, action, `/${key}`, bucket);
}

function denied(server: EndpointServer, action: string, path: string, bucket: string): S3Error {
  return new S3Error(
    'AccessDenied',
    `the role of ${server.id} is not authorized to perform: ${action} on resource: "arn:aws:s3:::${bucket}${path}"`,
  );
}

/** An endpoint that quietly ignored what it does not know would let a script pass here and fail on AWS. */
function refuseTheUnknown(request: IncomingMessage, method: string, url: string): void {
  if (!['GET', 'HEAD', 'PUT'].includes(method)) {
    throw new S3Error('MethodNotAllowed', 'The specified method is not allowed against this resource.', {
      Method: method,
    });
  }
  const query = url.split('?')[1] ?? '';
  // SDKs name the operation so.
  if (query !== '' && !/^x-id=(GetObject|PutObject|HeadObject)$/.test(query)) {
    throw new S3Error('NotImplemented', `this endpoint knows no query ${query}`);
  }
  const unknown = Object.keys(request.headers).find(
    (name) => name === 'range' || (name.startsWith('x-amz-') && !plainHeaders.test(name)),
  );
  if (unknown !== undefined) {
    throw new S3Error(
      'NotImplemented',
      'A header you provided implies functionality that is not implemented.',
      {
        Header: unknown,
      },
    );
  }
}

function addressOf(url: string): { bucket: string; key: string } {
  const [, name = '', ...parts] = (url.split('?')[0] ?? '').split('/');
  const key = parts.map(decoded).join('/');
  if (key === '')
    throw new S3Error('NotImplemented', 'this endpoint serves objects, and not the bucket itself');
  if (Buffer.byteLength(key) > 1024) throw new S3Error('KeyTooLongError', 'Your key is too long');
  return { bucket: decoded(name), key };
}

function etagOf(content: Uint8Array): string {
  return `"${createHash('md5').update(content).digest('hex')}"`;
}

/** Reads a body to its end, also where it is too large to keep: an answer before that would be lost. */
async function bodyOf(request: IncomingMessage): Promise<Buffer | 'too large' | 'broken off'> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size <= largestBody) chunks.push(chunk);
    }
  } catch {
    return 'broken off';
  }
  return size > largestBody ? 'too large' : Buffer.concat(chunks);
}
