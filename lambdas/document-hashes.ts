/** Owns the form in which the stack tells functions what the documents of this release say. */
import * as z from 'zod';

const documentHashesSchema = z.record(z.string(), z.string().regex(/^[0-9a-f]{64}$/));

export function parseDocumentHashes(text: string): Readonly<Record<string, string>> {
  return documentHashesSchema.parse(JSON.parse(text));
}
