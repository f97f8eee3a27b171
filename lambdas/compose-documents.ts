/** Owns how a function comes to pin documents. Apart from the other ports: a schema at the top is bundled wherever it is. */
import * as z from 'zod';
import type { Commands } from '../core/ports.ts';
import { perPlace } from './aws/place-clients.ts';
import { createDocumentCalls, createSsmDocuments } from './aws/ssm-documents.ts';
import { locate, type WorldWith } from './compose.ts';

/** What the documents of this release say, by their names: the stack computes it when it assembles them. */
const documentHashesSchema = z.record(z.string(), z.string().regex(/^[0-9a-f]{64}$/));

export function documents(world: WorldWith<'memberRole' | 'documentHashes'>): Pick<Commands, 'pin'> {
  const where = locate(world);
  const hashes = documentHashesSchema.parse(JSON.parse(world.environment.documentHashes));
  return createSsmDocuments({
    callsIn: perPlace((place) => createDocumentCalls(where(place))),
    expected: (name) => hashes[name],
  });
}
