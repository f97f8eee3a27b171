/** Owns a server as the inventory keeps it: what a list says of it, and which of that a sync wrote. */
import * as z from 'zod';
import { dateSchema } from '../calendar/schedule.ts';
import { serverSchema } from '../server.ts';
import type { InventoryServer } from './inventory-server.ts';
import { type SyncedField, syncedFields } from './sync-servers.ts';

/** The row of a list is of that list alone, and not kept. */
export interface StoredServer extends Omit<InventoryServer, 'row'> {
  /** Written by a sync, and followed by the next one; a person set everything else. */
  readonly bySync: readonly SyncedField[];
}

const text = z.string().max(255);
const quarterColumnSchema = z.enum(['Q1', 'Q2', 'Q3', 'Q4']);

const storedServerSchema: z.ZodType<StoredServer> = z.object({
  name: text.min(1),
  environment: serverSchema.shape.environment,
  zone: z.string().min(1).max(64),
  active: z.boolean(),
  hostGroup: text.exactOptional(),
  haGroup: text.exactOptional(),
  explicit: z.partialRecord(quarterColumnSchema, dateSchema),
  history: z.array(dateSchema.extend({ date: z.string(), quarter: z.string(), column: quarterColumnSchema })),
  cron: text.exactOptional(),
  dependsOn: z.array(text).exactOptional(),
  operatingSystem: text.exactOptional(),
  location: text.exactOptional(),
  owners: z.object({ primary: text.exactOptional(), secondary: text.exactOptional() }),
  instanceId: text.exactOptional(),
  account: text.exactOptional(),
  region: text.exactOptional(),
  metal: z.boolean().exactOptional(),
  currentQuarterStatus: text.exactOptional(),
  extra: z.record(z.string(), z.string()),
  bySync: z.array(z.enum(syncedFields)),
});

/** All of it in one object, so that an import is there as a whole or not at all. */
export const storedServersSchema = z.object({ schema: z.literal(1), servers: z.array(storedServerSchema) });
