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
    } as const;
    return { state: state[phase], reasons: [evidence.reason] };
  }
  const { summary, unproven } = evidence;
  switch (phase) {
    case 'prepare':
      return judgePreparation(summary, unproven, facts, policy);
    case 'patch':
      return judgePatch(summary);
    case 'verify':
      return judgeVerification(summary, unproven, facts, policy);
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

function judgePatch(summary: Summary): Verdict {
  switch (summary.result) {
    case 'patched':
    // Somebody else brought the server to its plan meanwhile.
    case 'nothing-to-do':
      // Not yet a success: that is for the verification to say.
      return { state: 'verifying', reasons: [] };
    case 'drifted':
      return { state: 'drifted', reasons: named(summary) };
    default:
      return { state: 'failed', reasons: named(summary) };
  }
}

function judgeVerification(
  summary: Summary,
  unproven: Reason | undefined,
  facts: Facts,
  policy: Policy,
): Verdict {
  if (summary.result !== 'verified') return { state: 'failed', reasons: named(summary) };
  const missing = [...(unproven ? [unproven] : []), ...unmet(facts, policy)];
  return missing.length === 0
    ? { state: 'succeeded', reasons: [] }
    : { state: 'failed', reasons: [...missing, ...summary.reasons] };
}

/** What the policy asks of a server and the facts do not show. Unknown is not enough. */
export function unmet(facts: Facts, policy: Policy): Reason[] {
  const reasons: Reason[] = [];
  const ask = (met: boolean, code: string, detail: string) => {
    if (!met) reasons.push({ code, detail });
  };
  const word = (fact: boolean | null) => (fact === null ? 'unknown' : fact ? 'yes' : 'no');
  ask(facts.installed === true, 'not-installed', `installed as planned: ${word(facts.installed)}`);
  const isWell = facts.healthy === true || (!policy.requireHealthy && facts.healthy === null);
  ask(isWell, 'not-healthy', `healthy: ${word(facts.healthy)}`);
  if (policy.reboot !== 'never') {
    ask(facts.rebootPending === false, 'reboot-pending', `reboot pending: ${word(facts.rebootPending)}`);
  }
  if (policy.reboot === 'always')
    ask(facts.rebooted === true, 'not-rebooted', `rebooted: ${word(facts.rebooted)}`);
  if (policy.requireCompliant)
    ask(facts.compliant === true, 'not-compliant', `compliant: ${word(facts.compliant)}`);
  return reasons;
}

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
