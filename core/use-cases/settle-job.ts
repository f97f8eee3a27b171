/** Takes one server's answer into its job: what it said, what its result object proves, and what follows. */
import type { Archive } from '../backup.ts';
import type { Campaign } from '../campaign.ts';
import { jobKey, jobs, update } from '../entities.ts';
import { stateDuring } from '../gate.ts';
import type { Instant } from '../instant.ts';
import { type Job, moveJob, type PhaseResult } from '../job.ts';
import { factsAfter, type Reason } from '../outcome.ts';
import type { Phase } from '../phase.ts';
import { type PlanEntry, planHash, sha256Of } from '../plan.ts';
import type { Policy } from '../policy.ts';
import type { Invocation, Objects, Ports } from '../ports.ts';
import { serverPrefix } from '../result-object.ts';
import { type Summary, summarySchema } from '../summary.ts';
import { type Evidence, judgePhase, type Verdict, withoutSummary } from '../verdict.ts';
import { planIn, readResult, unpackResult } from './orders.ts';
import { isOwnBackup, recordBackup } from './record-backup.ts';
import { leaveReboot } from './request-reboot.ts';

/** @returns the job as it is stored afterwards */
export async function settleJob(
  ports: Pick<Ports, 'records' | 'objects'>,
  campaign: Campaign,
  phase: Phase,
  job: Job,
  invocation: Invocation,
  now: Instant,
): Promise<Job> {
  const evidence = await gather(ports.objects, campaign, phase, job, invocation);
  const backup = backupIn(evidence, campaign, phase, job);
  // Before the job moves: whoever comes after an interruption finds it settled, and looks no further.
  if (backup) await recordBackup(ports, campaign, job.server, backup, now);
  const notLeft = leavesReboot(evidence, campaign, phase)
    ? await leaveReboot(ports, campaign, job.server, now)
    : undefined;
  try {
    return await store(ports, campaign, phase, job, invocation, evidence, notLeft, now);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'not-storable') throw error;
    // Whatever it managed to say must not keep its neighbours from being settled.
    return store(ports, campaign, phase, job, invocation, withoutSummary(invocation), notLeft, now);
  }
}

function store(
  ports: Pick<Ports, 'records'>,
  campaign: Campaign,
  phase: Phase,
  job: Job,
  invocation: Invocation,
  evidence: Evidence,
  notLeft: Reason | undefined,
  now: Instant,
): Promise<Job> {
  return update(ports.records, jobs, jobKey(campaign.id, job.server.id), (current) => {
    if (current.state !== stateDuring[phase]) return undefined;
    const summary = evidence.kind === 'summary' ? evidence.summary : undefined;
    const facts = factsAfter(phase, current.facts, summary?.facts);
    const seen = inContext(phase, evidence, current, campaign.policy);
    const judged = judgePhase(phase, seen, facts, campaign.policy);
    // The restart that it needs would never come.
    const isWithout = notLeft !== undefined && judged.state === 'succeeded';
    const verdict: Verdict = isWithout ? { state: 'failed', reasons: [notLeft] } : judged;
    const moved = moveJob(current, verdict.state, now, verdict.reasons);
    if (!moved) return undefined;
    return {
      ...moved,
      facts,
      plan:
        verdict.state === 'ready' && evidence.kind === 'summary' ? (evidence.sealed ?? null) : current.plan,
      phases: {
        ...current.phases,
        [phase]: withWaiver(phase, campaign.policy, {
          ...phaseResult(invocation, evidence, now),
          backup: backupIn(evidence, campaign, phase, current) ?? null,
        }),
      },
    };
  });
}

/** Verified, and the restart that it needs has a window of its own. */
function leavesReboot(evidence: Evidence, { policy }: Campaign, phase: Phase): boolean {
  if (phase !== 'verify' || evidence.kind !== 'summary' || policy.reboot !== 'separate-window') return false;
  return evidence.summary.result === 'verified' && evidence.summary.facts.rebootPending === true;
}

/** The archive that a server made before its patch; none where it names one that is not its own. */
function backupIn(
  evidence: Evidence,
  campaign: Campaign,
  phase: Phase,
  { server }: Job,
): Archive | undefined {
  const archive = phase === 'patch' && evidence.kind === 'summary' ? evidence.summary.backup : null;
  return archive && isOwnBackup(campaign, server, archive) ? archive : undefined;
}

/** Patched without the backup that had to be there first: the patch stands, and is no success. */
function backupUnproven({ phases: { patch } }: Job, policy: Policy): Reason | undefined {
  if (policy.backup.configuration !== 'required' || patch?.result !== 'patched' || patch.backup)
    return undefined;
  return {
    code: 'backup-unproven',
    detail: 'patched, and no backup of before is proven although the policy requires one',
  };
}

/** Of all warnings a server tells the first few, so that this one is not left to it. */
function withWaiver(
  phase: Phase,
  { backup: { configuration, waiver } }: Policy,
  said: PhaseResult,
): PhaseResult {
  const isWithout = phase === 'patch' && said.result === 'patched' && said.backup === null;
  if (!isWithout || configuration !== 'best-effort') return said;
  const isTold = ({ code }: Reason) => code === 'backup-failed';
  const told = said.warnings.find(isTold)?.detail ?? 'patched, and no backup of before is proven';
  const warning: Reason = { code: 'backup-failed', detail: `waived: ${waiver}; ${told}`.slice(0, 400) };
  return { ...said, warnings: [warning, ...said.warnings.filter((one) => !isTold(one))].slice(0, 5) };
}

/**
 * What the patch phase could not prove, the verification can not make good. And a server whose agent answered when its
 * patch was sent may have begun it, whatever Run Command says of the delivery: it says the same of one that died.
 */
function inContext(phase: Phase, evidence: Evidence, job: Job, policy: Policy): Evidence {
  if (evidence.kind === 'none') {
    const mayHaveBegun = phase === 'patch' && job.dispatched?.online === true;
    if (evidence.delivered || !mayHaveBegun) return evidence;
    const detail =
      'its agent answered when the patch was sent, and nothing was heard of it since: ' +
      'the patch may have begun, and the server may be down';
    return { ...evidence, delivered: true, reason: { code: evidence.reason.code, detail } };
  }
  if (phase !== 'verify') return evidence;
  const unproven = job.phases.patch?.unproven ?? backupUnproven(job, policy);
  return unproven ? { unproven, ...evidence } : evidence;
}

function phaseResult(invocation: Invocation, evidence: Evidence, now: Instant): Omit<PhaseResult, 'backup'> {
  const { summary, unproven } = evidence.kind === 'summary' ? evidence : {};
  return {
    at: now,
    status: invocation.statusDetails.slice(0, 64),
    result: summary?.result ?? null,
    warnings: summary?.warnings ?? [],
    newer: summary?.newer ?? 0,
    found: Object.fromEntries(Object.entries(summary?.found ?? {}).filter(([, number]) => number !== null)),
    rungs: summary?.rungs ?? [],
    // What is not proven is no proof, and nobody should follow where it points.
    object: unproven ? null : (summary?.object ?? null),
    unproven: unproven ?? null,
    boot: summary?.boot ?? null,
    system: summary?.system ?? null,
    seconds: summary?.seconds ?? {},
  };
}

async function gather(
  objects: Objects,
  campaign: Campaign,
  phase: Phase,
  job: Job,
  invocation: Invocation,
): Promise<Evidence> {
  const summary = readSummary(invocation.summary);
  if (!summary || !isAbout(summary, campaign, phase, job)) return withoutSummary(invocation);
  const contradiction = contradicts(summary, phase, job, invocation);
  if (contradiction) return { kind: 'summary', summary, unproven: contradiction };
  const proof = await prove(objects, campaign, phase, job, summary);
  return { kind: 'summary', summary, ...proof };
}

/**
 * Run Command shows standard error after standard output under this title, and the agent writes `failed to run
 * commands: exit status 1` there of its own: a summary that reports a failure never stands alone.
 */
const errorTitle = '\n----------ERROR-------\n';

export function readSummary(output: string): Summary | undefined {
  try {
    return summarySchema.parse(JSON.parse(output.split(errorTitle, 1)[0] ?? ''));
  } catch {
    // Truncated, empty or foreign: the caller names Run Command's own status instead.
    return undefined;
  }
}

/** A summary left over from another campaign or phase says nothing of this one. */
function isAbout(summary: Summary, campaign: Campaign, phase: Phase, job: Job): boolean {
  return summary.campaign === campaign.id && summary.phase === phase && summary.server === job.server.id;
}

/** Results by which a phase went well; each names the plan it is about, but for a server that has none. */
const good: ReadonlySet<Summary['result']> = new Set([
  'planned',
  'nothing-to-do',
  'patched',
  'verified',
  'rolled-back',
]);

/** A server that claims success must not contradict itself, Run Command, or what was sealed for it. */
function contradicts(summary: Summary, phase: Phase, job: Job, invocation: Invocation): Reason | undefined {
  if (!good.has(summary.result)) return undefined;
  const contradiction = (detail: string): Reason => ({ code: 'result-contradicts', detail });
  // A work step may be killed when its work is done and recorded; what a patch changed is verified anyway.
  const wasKilled = invocation.status === 'execution-timed-out' && (phase === 'prepare' || phase === 'patch');
  const isEnded = invocation.status === 'succeeded' || wasKilled;
  if (!isEnded || (summary.code !== 0 && summary.code !== 2)) {
    return contradiction(
      `the server says ${summary.result} with exit code ${summary.code}, Run Command says ${invocation.statusDetails}`,
    );
  }
  if (phase !== 'prepare' && summary.plan?.sha256 !== job.plan?.sha256) {
    return contradiction(
      `the server says ${summary.result} of plan ${summary.plan?.sha256}, sealed is ${job.plan?.sha256}`,
    );
  }
  return undefined;
}

type Proof = { readonly unproven: Reason } | { readonly sealed?: NonNullable<Job['plan']> };

/** A missing, foreign or altered object proves nothing, and unverified is not fine. */
async function prove(
  objects: Objects,
  campaign: Campaign,
  phase: Phase,
  job: Job,
  summary: Summary,
): Promise<Proof> {
  const unproven = (detail: string): Proof => ({
    unproven: { code: 'result-unproven', detail: detail.slice(0, 400) },
  });
  const { object } = summary;
  if (!object) return unproven('the server could not write its result object');
  const expected = `${serverPrefix(job.server, campaign.hybridRoleId)}/${campaign.id}/${phase}.gz`;
  if (object.key !== expected) return unproven(`the result object is ${object.key} instead of ${expected}`);
  const stored = await readResult(objects, object.key);
  if (stored.kind === 'unreadable') return unproven(stored.detail);
  const hash = sha256Of(stored.content);
  if (hash !== object.sha256)
    return unproven(`the result object hashes to ${hash}, the server said ${object.sha256}`);
  if (phase !== 'prepare' || summary.result !== 'planned') return {};
  try {
    return sealOf(job, summary, planIn(unpackResult(stored.content)), campaign.policy);
  } catch (error) {
    return unproven(`the plan can not be read: ${String(error)}`);
  }
}

/** The plan as it will be sealed: counted here, and checked against the policy, rather than taken on trust. */
function sealOf(job: Job, summary: Summary, entries: readonly PlanEntry[], policy: Policy): Proof {
  const unproven = (code: string, detail: string): Proof => ({
    unproven: { code, detail: detail.slice(0, 400) },
  });
  const sha256 = planHash(job.server.id, entries);
  if (sha256 !== summary.plan?.sha256) {
    return unproven(
      'result-unproven',
      `the plan hashes to ${sha256}, the server said ${summary.plan?.sha256}`,
    );
  }
  if (entries.length === 0)
    return unproven('plan-empty', 'the server says it has a plan, and the plan has no entries');
  const removal = entries.find(({ action }) => action === 'remove' || action === 'replace');
  if (removal && policy.removals === 'refuse') {
    return unproven(
      'removal-refused',
      `the plan would ${removal.action} ${removal.name}, and the policy refuses removals`,
    );
  }
  return {
    sealed: {
      sha256,
      entries: entries.length,
      security: entries.filter(({ security }) => security).length,
      downloadBytes: entries.reduce((sum, { size }) => sum + size, 0),
      objectKey: summary.object?.key ?? '',
    },
  };
}
