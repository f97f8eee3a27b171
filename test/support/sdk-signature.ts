/** Owns signing as the AWS SDK does it, for tests to compare with. */
import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';

export interface SdkCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface SdkRequest {
  readonly method: string;
  /** With the port, if it is not the usual one. */
  readonly host: string;
  /** As it goes over the wire, with its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export interface SdkSigning {
  readonly credentials: SdkCredentials;
  readonly region: string;
  readonly service?: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

type Chunk = string | ArrayBuffer | ArrayBufferView;

/** The hash that the SDK's signer asks its platform for. */
class Sha256 {
  readonly #hash: Hash | Hmac;

  constructor(secret?: Chunk) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytes(secret));
  }

  update(chunk: Chunk): void {
    this.#hash.update(bytes(chunk));
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): never {
    throw new Error('the signer was not known to reset its hashes');
  }
}

function bytes(chunk: Chunk): string | Uint8Array {
  if (typeof chunk === 'string') return chunk;
  return ArrayBuffer.isView(chunk)
    ? new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    : new Uint8Array(chunk);
}

/** @returns the headers to send, `authorization` among them */
export async function signLikeTheSdk(
  request: SdkRequest,
  signing: SdkSigning,
): Promise<Record<string, string>> {
  const { credentials, region, service = 's3', at } = signing;
  // S3 encodes paths once, all other services twice.
  const signer = new SignatureV4({
    credentials,
    region,
    service,
    sha256: Sha256,
    uriEscapePath: service !== 's3',
  });
  const [path = '', query] = request.path.split('?');
  const signed = await signer.sign(
    {
      method: request.method,
      protocol: 'http:',
      hostname: request.host,
      path,
      query: query === undefined ? {} : Object.fromEntries(new URLSearchParams(query)),
      headers: { host: request.host, ...request.headers },
      ...(request.body !== undefined && { body: request.body }),
    },
    { signingDate: new Date(at) },
  );
  return signed.headers;
}
