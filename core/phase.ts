/** Owns the three passes that a campaign makes over its servers; each is one command per batch. */
import * as z from 'zod';

export const phaseSchema = z.enum(['prepare', 'patch', 'verify']);
export type Phase = z.infer<typeof phaseSchema>;

/** What there is a document for: the passes, and the way back from one. */
export const documentPhaseSchema = z.enum([...phaseSchema.options, 'rollback']);
export type DocumentPhase = z.infer<typeof documentPhaseSchema>;
