/** Owns the inventory in the stores: one object named by its content, and one item that says which holds. */
import { gunzipSync, gzipSync } from 'node:zlib';
import * as z from 'zod';
import { Refused } from '../calls.ts';
import { type Entity, parseRecord, recordOf } from '../entities.ts';
import { type Instant, instantSchema } from '../instant.ts';
import { type StoredServer, storedServersSchema } from '../inventory/stored-server.ts';
import { sha256Of } from '../plan.ts';
import type { Ports } from '../ports.ts';

type Stores = Pick<Ports, 'records' | 'objects'>;

const pointerSchema = z.object({
  schema: z.literal(1),
  /** Of the object, in the bucket. */
  key: z.string(),
  servers: z.number().int().nonnegative(),
  by: z.string().min(1).max(255),
  at: instantSchema,
});
type Pointer = z.infer<typeof pointerSchema>;

const pointerKey = { partition: 'inventory', sort: 'current' } as const;
const pointers: Entity<Pointer> = { schema: pointerSchema, key: () => pointerKey };

export interface StoredInventory {
  readonly servers: readonly StoredServer[];
  /** Grows with each change; 0 while there is no inventory. Pass it on when saving what was made of this. */
  readonly revision: number;
  /** Who wrote it last. */
  readonly saved?: { readonly by: string; readonly at: Instant };
}

/** Somebody else has changed the inventory in between: read it again, and decide again. */
export class InventoryChanged extends Refused {
  constructor(by: string, at: Instant) {
    super('inventory-changed', `the inventory was changed by ${by} at ${at}, meanwhile: do it again`);
  }
}

/** @throws Error when the object is not the one that was saved */
export async function loadInventory({ records, objects }: Stores): Promise<StoredInventory> {
  const record = await records.get(pointerKey);
  if (record === undefined) return { servers: [], revision: 0 };
  const { key, by, at } = parseRecord(pointers, record);
  const content = await objects.get(key);
  if (content === undefined)
    throw new Error(`the inventory ${key} is not in bucket ${objects.bucket}: import the servers again`);
  const text = gunzipSync(content).toString('utf8');
  if (keyOf(text) !== key)
    throw new Error(`the inventory ${key} is not what was saved under that name: import the servers again`);
  const { servers } = storedServersSchema.parse(JSON.parse(text));
  return { servers, revision: record.revision, saved: { by, at } };
}

/**
 * The object first and then the item: who dies between the two has changed nothing.
 *
 * @param expected the revision that the servers were made of
 * @returns the new revision
 * @throws InventoryChanged
 */
export async function saveInventory(
  { records, objects }: Stores,
  servers: readonly StoredServer[],
  { by, now, expected }: { readonly by: string; readonly now: Instant; readonly expected: number },
): Promise<number> {
  const text = JSON.stringify({ schema: 1, servers });
  const key = keyOf(text);
  await objects.put(key, gzipSync(text));
  const pointer = recordOf<Pointer>(pointers, { schema: 1, key, servers: servers.length, by, at: now });
  const saved = await (expected === 0 ? records.create(pointer) : records.replace(pointer, expected));
  if (saved) return expected + 1;
  const other = await records.get(pointerKey);
  const { by: who, at } = other ? parseRecord(pointers, other) : { by: 'somebody', at: now };
  throw new InventoryChanged(who, at);
}

function keyOf(text: string): string {
  return `calendar/inventory/${sha256Of(text)}.json.gz`;
}
