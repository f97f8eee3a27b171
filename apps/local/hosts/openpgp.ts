/** Throw-away OpenPGP keys that sign a generated repository, so that no gpg is needed on the machine. */
import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

export interface SigningKey {
  /** The public key as a binary keyring, as `signed-by` wants it. */
  readonly keyring: Buffer;
  /** The same as text, as `rpm --import` wants it. */
  readonly armoredKey: string;
  /** Forty hexadecimal digits. */
  readonly fingerprint: string;
  /** A binary signature of its own beside what it signs. */
  sign(content: Buffer, at: Date): Buffer;
  /** The same as text. */
  signArmored(content: Buffer, at: Date): string;
  /** Text with its signature around it: what an InRelease file is. */
  clearSign(text: string, at: Date): string;
}

// RFC 4880 with Ed25519 as GnuPG writes it: algorithm 22, curve named by its object identifier.
const EDDSA = 22;
const SHA256 = 8;
const ED25519_OID = Buffer.from('2b06010401da470f01', 'hex');
const SIGNATURE_PACKET = 2;
const KEY_PACKET = 6;
const USER_PACKET = 13;
const BINARY_DOCUMENT = 0x00;
const CANONICAL_TEXT = 0x01;
const POSITIVE_CERTIFICATION = 0x13;

const bytes = (...values: number[]) => Buffer.from(values);

function uint(value: number, size: 2 | 4): Buffer {
  const out = Buffer.alloc(size);
  out.writeUIntBE(value, 0, size);
  return out;
}

function multiPrecision(value: Buffer): Buffer {
  const start = value.findIndex((byte) => byte !== 0);
  const digits = value.subarray(start < 0 ? value.length : start);
  const first = digits[0] ?? 0;
  return Buffer.concat([uint(digits.length * 8 - (Math.clz32(first) - 24), 2), digits]);
}

const packet = (tag: number, body: Buffer) =>
  Buffer.concat([bytes(0x80 | (tag << 2) | 1), uint(body.length, 2), body]);

const subpacket = (type: number, body: Buffer) => Buffer.concat([bytes(body.length + 1, type), body]);

const seconds = (at: Date) => uint(Math.floor(at.getTime() / 1000), 4);

interface Identity {
  readonly privateKey: KeyObject;
  readonly fingerprint: Buffer;
}

function signature(identity: Identity, type: number, at: Date, signed: Buffer, extra: Buffer[] = []): Buffer {
  const hashed = Buffer.concat([
    subpacket(2, seconds(at)),
    subpacket(33, Buffer.concat([bytes(4), identity.fingerprint])),
    ...extra,
  ]);
  const head = Buffer.concat([bytes(4, type, EDDSA, SHA256), uint(hashed.length, 2), hashed]);
  const digest = createHash('sha256')
    .update(signed)
    .update(head)
    .update(bytes(4, 0xff))
    .update(uint(head.length, 4))
    .digest();
  const point = sign(null, digest, identity.privateKey);
  const issuer = subpacket(16, identity.fingerprint.subarray(-8));
  return packet(
    SIGNATURE_PACKET,
    Buffer.concat([
      head,
      uint(issuer.length, 2),
      issuer,
      digest.subarray(0, 2),
      multiPrecision(point.subarray(0, 32)),
      multiPrecision(point.subarray(32)),
    ]),
  );
}

function checksum(body: Buffer): string {
  let crc = 0xb704ce;
  for (const byte of body) {
    crc ^= byte << 16;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x800000 ? (crc << 1) ^ 0x1864cfb : crc << 1;
  }
  return uint(crc & 0xffffff, 4)
    .subarray(1)
    .toString('base64');
}

function armored(body: Buffer, kind = 'SIGNATURE'): string {
  const lines = body.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN PGP ${kind}-----\n\n${lines.join('\n')}\n=${checksum(body)}\n-----END PGP ${kind}-----\n`;
}

export function createSigningKey(owner: string, at: Date): SigningKey {
  const { privateKey } = generateKeyPairSync('ed25519');
  const raw = Buffer.from(createPublicKey(privateKey).export({ format: 'jwk' }).x ?? '', 'base64url');
  const keyBody = Buffer.concat([
    bytes(4),
    seconds(at),
    bytes(EDDSA, ED25519_OID.length),
    ED25519_OID,
    multiPrecision(Buffer.concat([bytes(0x40), raw])),
  ]);
  const framedKey = Buffer.concat([bytes(0x99), uint(keyBody.length, 2), keyBody]);
  const identity = { privateKey, fingerprint: createHash('sha1').update(framedKey).digest() };
  const user = Buffer.from(owner);
  const framedUser = Buffer.concat([bytes(0xb4), uint(user.length, 4), user]);
  const mayCertifyAndSign = subpacket(27, bytes(0x03));
  const certification = signature(
    identity,
    POSITIVE_CERTIFICATION,
    at,
    Buffer.concat([framedKey, framedUser]),
    [mayCertifyAndSign],
  );

  const keyring = Buffer.concat([packet(KEY_PACKET, keyBody), packet(USER_PACKET, user), certification]);
  return {
    keyring,
    armoredKey: armored(keyring, 'PUBLIC KEY BLOCK'),
    fingerprint: identity.fingerprint.toString('hex').toUpperCase(),
    sign: (content, signedAt) => signature(identity, BINARY_DOCUMENT, signedAt, content),
    signArmored: (content, signedAt) => armored(signature(identity, BINARY_DOCUMENT, signedAt, content)),
    clearSign(text, signedAt) {
      const lines = text.replace(/\n$/, '').split('\n');
      // Signed are the lines without trailing blanks, joined by CRLF and without the last line's end.
      const canonical = Buffer.from(lines.map((line) => line.replace(/[ \t]+$/, '')).join('\r\n'));
      const escaped = lines.map((line) => (line.startsWith('-') ? `- ${line}` : line)).join('\n');
      const signed = armored(signature(identity, CANONICAL_TEXT, signedAt, canonical));
      return `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n${escaped}\n${signed}`;
    },
  };
}
