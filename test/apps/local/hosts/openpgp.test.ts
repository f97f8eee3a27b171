import { createHash, createPublicKey, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createSigningKey } from '../../../../apps/local/hosts/openpgp.ts';

const at = new Date('2026-11-21T01:20:00Z');
const FRAME =
  /^-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n(.*)\n-----BEGIN PGP SIGNATURE-----\n\n(.*)\n-----END PGP SIGNATURE-----\n$/s;

/** Reads a multi-precision integer as the 32 bytes that it stands for. */
function integer(packet: Buffer, at: number): { value: Buffer; next: number } {
  const length = Math.ceil(packet.readUInt16BE(at) / 8);
  const digits = packet.subarray(at + 2, at + 2 + length);
  return { value: Buffer.concat([Buffer.alloc(Math.max(0, 32 - length)), digits]), next: at + 2 + length };
}

/** Whether a clear-signed text verifies: as RFC 4880 has it, and apart from the code that made it. */
function verifies(signed: string, keyring: Buffer): boolean {
  const [, escaped = '', armor = ''] = FRAME.exec(signed) ?? [];
  const text = escaped
    .replaceAll(/^- /gm, '')
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\r\n');
  const signature = Buffer.from(armor, 'base64').subarray(3);
  const hashedEnd = 6 + signature.readUInt16BE(4);
  const head = signature.subarray(0, hashedEnd);
  const trailer = Buffer.from([4, 0xff, 0, 0, 0, 0]);
  trailer.writeUInt32BE(head.length, 2);
  const digest = createHash('sha256').update(text).update(head).update(trailer).digest();
  const unhashedEnd = hashedEnd + 2 + signature.readUInt16BE(hashedEnd);
  const r = integer(signature, unhashedEnd + 2);
  const s = integer(signature, r.next);
  // Packet head 3, version 1, time 4, algorithm 1, curve 1 + 9, bit count 2, prefix byte 1.
  const x = keyring.subarray(22, 54).toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  return verify(null, digest, key, Buffer.concat([r.value, s.value]));
}

describe('a throw-away key', () => {
  const text = 'Origin: Debian\n- a line that begins with a dash\ntrailing blanks  \n\nSuite: stable\n';

  it('signs so that the signature verifies', () => {
    // Enough keys that some numbers begin with zero bits, which are written shorter.
    for (let round = 0; round < 40; round++) {
      const key = createSigningKey('Test', at);
      expect(verifies(key.clearSign(text, at), key.keyring)).toBe(true);
    }
  });

  it('signs nothing else and for nobody else', () => {
    const key = createSigningKey('Test', at);
    const signed = key.clearSign(text, at);
    expect(verifies(signed.replace('stable', 'unstable'), key.keyring)).toBe(false);
    expect(verifies(signed, createSigningKey('Test', at).keyring)).toBe(false);
  });

  it('escapes lines that begin with a dash, so that none looks like the end of the text', () => {
    const signed = createSigningKey('Test', at).clearSign('-----BEGIN PGP SIGNATURE-----\n', at);
    expect(signed).toContain('\n- -----BEGIN PGP SIGNATURE-----\n');
  });
});
