/** Owns the passes that a campaign makes over its servers, the way back among them; each is one command per batch. */
import * as z from 'zod';

export const phaseSchema = z.enum(['prepare', 'patch', 'verify', 'rollback']);
export type Phase = z.infer<typeof phaseSchema>;

/** What there is a document for: the passes, and a restart that is a job of its own. */
export const documentPhaseSchema = z.enum([...phaseSchema.options, 'reboot']);
export type DocumentPhase = z.infer<typeof documentPhaseSchema>;
