/** Owns the window: when patching may happen, and what may still begin in it. */
import * as z from 'zod';
import { type Instant, instantSchema, isBefore, plusSeconds } from './instant.ts';
import type { Reason } from './outcome.ts';

export const windowSchema = z
  .object({
    start: instantSchema,
    /** Exclusive. */
    end: instantSchema,
    /** IANA name of the zone in which the window was planned; instants are stored in UTC. */
    zone: z.string().min(1).max(64),
  })
  .refine((window) => window.start < window.end, 'window ends before it starts');
export type Window = z.infer<typeof windowSchema>;

/**
 * Says why nothing that takes `seconds` may begin at `at`, or undefined when it may. `seconds` counts everything:
 * the time a command may lie undelivered, the transaction, the reboot.
 */
export function whyNotIn(window: Window, at: Instant, seconds: number): Reason | undefined {
  if (isBefore(at, window.start)) {
    return { code: 'window-not-open', detail: `the window opens at ${window.start}, it is ${at}` };
  }
  if (!isBefore(at, window.end)) {
    return { code: 'window-closed', detail: `the window closed at ${window.end}, it is ${at}` };
  }
  if (isBefore(window.end, plusSeconds(at, seconds))) {
    return {
      code: 'window-too-short',
      detail: `at ${at} it takes up to ${Math.ceil(seconds)} s and the window closes at ${window.end}`,
    };
  }
  return undefined;
}
