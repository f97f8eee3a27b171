/** Owns an asking of servers for their time zones: whom it went to, and what each said. */
import * as z from 'zod';
import { type Entity, listAll } from './entities.ts';
import { type Instant, instantSchema } from './instant.ts';
import { zoneMethods, zoneVerdicts } from './inventory/detected-zone.ts';
import type { RecordKey, Records } from './ports.ts';
import { placeSchema, serverIdSchema } from './server.ts';
import { batchLimit } from './waves.ts';

/** Seconds that the function which asks may run, and so until another asking may begin. */
export const askSeconds = 900;
export const deliverySeconds = 300;
/** Of the document's one step. */
export const executionSeconds = 60;

const askedSchema = z.object({
  schema: z.literal(1),
  id: z.string().regex(/^zones-\d{1,12}$/),
  by: z.string().min(1).max(255),
  at: instantSchema,
  /** `sent` once every batch was. */
  state: z.enum(['sending', 'sent']),
  /** Until then nobody else asks, unless all was sent. */
  leaseUntil: instantSchema,
  /** Who has said nothing by then says nothing more. */
  answersBy: instantSchema,
  servers: z.number().int().positive(),
  /** Servers of the inventory that could not be asked; of many, the first. */
  left: z.object({
    count: z.number().int().nonnegative(),
    first: z.array(z.object({ server: z.string(), why: z.string() })).max(20),
  }),
});
export type ZoneAsking = z.infer<typeof askedSchema>;

/** One place: a second asking finds it taken. What was said before stays under the id of its own asking. */
export const zoneAskingKey: RecordKey = { partition: 'zones', sort: 'asking' };
export const zoneAskings: Entity<ZoneAsking> = { schema: askedSchema, key: () => zoneAskingKey };

const zoneAnswerSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('said'),
    /** Null where none of its answers can be read. */
    best: z
      .discriminatedUnion('kind', [
        z.object({ kind: z.literal('zone'), method: z.enum(zoneMethods), zone: z.string() }),
        z.object({ kind: z.literal('offset'), method: z.enum(zoneMethods), offset: z.string() }),
      ])
      .nullable(),
    /** Where the server contradicts itself, in words. */
    disagreements: z.array(z.string()).max(zoneMethods.length),
    /** Beside the zone that was recorded when it was asked. */
    verdict: z.enum(zoneVerdicts),
    words: z.string(),
    /** When the answer was read. */
    at: instantSchema,
  }),
  z.object({ kind: z.literal('silent'), why: z.string().max(400), at: instantSchema }),
]);
export type ZoneAnswer = z.infer<typeof zoneAnswerSchema>;

const zoneBatchSchema = z.object({
  schema: z.literal(1),
  askingId: askedSchema.shape.id,
  number: z.number().int().positive(),
  place: placeSchema,
  /** With the zones that were recorded when they were asked. */
  servers: z
    .array(z.object({ id: serverIdSchema, name: z.string(), zone: z.string() }))
    .min(1)
    .max(batchLimit),
  /** More than one where Run Command refused some of the servers. */
  commands: z.array(z.string()).max(2 * batchLimit),
  /** By server id; each is written once. */
  answers: z.record(serverIdSchema, zoneAnswerSchema),
});
export type ZoneBatch = z.infer<typeof zoneBatchSchema>;
export type AskedServer = ZoneBatch['servers'][number];

const batchesOf = (askingId: string) => `zones#${askingId}`;
export const zoneBatchKey = ({ askingId, number }: Pick<ZoneBatch, 'askingId' | 'number'>): RecordKey => ({
  partition: batchesOf(askingId),
  sort: `batch#${String(number).padStart(5, '0')}`,
});
export const zoneBatches: Entity<ZoneBatch> = { schema: zoneBatchSchema, key: zoneBatchKey };

export function listZoneBatches(records: Records, askingId: string): Promise<ZoneBatch[]> {
  return listAll(records, zoneBatches, batchesOf(askingId), 'batch#');
}

/** Those of which nothing is known yet. */
export function waitingIn({ servers, answers }: ZoneBatch): AskedServer[] {
  return servers.filter(({ id }) => answers[id] === undefined);
}

/** The batch with answers of servers that had none; undefined where that changes nothing. */
export function withAnswers(
  batch: ZoneBatch,
  answers: Readonly<Record<string, ZoneAnswer>>,
): ZoneBatch | undefined {
  const fresh = Object.entries(answers).filter(([id]) => batch.answers[id] === undefined);
  if (fresh.length === 0) return undefined;
  return { ...batch, answers: { ...batch.answers, ...Object.fromEntries(fresh) } };
}

/** @param why of any length */
export function silent(why: string, at: Instant): ZoneAnswer {
  return { kind: 'silent', why: why.slice(0, 400), at };
}
