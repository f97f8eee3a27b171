/** Owns the passes that a campaign makes over its servers, the way back among them; each is one command per batch. */
import * as z from 'zod';

export const phaseSchema = z.enum(['prepare', 'patch', 'verify', 'rollback']);
export type Phase = z.infer<typeof phaseSchema>;

/** What there is a document for. */
export const documentPhaseSchema = z.enum([...phaseSchema.options]);
export type DocumentPhase = z.infer<typeof documentPhaseSchema>;
