/** Owns how AWS fails, service by service: in the words that its clients read, at the moments that make a difference. */
import type { Answer, Fault } from '../proxy.ts';

/**
 * What happens to a call. `lost`: the service did the work and its answer never comes. `cut`: the connection is reset
 * before the service sees the call. `expired`: the credentials are refused, once; the next call has fresh ones.
 */
export const faultKinds = ['throttled', 'failed', 'expired', 'cut', 'lost'] as const;

export type FaultKind = (typeof faultKinds)[number];

interface Failing {
  readonly status: number;
  readonly code: string;
}

interface Service {
  /** How it writes errors. */
  readonly write: (failing: Failing) => Answer;
  readonly throttled: Failing;
  readonly failed: Failing;
  readonly expired: Failing;
}

const message = 'as the test has it';

const json =
  (version: '1.0' | '1.1') =>
  ({ status, code }: Failing): Answer => ({
    status,
    headers: { 'content-type': `application/x-amz-json-${version}` },
    body: Buffer.from(JSON.stringify({ __type: code, message })),
  });

const xml =
  (wrap: (error: string) => string) =>
  ({ status, code }: Failing): Answer => ({
    status,
    headers: { 'content-type': 'text/xml' },
    body: Buffer.from(wrap(`<Code>${code}</Code><Message>${message}</Message>`)),
  });

const query = xml(
  (error) =>
    `<ErrorResponse><Error><Type>Sender</Type>${error}</Error><RequestId>request</RequestId></ErrorResponse>`,
);

const expiredToken = { status: 400, code: 'ExpiredTokenException' };

/** By the name that signatures give a service; one that is not here fails the test that calls it. */
const services: Readonly<Record<string, Service>> = {
  dynamodb: {
    write: json('1.0'),
    throttled: { status: 400, code: 'ProvisionedThroughputExceededException' },
    failed: { status: 500, code: 'InternalServerError' },
    expired: expiredToken,
  },
  ssm: {
    write: json('1.1'),
    throttled: { status: 400, code: 'ThrottlingException' },
    failed: { status: 500, code: 'InternalServerError' },
    expired: expiredToken,
  },
  states: {
    write: json('1.0'),
    throttled: { status: 400, code: 'ThrottlingException' },
    failed: { status: 503, code: 'ServiceUnavailable' },
    expired: expiredToken,
  },
  scheduler: {
    write: ({ status, code }) => ({
      status,
      headers: { 'content-type': 'application/json', 'x-amzn-errortype': code },
      body: Buffer.from(JSON.stringify({ Message: message })),
    }),
    throttled: { status: 429, code: 'ThrottlingException' },
    failed: { status: 500, code: 'InternalServerException' },
    expired: { status: 403, code: 'ExpiredTokenException' },
  },
  s3: {
    write: xml((error) => `<?xml version="1.0" encoding="UTF-8"?><Error>${error}</Error>`),
    throttled: { status: 503, code: 'SlowDown' },
    failed: { status: 500, code: 'InternalError' },
    expired: { status: 400, code: 'ExpiredToken' },
  },
  sns: {
    write: query,
    throttled: { status: 400, code: 'Throttling' },
    failed: { status: 500, code: 'InternalFailure' },
    expired: { status: 403, code: 'ExpiredToken' },
  },
  sts: {
    write: query,
    throttled: { status: 400, code: 'Throttling' },
    failed: { status: 500, code: 'InternalFailure' },
    expired: { status: 403, code: 'ExpiredToken' },
  },
  // CloudWatch, by the name with which it is signed.
  monitoring: {
    write: json('1.0'),
    throttled: { status: 400, code: 'ThrottlingException' },
    failed: { status: 500, code: 'InternalServiceFault' },
    expired: expiredToken,
  },
  ec2: {
    write: xml((error) => `<Response><Errors><Error>${error}</Error></Errors></Response>`),
    throttled: { status: 503, code: 'RequestLimitExceeded' },
    failed: { status: 500, code: 'InternalError' },
    expired: { status: 400, code: 'RequestExpired' },
  },
};

const denied: Readonly<Record<string, Failing>> = {
  sts: { status: 403, code: 'AccessDenied' },
  ssm: { status: 400, code: 'AccessDeniedException' },
  ec2: { status: 403, code: 'UnauthorizedOperation' },
};

/** What is said to those whom the policies of another account do not let in, or not any more. */
export function denialOf(service: string): Fault {
  const [words, failing] = [services[service], denied[service]];
  if (words === undefined || failing === undefined)
    throw new Error(`service ${service}: say in fault-kinds.ts how it denies`);
  return { kind: 'answer', answer: words.write(failing) };
}

export function faultOf(kind: FaultKind, service: string): Fault {
  if (kind === 'cut') return { kind: 'cut', when: 'before' };
  if (kind === 'lost') return { kind: 'cut', when: 'after' };
  const words = services[service];
  if (words === undefined) throw new Error(`service ${service}: say in fault-kinds.ts how it fails`);
  return { kind: 'answer', answer: words.write(words[kind]) };
}
