/** Owns the facts that are known of a server after its job, and the reasons that verdicts carry. */
import * as z from 'zod';
import type { Phase } from './phase.ts';

/** A stable code for programs and a sentence for people. */
export const reasonSchema = z.object({
  code: z.string().regex(/^[a-z][a-z0-9-]{1,47}$/),
  detail: z.string().max(400),
});
export type Reason = z.infer<typeof reasonSchema>;

/** Unknown is null, and never counts as true. */
const fact = z.boolean().nullable();

export const factsSchema = z.object({
  /** Every entry of the sealed plan is there, at its version or above. */
  installed: fact,
  /** The server says it still needs a reboot. */
  rebootPending: fact,
  /** The boot id changed during the job. */
  rebooted: fact,
  /** No unit failed that had not failed before. */
  healthy: fact,
  /** Installed, from metadata that is not stale, on a release its vendor still supports. */
  compliant: fact,
});
export type Facts = z.infer<typeof factsSchema>;

export const unknownFacts: Facts = {
  installed: null,
  rebootPending: null,
  rebooted: null,
  healthy: null,
  compliant: null,
};

/**
 * What is known after a phase. A patch voids all that was known before it, also when nothing is heard of it, and so does
 * a rollback. A verification looks at everything again, so what it could not find out is unknown whatever the patch
 * said. Only a reboot, which is of the past, stays.
 */
export function factsAfter(phase: Phase, before: Facts, said: Facts | undefined): Facts {
  switch (phase) {
    case 'prepare':
    case 'patch':
      return said ?? unknownFacts;
    case 'rollback':
      return said ? { ...said, rebooted: said.rebooted || before.rebooted } : unknownFacts;
    case 'verify':
      return said ? { ...said, rebooted: said.rebooted ?? before.rebooted } : before;
  }
}
