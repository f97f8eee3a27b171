/** Owns how far a rollback by hand may climb, and what a server answers that is only asked what it would do. */
import * as z from 'zod';
import { reasonSchema } from './outcome.ts';
import { serverIdSchema } from './server.ts';

export const rollbackToSchema = z.enum(['packages', 'configuration', 'kernel']);

export const rehearsalSchema = z.object({
  serverId: serverIdSchema,
  /** `possible`, or why not; null when nothing was heard that could be trusted. */
  result: z.string().nullable(),
  reasons: z.array(reasonSchema).max(8),
  /** Has what it would do, by rung. */
  objectKey: z.string().nullable(),
});
export type Rehearsal = z.infer<typeof rehearsalSchema>;
