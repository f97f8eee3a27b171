/** Owns the instance metadata service, version 2 only: the session tokens, the role's credentials, who and where one is. */
import { randomBytes } from 'node:crypto';
import { type IncomingMessage, type RequestListener, STATUS_CODES } from 'node:http';
import { DateTime } from 'luxon';
import { awsTime, type EndpointClock, type EndpointServer, type RoleSessions } from './role-credentials.ts';

/** The name of the role that all embedded servers have. */
const roleName = 'quarterdeck-server';

const ttlHeader = 'x-aws-ec2-metadata-token-ttl-seconds';
/** Six hours, EC2's limit. */
const longestTtl = 21_600;

export function createMetadataListener(
  server: EndpointServer,
  sessions: RoleSessions,
  clock: EndpointClock,
): RequestListener {
  /** Session tokens and when they end. */
  const tokens = new Map<string, number>();

  return (request, response) => {
    request.resume();
    const { status, content, ttl } = reply(request, server, sessions, tokens, clock.now());
    const title = `${status} - ${STATUS_CODES[status]}`;
    const text =
      content ?? `<html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>\n`;
    response.writeHead(status, {
      Server: 'EC2ws',
      Date: DateTime.fromMillis(clock.now()).toHTTP() ?? '',
      'Content-Type': content === undefined ? 'text/html' : 'text/plain',
      'Content-Length': Buffer.byteLength(text),
      ...(ttl !== undefined && { [ttlHeader]: ttl }),
    });
    response.end(request.method === 'HEAD' ? undefined : text);
  };
}

interface Reply {
  readonly status: number;
  readonly content?: string;
  readonly ttl?: number;
}

function reply(
  request: IncomingMessage,
  server: EndpointServer,
  sessions: RoleSessions,
  tokens: Map<string, number>,
  now: number,
): Reply {
  // A hybrid node has no metadata service; its network would not even connect.
  if (server.id.startsWith('mi-')) return { status: 404 };
  const path = (request.url ?? '/').split('?')[0] ?? '/';
  if (path === '/latest/api/token') return tokenReply(request, tokens, now);
  if (request.method !== 'GET' && request.method !== 'HEAD') return { status: 405 };
  const ends = tokens.get(String(request.headers['x-aws-ec2-metadata-token'] ?? ''));
  if (ends === undefined || ends <= now) return { status: 401 };
  const content = read(path, server, sessions);
  return content === undefined ? { status: 404 } : { status: 200, content };
}

function tokenReply(request: IncomingMessage, tokens: Map<string, number>, now: number): Reply {
  if (request.method !== 'PUT') return { status: 405 };
  // A request that a proxy passed on is what version 2 is there to stop.
  if (request.headers['x-forwarded-for'] !== undefined) return { status: 403 };
  const asked = String(request.headers[ttlHeader] ?? '');
  const ttl = Number(asked);
  if (!/^\d{1,5}$/.test(asked) || ttl < 1 || ttl > longestTtl) return { status: 400 };
  for (const [token, ends] of tokens) if (ends <= now) tokens.delete(token);
  const token = randomBytes(42).toString('base64');
  tokens.set(token, now + ttl * 1000);
  return { status: 200, content: token, ttl };
}

function read(path: string, server: EndpointServer, sessions: RoleSessions): string | undefined {
  const { account, region } = server.place;
  switch (path) {
    case '/latest/meta-data/instance-id':
      return server.id;
    case '/latest/meta-data/placement/region':
      return region;
    case '/latest/meta-data/placement/availability-zone':
      return `${region}a`;
    case '/latest/meta-data/services/domain':
      return 'amazonaws.com';
    case '/latest/meta-data/services/partition':
      return 'aws';
    case '/latest/meta-data/iam/security-credentials':
    case '/latest/meta-data/iam/security-credentials/':
      return roleName;
    case `/latest/meta-data/iam/security-credentials/${roleName}`: {
      const credentials = sessions.credentialsOf(server);
      return json({
        Code: 'Success',
        LastUpdated: awsTime(credentials.issuedAt),
        Type: 'AWS-HMAC',
        AccessKeyId: credentials.accessKeyId,
        SecretAccessKey: credentials.secretAccessKey,
        Token: credentials.sessionToken,
        Expiration: awsTime(credentials.expiresAt),
      });
    }
    case '/latest/dynamic/instance-identity/document':
      return json({
        accountId: account,
        architecture: 'x86_64',
        availabilityZone: `${region}a`,
        instanceId: server.id,
        region,
        version: '2017-09-30',
      });
    default:
      return undefined;
  }
}

/** Indented as EC2 does it: scripts without jq read it line by line. */
function json(value: unknown): string {
  return JSON.stringify(value, null, 2).replaceAll('": ', '" : ');
}
