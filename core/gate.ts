/** Owns the last look before a command is sent: which servers it may go to, and what becomes of the others. */
import { type Campaign, isCampaignEnded, notApproved, rollbackUntil, stoppedBy } from './campaign.ts';
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
  rollback: 'rolling-back',
} as const satisfies Record<Phase, JobState>;

/** The state a job ends in when a command may have reached its server and nothing is heard of it. */
export const stateWhenLost = {
  prepare: 'failed',
  patch: 'lost',
  verify: 'lost',
  rollback: 'lost',
} as const satisfies Record<Phase, JobState>;

/** The state a job ends in when its server gets no command of this phase. What was patched is never as if it had not been. */
export const stateWhenNotSent = {
  prepare: 'not-started',
  patch: 'not-started',
  verify: 'lost',
  rollback: 'rollback-failed',
} as const satisfies Record<Phase, JobState>;

/** The state a job ends in when Run Command does not know its server. */
export const stateWhenUnknown = {
  prepare: 'unreachable',
  patch: 'unreachable',
  verify: 'lost',
  rollback: 'lost',
} as const satisfies Record<Phase, JobState>;

/** The state in which a job waits for this phase. */
export const stateBefore = {
  prepare: 'planned',
  patch: 'ready',
  // What was patched waits for its verification, and what goes back for the way back, under the same name.
  verify: 'verifying',
  rollback: 'rolling-back',
} as const satisfies Record<Phase, JobState>;

export type Passage =
  | { readonly kind: 'go' }
  /** Nothing to do here in this phase: the job has ended or is not so far. */
  | { readonly kind: 'pass-by' }
  | { readonly kind: 'end'; readonly state: JobState; readonly reason: Reason };

/**
 * Why a phase may not be dispatched at all at this moment. Verification changes nothing on a server, so it may run
 * after the window and after a stop: what was patched is always looked at. The way back repairs, so no stop keeps a
 * server from it, and it has some time after the window.
 *
 * @param byHand whether a person asked for this rollback
 */
export function phaseClosed(
  campaign: Campaign,
  phase: Phase,
  now: Instant,
  byHand = false,
): Reason | undefined {
  // A person decided on it, after the end of the campaign and whatever its window.
  if (byHand) return undefined;
  switch (phase) {
    case 'verify':
      return undefined;
    case 'rollback':
      return rollbackClosed(campaign, now);
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

function rollbackClosed(campaign: Campaign, now: Instant): Reason | undefined {
  if (isCampaignEnded(campaign.state)) return stoppedBy({ ...campaign, stop: null });
  const until = rollbackUntil(campaign);
  if (now <= until) return undefined;
  return {
    code: 'rollback-too-late',
    detail: `at ${now} it is too late to begin a rollback: the window and its time of grace were over at ${until}`,
  };
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
  if (phase === 'verify' || phase === 'rollback') return { kind: 'go' };
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
