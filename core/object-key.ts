/** Owns what the key of an object may be, so that every object store refuses the same ones. */

/** S3's limit, in bytes of UTF-8. */
const longest = 1024;

/** @throws when no object store takes the key */
export function checkObjectKey(key: string): void {
  const bytes = Buffer.byteLength(key);
  if (bytes === 0 || bytes > longest) {
    throw new Error(
      `object key ${JSON.stringify(key.slice(0, 100))} has ${bytes} bytes: give it 1 to ${longest}`,
    );
  }
  if (Buffer.from(key).toString() !== key) {
    throw new Error(`object key ${JSON.stringify(key)} is not Unicode text: it has half of a surrogate pair`);
  }
}
