import { createHash } from 'node:crypto';
import { createServer, type RequestListener, type Server, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createEndpoints, type Endpoints } from '../../../../apps/local/aws/endpoints.ts';
import type { S3Request } from '../../../../apps/local/aws/s3-endpoint.ts';
import { createMemoryObjects } from '../../../../apps/local/memory-objects.ts';
import type { Objects } from '../../../../core/ports.ts';
import { backupPrefix, serverPrefix } from '../../../../core/result-object.ts';
import { type SdkCredentials, signLikeTheSdk } from '../../../support/sdk-signature.ts';

const place = { account: '123456789012', region: 'eu-central-1' };
const web = { id: 'i-0123456789abcdef0', place };
const other = { id: 'i-0fedcba9876543210', place };
const hybrid = { id: 'mi-0123456789abcdef0', place };
const minute = 60_000;

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

interface Message {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

let now: number;
let objects: Objects;
let backups: Objects;
let endpoints: Endpoints;
let seen: S3Request[];
let servers: Server[];

beforeEach(() => {
  now = Date.UTC(2026, 10, 21, 1, 0, 0);
  objects = createMemoryObjects('campaigns', 'eu-central-1');
  backups = createMemoryObjects('backups', 'eu-central-1');
  seen = [];
  servers = [];
  endpoints = createEndpoints({
    objects,
    backups,
    clock: { now: () => now },
    onRequest: (request) => seen.push(request),
  });
});
afterEach(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function listen(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

function call(port: number, { method = 'GET', path, headers = {}, body }: Message): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = send({ host: '127.0.0.1', port, method, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(chunks).toString(),
        }),
      );
    });
    request.on('error', reject);
    request.end(body);
  });
}

const metadataPort = (server: typeof web) => listen(endpoints.listenersFor(server).metadata);
const s3Port = (server: typeof web) => listen(endpoints.listenersFor(server).s3);

async function token(port: number, ttl = '60'): Promise<string> {
  const headers = { 'X-aws-ec2-metadata-token-ttl-seconds': ttl };
  return (await call(port, { method: 'PUT', path: '/latest/api/token', headers })).text;
}

/** As a server gets them: token, role name, credentials. */
async function roleCredentials(server: typeof web): Promise<SdkCredentials & { expiration: string }> {
  const port = await metadataPort(server);
  const headers = { 'X-aws-ec2-metadata-token': await token(port) };
  const folder = '/latest/meta-data/iam/security-credentials/';
  const role = await call(port, { path: folder, headers });
  const { text } = await call(port, { path: folder + role.text, headers });
  const parsed = JSON.parse(text);
  expect(parsed.Code).toBe('Success');
  return {
    accessKeyId: parsed.AccessKeyId,
    secretAccessKey: parsed.SecretAccessKey,
    sessionToken: parsed.Token,
    expiration: parsed.Expiration,
  };
}

interface Signing {
  readonly at?: number;
  readonly region?: string;
  readonly service?: string;
}

async function signed(port: number, message: Message, credentials: SdkCredentials, signing: Signing = {}) {
  const { at = now, region = 'eu-central-1', service = 's3' } = signing;
  const request = { method: 'GET', ...message, host: `127.0.0.1:${port}` };
  return { ...message, headers: await signLikeTheSdk(request, { credentials, region, service, at }) };
}

const encodedPath = (key: string, bucket = 'campaigns') =>
  `/${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`;

describe('instance metadata', () => {
  test('says nothing without a session token', async () => {
    const port = await metadataPort(web);
    expect((await call(port, { path: '/latest/meta-data/instance-id' })).status).toBe(401);
    const headers = { 'X-aws-ec2-metadata-token': 'made-up' };
    expect((await call(port, { path: '/latest/meta-data/instance-id', headers })).status).toBe(401);
  });

  test('tells a server who and where it is', async () => {
    const port = await metadataPort(web);
    const headers = { 'X-aws-ec2-metadata-token': await token(port) };
    const read = async (path: string) => (await call(port, { path: `/latest/${path}`, headers })).text;
    expect(await read('meta-data/instance-id')).toBe(web.id);
    expect(await read('meta-data/placement/region')).toBe('eu-central-1');
    expect(JSON.parse(await read('dynamic/instance-identity/document'))).toMatchObject({
      accountId: '123456789012',
      instanceId: web.id,
      region: 'eu-central-1',
    });
    expect((await call(port, { path: '/latest/meta-data/nothing', headers })).status).toBe(404);
  });

  test('a session token ends with its time to live, and is good for its server alone', async () => {
    const port = await metadataPort(web);
    const headers = { 'X-aws-ec2-metadata-token': await token(port, '60') };
    const status = async (at: number) =>
      (await call(at, { path: '/latest/meta-data/instance-id', headers })).status;
    expect(await status(port)).toBe(200);
    expect(await status(await metadataPort(other))).toBe(401);
    now += minute;
    expect(await status(port)).toBe(401);
  });

  test.each(['', '0', '21601', 'soon', '-1'])('a time to live of %j is a bad request', async (ttl) => {
    const headers = { 'X-aws-ec2-metadata-token-ttl-seconds': ttl };
    const port = await metadataPort(web);
    expect((await call(port, { method: 'PUT', path: '/latest/api/token', headers })).status).toBe(400);
  });

  test('a token is not given through a proxy, nor for a GET', async () => {
    const port = await metadataPort(web);
    const headers = { 'X-aws-ec2-metadata-token-ttl-seconds': '60' };
    const path = '/latest/api/token';
    const proxied = { ...headers, 'X-Forwarded-For': '10.0.0.1' };
    expect((await call(port, { method: 'PUT', path, headers: proxied })).status).toBe(403);
    expect((await call(port, { path, headers })).status).toBe(405);
  });

  test('credentials are renewed before they expire, and name the time at which they do', async () => {
    const first = await roleCredentials(web);
    expect(first.expiration).toBe('2026-11-21T07:00:00Z');
    now += 5 * 3600_000;
    expect((await roleCredentials(web)).accessKeyId).toBe(first.accessKeyId);
    now += 56 * minute;
    const second = await roleCredentials(web);
    expect(second.accessKeyId).not.toBe(first.accessKeyId);
    expect(second.expiration).toBe('2026-11-21T12:56:00Z');
  });

  test('two servers never share credentials', async () => {
    expect((await roleCredentials(web)).accessKeyId).not.toBe((await roleCredentials(other)).accessKeyId);
  });

  test('a hybrid node has none', async () => {
    expect(await token(await metadataPort(hybrid))).toContain('404');
  });
});

describe('S3 for servers', () => {
  let credentials: SdkCredentials;
  let port: number;
  beforeEach(async () => {
    credentials = await roleCredentials(web);
    port = await s3Port(web);
    await objects.put('orders/abc.txt', 'the order');
  });

  const get = async (message: Message, signing?: Signing, as: SdkCredentials = credentials) =>
    call(port, await signed(port, message, as, signing));
  const order = { path: '/campaigns/orders/abc.txt' };
  const ownKey = `${serverPrefix(web)}/campaign-1/prepare.gz`;
  const code = ({ status, text }: Answer) => [status, /<Code>(\w+)<\/Code>/.exec(text)?.[1]];

  test('a server reads an order', async () => {
    const answer = await get(order);
    expect([answer.status, answer.text]).toEqual([200, 'the order']);
    expect(answer.headers.etag).toBe(`"${createHash('md5').update('the order').digest('hex')}"`);
    expect(answer.headers.date).toBe('Sat, 21 Nov 2026 01:00:00 GMT');
    const head = await get({ ...order, method: 'HEAD' });
    expect([head.status, head.headers['content-length'], head.text]).toEqual([200, '9', '']);
  });

  test('a server writes under its own prefix, with the colons of an ARN in the key', async () => {
    const body = Uint8Array.from({ length: 3000 }, (_, index) => index % 256);
    expect((await get({ method: 'PUT', path: encodedPath(ownKey), body })).status).toBe(200);
    expect(await objects.get(ownKey)).toEqual(body);
  });

  test('colons on the wire count as colons encoded, as curl sends them', async () => {
    const message = await signed(port, { method: 'PUT', path: encodedPath(ownKey), body: 'x' }, credentials);
    expect((await call(port, { ...message, path: `/campaigns/${ownKey}` })).status).toBe(200);
    expect(await objects.get(ownKey)).toBeDefined();
  });

  test('any order that the SDK signs is read', async () => {
    const key = fc
      .string({ minLength: 1, maxLength: 12, unit: 'grapheme' })
      .map((name) => `orders/${name.replace(/[/.]/g, '-')}!'()*`);
    await fc.assert(
      fc.asyncProperty(key, fc.string(), async (name, content) => {
        await objects.put(name, content);
        const path = encodedPath(name).replace(
          /[!'()*]/g,
          (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
        );
        expect(await get({ path })).toMatchObject({ status: 200, text: content });
      }),
      { numRuns: 25 },
    );
  });

  test.each([
    ['writing for another server', 'PUT', `${serverPrefix(other)}/campaign-1/prepare.gz`],
    ['writing an order', 'PUT', 'orders/abc.txt'],
    ['writing beside its own prefix', 'PUT', `${serverPrefix(web)}0/prepare.gz`],
    ['reading its own results', 'GET', ownKey],
    ['reading anything else', 'GET', 'plans/abc'],
    ['reading an order that does not exist, as its role may not list', 'GET', 'orders/missing'],
  ])('%s is denied', async (_, method, key) => {
    await objects.put(ownKey, 'x');
    const answer = await get({ method, path: encodedPath(key), ...(method === 'PUT' && { body: 'forged' }) });
    expect(code(answer)).toEqual([403, 'AccessDenied']);
    expect(answer.text).toContain(`the role of ${web.id} is not authorized to perform: s3:`);
    expect(Buffer.from((await objects.get('orders/abc.txt')) ?? '').toString()).toBe('the order');
    expect(await objects.get(`${serverPrefix(other)}/campaign-1/prepare.gz`)).toBeUndefined();
  });

  describe('the backup bucket', () => {
    const key = `${backupPrefix(web)}/campaign-1/configuration.tar.gz`;
    const base64 = (text: string) => createHash('sha256').update(text).digest('base64');
    const put = (to: string, checksum = base64('an archive')) =>
      get({
        method: 'PUT',
        path: encodedPath(to, 'backups'),
        body: 'an archive',
        headers: { 'x-amz-checksum-sha256': checksum },
      });

    test('is written by a server under its own prefix, and S3 confirms the hash', async () => {
      const answer = await put(key);
      expect(answer.status).toBe(200);
      expect(answer.headers['x-amz-checksum-sha256']).toBe(base64('an archive'));
      expect(Buffer.from((await backups.get(key)) ?? '').toString()).toBe('an archive');
      expect(await objects.get(key)).toBeUndefined();
    });

    test('takes no body that is not what its checksum says', async () => {
      expect(code(await put(key, base64('another archive')))).toEqual([400, 'BadDigest']);
      expect(code(await put(key, 'no hash'))).toEqual([400, 'InvalidRequest']);
      expect(await backups.get(key)).toBeUndefined();
    });

    test('is never read by servers, and nothing else is written there', async () => {
      await put(key);
      expect(code(await get({ path: encodedPath(key, 'backups') }))).toEqual([403, 'AccessDenied']);
      for (const elsewhere of [`${backupPrefix(other)}/x`, ownKey, 'orders/abc.txt'])
        expect(code(await put(elsewhere))).toEqual([403, 'AccessDenied']);
      expect(
        code(await get({ method: 'PUT', path: encodedPath(key), body: 'in the campaign bucket' })),
      ).toEqual([403, 'AccessDenied']);
    });
  });

  test('a server reads hooks, and writes none', async () => {
    await objects.put('hooks/drain.sh', 'a hook');
    expect((await get({ path: '/campaigns/hooks/drain.sh' })).text).toBe('a hook');
    const message = { method: 'PUT', path: '/campaigns/hooks/drain.sh', body: 'forged' };
    expect(code(await get(message))).toEqual([403, 'AccessDenied']);
  });

  test('who signed counts, and not whose network it came through', async () => {
    const theirs = await roleCredentials(other);
    const message = { method: 'PUT', path: encodedPath(ownKey), body: 'forged' };
    expect(code(await get(message, {}, theirs))).toEqual([403, 'AccessDenied']);
  });

  test('a hybrid node signs with the credentials file of its agent', async () => {
    const file = endpoints.credentialsFile(hybrid);
    const read = (name: string) => new RegExp(`^${name}\\s*=\\s*(\\S+)$`, 'm').exec(file)?.[1] ?? '';
    const own = {
      accessKeyId: read('aws_access_key_id'),
      secretAccessKey: read('aws_secret_access_key'),
      sessionToken: read('aws_session_token'),
    };
    expect(file.startsWith('[default]\n')).toBe(true);
    const key = `${serverPrefix(hybrid)}/campaign-1/prepare.gz`;
    expect((await get({ method: 'PUT', path: encodedPath(key), body: 'x' }, {}, own)).status).toBe(200);
  });

  test.each([
    ['fifteen minutes slow', -15 * minute, 200],
    ['more than that slow', -15 * minute - 1000, 403],
    ['fifteen minutes fast', 15 * minute, 200],
    ['more than that fast', 15 * minute + 1000, 403],
  ])('a clock that is %s gets its answer', async (_, skew, status) => {
    const answer = await get(order, { at: now + skew });
    expect(answer.status).toBe(status);
    if (status === 403) {
      expect(code(answer)).toEqual([403, 'RequestTimeTooSkewed']);
      expect(answer.text).toContain('<ServerTime>2026-11-21T01:00:00Z</ServerTime>');
      expect(answer.text).toContain('<MaxAllowedSkewMilliseconds>900000</MaxAllowedSkewMilliseconds>');
    }
  });

  test.each<[string, Partial<SdkCredentials>, number, string]>([
    ['a wrong secret', { secretAccessKey: 'guessed' }, 403, 'SignatureDoesNotMatch'],
    ['an unknown key', { accessKeyId: 'ASIA0000000000000000' }, 403, 'InvalidAccessKeyId'],
    ['a wrong session token', { sessionToken: 'guessed' }, 400, 'InvalidToken'],
  ])('%s is refused', async (_, wrong, status, expected) => {
    expect(code(await get(order, {}, { ...credentials, ...wrong }))).toEqual([status, expected]);
  });

  test('a temporary key without its session token is not known', async () => {
    const { accessKeyId, secretAccessKey } = credentials;
    expect(code(await get(order, {}, { accessKeyId, secretAccessKey }))).toEqual([403, 'InvalidAccessKeyId']);
  });

  test('credentials that have expired are refused', async () => {
    now += 6 * 3600_000;
    expect(code(await get(order))).toEqual([400, 'ExpiredToken']);
  });

  test('no signature, no answer', async () => {
    expect(code(await call(port, order))).toEqual([403, 'AccessDenied']);
    const headers = { authorization: 'AWS4-HMAC-SHA256 Credential=half' };
    expect(code(await call(port, { ...order, headers }))).toEqual([400, 'AuthorizationHeaderMalformed']);
  });

  test('another Region in the signature is told the right one', async () => {
    const answer = await get(order, { region: 'us-east-1' });
    expect(code(answer)).toEqual([400, 'AuthorizationHeaderMalformed']);
    expect(answer.text).toContain('<Region>eu-central-1</Region>');
    expect(code(await get(order, { service: 'ec2' }))).toEqual([400, 'AuthorizationHeaderMalformed']);
  });

  test('nothing that was signed can be changed on the way', async () => {
    const put = await signed(port, { method: 'PUT', path: encodedPath(ownKey), body: 'mine' }, credentials);
    const changed: [Message, string][] = [
      [{ ...put, body: 'altered' }, 'XAmzContentSHA256Mismatch'],
      [{ ...put, path: encodedPath(`${ownKey}x`) }, 'SignatureDoesNotMatch'],
      [{ ...put, path: `${encodedPath(ownKey)}?x-id=PutObject` }, 'SignatureDoesNotMatch'],
      [{ ...put, method: 'POST' }, 'SignatureDoesNotMatch'],
      [{ ...put, headers: { ...put.headers, 'x-amz-acl': 'public-read' } }, 'AccessDenied'],
      [{ ...put, headers: { ...put.headers, host: 'elsewhere' } }, 'SignatureDoesNotMatch'],
    ];
    for (const [message, expected] of changed) expect(code(await call(port, message))[1]).toBe(expected);
    expect(await objects.get(ownKey)).toBeUndefined();
    expect((await call(port, put)).status).toBe(200);
  });

  test('a body that is not part of the signature is refused', async () => {
    const headers = { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' };
    const message = { method: 'PUT', path: encodedPath(ownKey), body: 'mine', headers };
    expect(code(await get(message))).toEqual([403, 'AccessDenied']);
  });

  test.each<[string, Message, string]>([
    ['a method', { ...order, method: 'DELETE' }, 'MethodNotAllowed'],
    ['a query', { path: `${order.path}?acl=` }, 'NotImplemented'],
    ['a header', { ...order, headers: { 'x-amz-copy-source': '/a/b' } }, 'NotImplemented'],
    ['a range', { ...order, headers: { range: 'bytes=0-1' } }, 'NotImplemented'],
    ['a bucket', { path: '/elsewhere/orders/abc.txt' }, 'NoSuchBucket'],
    ['an encoding', { path: '/campaigns/orders/%zz' }, 'InvalidURI'],
  ])('%s that it does not know is refused, and not ignored', async (_, message, expected) => {
    expect(code(await get(message))[1]).toBe(expected);
  });

  test('the query by which an SDK names its operation is not in the way', async () => {
    expect((await get({ path: `${order.path}?x-id=GetObject` })).status).toBe(200);
  });

  test('errors are XML that shell scripts can search, also where they quote the request', async () => {
    const answer = await get({ path: '/campaigns/orders/%3C%26%3E' });
    expect(answer.headers['content-type']).toBe('application/xml');
    expect(answer.text).toMatch(
      /^<\?xml version="1.0" encoding="UTF-8"\?>\n<Error><Code>AccessDenied<\/Code><Message>/,
    );
    expect(answer.text).toContain(`<RequestId>${answer.headers['x-amz-request-id']}</RequestId></Error>`);
    expect(answer.text).not.toContain('<&>');
  });

  test('faults befall the requests they are meant for, and then end', async () => {
    endpoints.faults.failNext(1, 'SlowDown', { serverId: other.id });
    endpoints.faults.failNext(1, 'InternalError', { serverId: web.id, method: 'GET' });
    endpoints.faults.failNext(1, 'SlowDown');
    expect(code(await get(order))).toEqual([500, 'InternalError']);
    expect(code(await get(order))).toEqual([503, 'SlowDown']);
    expect((await get(order)).status).toBe(200);
    endpoints.faults.clear();
  });

  test('a line can be cut before the work, or after it', async () => {
    const put = { method: 'PUT', path: encodedPath(ownKey), body: 'x' };
    endpoints.faults.failNext(1, 'cut');
    await expect(get(put)).rejects.toThrow(/socket hang up|ECONNRESET/);
    expect(await objects.get(ownKey)).toBeUndefined();
    endpoints.faults.failNext(1, 'lost-answer');
    await expect(get(put)).rejects.toThrow(/socket hang up|ECONNRESET/);
    expect(await objects.get(ownKey)).toBeDefined();
    expect(seen.map(({ status }) => status)).toEqual([undefined, undefined]);
  });

  test('each request is told once, with its server and status', async () => {
    await get(order);
    await get({ method: 'PUT', path: encodedPath('orders/abc.txt'), body: 'x' });
    expect(seen).toEqual([
      { serverId: web.id, method: 'GET', status: 200 },
      { serverId: web.id, method: 'PUT', status: 403 },
    ]);
  });
});
