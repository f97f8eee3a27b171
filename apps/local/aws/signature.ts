/** Owns the check of AWS signatures, version 4, as S3 makes it: who signed, when, and whether every byte is meant. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { DateTime } from 'luxon';
import { awsTime, type EndpointServer, type RoleSessions } from './role-credentials.ts';
import { S3Error } from './s3-error.ts';

export interface SignedRequest {
  readonly method: string;
  /** Path and query as they came over the wire. */
  readonly url: string;
  /** Names and values in turn, as `IncomingMessage.rawHeaders` gives them. */
  readonly rawHeaders: readonly string[];
}

export interface SignatureContext {
  readonly sessions: RoleSessions;
  readonly region: string;
  readonly now: number;
}

/** S3 allows fifteen minutes between its clock and the signer's. */
const largestSkew = 15 * 60_000;

const authorizationForm =
  /^AWS4-HMAC-SHA256\s+Credential=([^/,\s]+)\/(\d{8})\/([^/,\s]+)\/([^/,\s]+)\/aws4_request,\s*SignedHeaders=([a-z0-9;-]+),\s*Signature=([0-9a-f]{64})$/;

/**
 * @returns the server whose role signed, and the hash that the body must have
 * @throws S3Error as S3 would answer
 */
export function verifySignature(
  request: SignedRequest,
  { sessions, region, now }: SignatureContext,
): { server: EndpointServer; payloadHash: string } {
  const headers = headersOf(request.rawHeaders);
  const authorization = headers.get('authorization');
  if (authorization === undefined) throw new S3Error('AccessDenied', 'Access Denied');
  const form = authorizationForm.exec(authorization);
  if (!form) {
    throw new S3Error(
      'AuthorizationHeaderMalformed',
      'The authorization header that you provided is not valid.',
    );
  }
  const [, accessKeyId, day, scopeRegion, service, signedHeaders, signature] = form as unknown as string[];
  const time = headers.get('x-amz-date') ?? '';
  const signedAt = DateTime.fromFormat(time, "yyyyMMdd'T'HHmmss'Z'", { zone: 'utc' });
  if (!signedAt.isValid) {
    throw new S3Error('AccessDenied', 'AWS authentication requires a valid Date or x-amz-date header');
  }
  if (service !== 's3' || day !== time.slice(0, 8)) {
    throw new S3Error(
      'AuthorizationHeaderMalformed',
      `the scope ${day}/${service} is not ${time.slice(0, 8)}/s3`,
    );
  }
  if (scopeRegion !== region) {
    throw new S3Error(
      'AuthorizationHeaderMalformed',
      `The authorization header is malformed; the region '${scopeRegion}' is wrong; expecting '${region}'`,
      { Region: region },
    );
  }
  const { server, credentials } = holder(sessions, accessKeyId as string, headers, now);
  if (Math.abs(now - signedAt.toMillis()) > largestSkew) {
    throw new S3Error(
      'RequestTimeTooSkewed',
      'The difference between the request time and the current time is too large.',
      { RequestTime: time, ServerTime: awsTime(now), MaxAllowedSkewMilliseconds: String(largestSkew) },
    );
  }
  const payloadHash = payloadHashOf(headers);
  const signed = (signedHeaders as string).split(';');
  requireSigned(signed, headers);
  const canonical = [
    request.method,
    ...canonicalTarget(request.url),
    ...signed.map((name) => `${name}:${headers.get(name) ?? ''}`),
    '',
    signedHeaders,
    payloadHash,
  ].join('\n');
  const scope = `${day}/${region}/s3/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', time, scope, createHash('sha256').update(canonical).digest('hex')].join(
    '\n',
  );
  const key = [day, region, 's3', 'aws4_request'].reduce<string | Buffer>(
    (secret, part) =>
      createHmac('sha256', secret)
        .update(part as string)
        .digest(),
    `AWS4${credentials.secretAccessKey}`,
  );
  const expected = createHmac('sha256', key).update(toSign).digest();
  if (!timingSafeEqual(expected, Buffer.from(signature as string, 'hex'))) {
    throw new S3Error(
      'SignatureDoesNotMatch',
      'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
      { AWSAccessKeyId: accessKeyId as string, StringToSign: toSign, CanonicalRequest: canonical },
    );
  }
  return { server, payloadHash };
}

function holder(
  sessions: RoleSessions,
  accessKeyId: string,
  headers: ReadonlyMap<string, string>,
  now: number,
) {
  const found = sessions.holderOf(accessKeyId);
  if (!found) {
    throw new S3Error(
      'InvalidAccessKeyId',
      'The AWS Access Key Id you provided does not exist in our records.',
      {
        AWSAccessKeyId: accessKeyId,
      },
    );
  }
  const token = headers.get('x-amz-security-token');
  // Without its token a temporary key is not known at all.
  if (token === undefined) {
    throw new S3Error(
      'InvalidAccessKeyId',
      'The AWS Access Key Id you provided does not exist in our records.',
      {
        AWSAccessKeyId: accessKeyId,
      },
    );
  }
  if (token !== found.credentials.sessionToken) {
    throw new S3Error('InvalidToken', 'The provided token is malformed or otherwise invalid.');
  }
  if (found.credentials.expiresAt <= now)
    throw new S3Error('ExpiredToken', 'The provided token has expired.');
  return found;
}

/** A body that is not signed could be changed on its way: refused, as the bucket's policy does. */
function payloadHashOf(headers: ReadonlyMap<string, string>): string {
  const hash = headers.get('x-amz-content-sha256');
  if (hash === undefined) {
    throw new S3Error('MissingSecurityHeader', 'Your request was missing a required header', {
      MissingHeaderName: 'x-amz-content-sha256',
    });
  }
  if (!/^[0-9a-f]{64}$/.test(hash)) {
    throw new S3Error('AccessDenied', `the bucket's policy wants the body signed, and not ${hash}`);
  }
  return hash;
}

function requireSigned(signed: readonly string[], headers: ReadonlyMap<string, string>): void {
  const unsigned = ['host', ...[...headers.keys()].filter((name) => name.startsWith('x-amz-'))].filter(
    (name) => !signed.includes(name),
  );
  if (unsigned.length > 0) {
    throw new S3Error('AccessDenied', 'There were headers present in the request which were not signed', {
      HeadersNotSigned: unsigned.join(', '),
    });
  }
  if (signed.join() !== signed.toSorted().join()) {
    throw new S3Error(
      'AuthorizationHeaderMalformed',
      'the signed headers are not in the order of their names',
    );
  }
}

/** Path and query, each part encoded once, whichever way it came over the wire. */
function canonicalTarget(url: string): [string, string] {
  const [path = '', query = ''] = url.split(/\?(.*)/s);
  const parameters = query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const [name = '', value = ''] = pair.split(/=(.*)/s);
      return `${recode(name)}=${recode(value)}`;
    });
  return [path.split('/').map(recode).join('/'), parameters.toSorted().join('&')];
}

function recode(part: string): string {
  return encodeURIComponent(decoded(part)).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** @throws S3Error InvalidURI */
export function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new S3Error('InvalidURI', "Couldn't parse the specified URI.");
  }
}

/** Lower-case names; values of one name joined, and spaces folded, as they are signed. */
function headersOf(rawHeaders: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] as string).toLowerCase();
    const value = (rawHeaders[index + 1] as string).trim().replace(/ +/g, ' ');
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before},${value}`);
  }
  return headers;
}
