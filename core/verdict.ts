/** Owns verdicts: what state and facts follow from what a server and Run Command say of one phase. */

import type { Job, JobState } from './job.ts';
import type { Facts, Reason } from './outcome.ts';
import type { Phase } from './phase.ts';
import type { Policy } from './policy.ts';
import type { Invocation } from './ports.ts';
import type { Summary } from './summary.ts';

/** What could be established of a phase: the checked summary, or why there is none. */
export type Evidence =
  | {
      readonly kind: 'summary';
      readonly summary: Summary;
      /** Why what it says is not proven. */
      readonly unproven?: Reason;
      /** The plan, read and counted from its result object. */
      readonly sealed?: NonNullable<Job['plan']>;
    }
  | { readonly kind: 'none'; readonly reason: Reason; readonly delivered: boolean };

export interface Verdict {
  readonly state: JobState;
  readonly reasons: readonly Reason[];
}

/** Why there is no summary to go by, in words that name Run Command's status. */
export function withoutSummary(invocation: Invocation): Extract<Evidence, { kind: 'none' }> {
  const none = (code: string, detail: string, delivered: boolean) =>
    ({ kind: 'none', reason: { code, detail }, delivered }) as const;
  switch (invocation.status) {
    case 'delivery-timed-out':
      return none(
        'delivery-timed-out',
        'the agent did not take the command in time; if it ran, nothing was heard of it',
        false,
      );
    case 'undeliverable':
      return none('undeliverable', 'Run Command could not deliver the command to the agent', false);
    case 'execution-timed-out':
      return none('execution-timed-out', 'the command did not end in its time and was killed', true);
    case 'cancelled':
      return none('command-cancelled', 'the command was cancelled outside of the campaign', true);
    case 'pending':
    case 'in-progress':
      return none(
        'no-answer',
        `nothing was heard of the command before its deadline (${invocation.statusDetails})`,
        invocation.status === 'in-progress',
      );
    case 'succeeded':
    case 'failed':
      return none(
        'summary-unreadable',
        `the command ended as ${invocation.statusDetails} without a summary that could be read`,
        true,
      );
  }
}

/** Which state a job takes after a phase; `facts` are all that is known of it by now. */
export function judgePhase(phase: Phase, evidence: Evidence, facts: Facts, policy: Policy): Verdict {
  if (evidence.kind === 'none') {
    const state = {
      prepare: evidence.delivered ? 'failed' : 'unreachable',
      patch: evidence.delivered ? 'lost' : 'unreachable',
      verify: 'lost',
      rollback: 'lost',
    } as const;
    return { state: state[phase], reasons: [evidence.reason] };
  }
  const { summary, unproven } = evidence;
  switch (phase) {
    case 'prepare':
      return judgePreparation(summary, unproven, facts, policy);
    case 'patch':
      return judgePatch(summary, unproven, facts, policy);
    case 'verify':
      return judgeVerification(summary, unproven, facts, policy);
    case 'rollback':
      return judgeRollback(summary, unproven, facts, policy);
  }
}

function judgePreparation(
  summary: Summary,
  unproven: Reason | undefined,
  facts: Facts,
  policy: Policy,
): Verdict {
  switch (summary.result) {
    case 'planned':
      // What can not be read can not be sealed.
      return unproven ? { state: 'failed', reasons: [unproven] } : { state: 'ready', reasons: [] };
    case 'nothing-to-do':
      // A claim like any other: without its metadata and log in the bucket nobody could check it.
      return unproven
        ? { state: 'failed', reasons: [unproven, ...summary.reasons] }
        : judgeEmptyPlan(summary, facts, policy);
    case 'unsupported':
      return { state: 'unsupported', reasons: named(summary) };
    default:
      return { state: 'failed', reasons: named(summary) };
  }
}

/** No update is no compliance: past its end of life, a release has none to offer. */
function judgeEmptyPlan(summary: Summary, facts: Facts, policy: Policy): Verdict {
  if (policy.requireCompliant && facts.compliant === false) {
    const detail = 'there is nothing to install, and the server is not compliant all the same';
    return { state: 'failed', reasons: [...summary.reasons, { code: 'not-compliant', detail }].slice(0, 8) };
  }
  return { state: 'nothing-to-do', reasons: summary.reasons };
}

function judgePatch(summary: Summary, unproven: Reason | undefined, facts: Facts, policy: Policy): Verdict {
  switch (summary.result) {
    case 'patched':
    // Somebody else brought the server to its plan meanwhile.
    case 'nothing-to-do':
      // Not yet a success: that is for the verification to say.
      return { state: 'verifying', reasons: [] };
    case 'drifted':
      return { state: 'drifted', reasons: named(summary) };
    // Refused before anything was touched: there is no way to go back.
    case 'refused':
      return { state: 'failed', reasons: named(summary) };
    default:
      return afterFailure(named(summary), unproven, facts, policy);
  }
}

/**
 * The way back mends packages that are not all there and a server that is not well; it mends neither a proof that is
 * missing nor metadata that is old. Nothing is changed on the word of a server that is not proven.
 */
function afterFailure(
  reasons: readonly Reason[],
  unproven: Reason | undefined,
  facts: Facts,
  policy: Policy,
): Verdict {
  const isMendable = facts.installed === false || facts.healthy === false;
  // What is undone first are packages, and those need no archive.
  const isBelieved = unproven === undefined || unproven.code === 'backup-unproven';
  const goesBack = isMendable && isBelieved && policy.rollback.automatic !== 'none';
  return { state: goesBack ? 'rolling-back' : 'failed', reasons };
}

function judgeVerification(
  summary: Summary,
  unproven: Reason | undefined,
  facts: Facts,
  policy: Policy,
): Verdict {
  if (summary.result !== 'verified') return afterFailure(named(summary), unproven, facts, policy);
  const missing = unmet(facts, policy);
  if (!unproven && missing.length === 0) return { state: 'succeeded', reasons: [] };
  // The server's own words first: they name the service, and not only that something is not as it should be.
  const reasons = [...(unproven ? [unproven] : []), ...summary.reasons, ...missing];
  return afterFailure(reasons, unproven, facts, policy);
}

/** Rolled back is a server on which all that the patch did is undone and that is well again; less is a failure. */
function judgeRollback(
  summary: Summary,
  unproven: Reason | undefined,
  facts: Facts,
  policy: Policy,
): Verdict {
  // With nothing to undo, what is asked of the server is the same.
  if (summary.result !== 'rolled-back' && summary.result !== 'nothing-to-do')
    return { state: 'rollback-failed', reasons: named(summary) };
  const missing = [...(unproven ? [unproven] : []), ...unhealthy(facts, policy)];
  return missing.length === 0
    ? { state: 'rolled-back', reasons: [] }
    : { state: 'rollback-failed', reasons: [...missing, ...summary.reasons] };
}

/** What the policy asks of a server and the facts do not show. Unknown is not enough. */
export function unmet(facts: Facts, policy: Policy): Reason[] {
  const reasons: Reason[] = [];
  const ask = (met: boolean, code: string, detail: string) => {
    if (!met) reasons.push({ code, detail });
  };
  ask(facts.installed === true, 'not-installed', `installed as planned: ${word(facts.installed)}`);
  reasons.push(...unhealthy(facts, policy));
  // A job of its own sees to a reboot in a separate window.
  if (policy.reboot === 'if-needed' || policy.reboot === 'always') {
    ask(facts.rebootPending === false, 'reboot-pending', `reboot pending: ${word(facts.rebootPending)}`);
  }
  if (policy.reboot === 'always')
    ask(facts.rebooted === true, 'not-rebooted', `rebooted: ${word(facts.rebooted)}`);
  if (policy.requireCompliant)
    ask(facts.compliant === true, 'not-compliant', `compliant: ${word(facts.compliant)}`);
  return reasons;
}

function unhealthy(facts: Facts, policy: Policy): Reason[] {
  const isWell = facts.healthy === true || (!policy.requireHealthy && facts.healthy === null);
  return isWell ? [] : [{ code: 'not-healthy', detail: `healthy: ${word(facts.healthy)}` }];
}

const word = (fact: boolean | null) => (fact === null ? 'unknown' : fact ? 'yes' : 'no');

/** A bad result always has a reason, even where the server named none. */
function named(summary: Summary): Reason[] {
  return summary.reasons.length > 0
    ? summary.reasons
    : [
        {
          code: 'no-reason-given',
          detail: `the server ended with ${summary.result}, exit code ${summary.code}`,
        },
      ];
}
