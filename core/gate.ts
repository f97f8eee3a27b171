/** Owns the last look before a command is sent: which servers it may go to, and what becomes of the others. */
import { type Campaign, notApproved, stoppedBy } from './campaign.ts';
import { phaseSeconds } from './document.ts';
import { type Exception, exceptionsFor, heldBy, plannedAgainst } from './exception.ts';
import { type Instant, plusSeconds } from './instant.ts';
import type { Job, JobState } from './job.ts';
import type { Reason } from './outcome.ts';
import type { Phase } from './phase.ts';
import type { PlanEntry } from './plan.ts';
import type { Presence } from './ports.ts';
import { whyNotIn } from './window.ts';

/** The state a job has while a command of this phase is under way. */
export const stateDuring = {
  prepare: 'preparing',
  patch: 'patching',
  verify: 'verifying',
} as const satisfies Record<Phase, JobState>;

/** The state a job ends in when a command may have reached its server and nothing is heard of it. */
export const stateWhenLost = {
  prepare: 'failed',
  patch: 'lost',
  verify: 'lost',
} as const satisfies Record<Phase, JobState>;

/** The state in which a job waits for this phase. */
export const stateBefore = {
  prepare: 'planned',
  patch: 'ready',
  // What was patched waits for its verification under the same name.
  verify: 'verifying',
} as const satisfies Record<Phase, JobState>;

export type Passage =
  | { readonly kind: 'go' }
  /** Nothing to do here in this phase: the job has ended or is not so far. */
  | { readonly kind: 'pass-by' }
  | { readonly kind: 'end'; readonly state: JobState; readonly reason: Reason };

/**
 * Why a phase may not be dispatched at all at this moment. Verification changes nothing on a server, so it may run
 * after the window and after a stop: what was patched is always looked at.
 */
export function phaseClosed(campaign: Campaign, phase: Phase, now: Instant): Reason | undefined {
  switch (phase) {
    case 'verify':
      return undefined;
    case 'prepare':
      return stoppedBy(campaign) ?? preparationTooLate(campaign, now);
    case 'patch':
      return (
        stoppedBy(campaign) ??
        notApproved(campaign) ??
        whyNotIn(campaign.window, now, phaseSeconds(campaign, 'patch'))
      );
  }
}

function preparationTooLate(campaign: Campaign, now: Instant): Reason | undefined {
  if (plusSeconds(now, phaseSeconds(campaign, 'prepare')) <= campaign.window.end) return undefined;
  return {
    code: 'window-too-short',
    detail: `preparing can not end before the window closes at ${campaign.window.end}`,
  };
}

/**
 * What becomes of one server.
 *
 * @param presence undefined when Run Command did not say; the command is then sent and its delivery times out
 * @param plan the sealed plan, for the patch phase
 */
export function passage(
  phase: Phase,
  job: Job,
  presence: Presence | undefined,
  exceptions: readonly Exception[],
  plan: readonly PlanEntry[] | null,
  now: Instant,
): Passage {
  if (job.state !== stateBefore[phase]) return { kind: 'pass-by' };
  if (phase === 'verify') return { kind: 'go' };
  if (presence === 'gone') {
    return {
      kind: 'end',
      state: 'superseded',
      reason: {
        code: 'server-gone',
        detail: `${job.server.id} was terminated, replaced or taken out by its opt-in tag before it was patched`,
      },
    };
  }
  const inForce = exceptionsFor(job.server, exceptions, now);
  const held = heldBy(inForce) ?? (plan ? plannedAgainst(plan, inForce) : undefined);
  // An exception that ended meanwhile adds nothing: whoever is out of the sealed plan stays out.
  return held ? { kind: 'end', state: 'held', reason: held } : { kind: 'go' };
}
