/** Takes one server's answer into its job: what it said, what its result object proves, and what follows. */
import type { Campaign } from '../campaign.ts';
import { jobKey, jobs, update } from '../entities.ts';
import { stateDuring } from '../gate.ts';
import type { Instant } from '../instant.ts';
import { type Job, moveJob, type PhaseResult } from '../job.ts';
import { factsAfter, type Reason } from '../outcome.ts';
import type { Phase } from '../phase.ts';
import { planHash, sha256Of } from '../plan.ts';
import type { Invocation, Objects, Ports } from '../ports.ts';
import { serverPrefix } from '../result-object.ts';
import { type Summary, summarySchema } from '../summary.ts';
import { type Evidence, judgePhase, withoutSummary } from '../verdict.ts';
import { planIn, unpackResult } from './orders.ts';

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
  return update(ports.records, jobs, jobKey(campaign.id, job.server.id), (current) => {
    if (current.state !== stateDuring[phase]) return undefined;
    const summary = evidence.kind === 'summary' ? evidence.summary : undefined;
    const facts = factsAfter(phase, current.facts, summary?.facts);
    const verdict = judgePhase(phase, withEarlier(evidence, current), facts, campaign.policy);
    const moved = moveJob(current, verdict.state, now, verdict.reasons);
    if (!moved) return undefined;
    return {
      ...moved,
      facts,
      plan: phase === 'prepare' && verdict.state === 'ready' ? sealedPlan(summary) : current.plan,
      phases: { ...current.phases, [phase]: phaseResult(invocation, evidence, now) },
    };
  });
}

/** What the patch phase could not prove, the verification can not make good. */
function withEarlier(evidence: Evidence, job: Job): Evidence {
  const unproven = job.phases.patch?.unproven;
  return evidence.kind === 'summary' && unproven ? { unproven, ...evidence } : evidence;
}

function sealedPlan(summary: Summary | undefined): Job['plan'] {
  if (!summary?.plan || !summary.object) return null;
  return { ...summary.plan, objectKey: summary.object.key };
}

function phaseResult(invocation: Invocation, evidence: Evidence, now: Instant): PhaseResult {
  const { summary, unproven } = evidence.kind === 'summary' ? evidence : {};
  return {
    at: now,
    status: invocation.statusDetails.slice(0, 64),
    result: summary?.result ?? null,
    warnings: summary?.warnings ?? [],
    newer: summary?.newer ?? 0,
    object: summary?.object ?? null,
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
  const unproven = await whyUnproven(objects, campaign, phase, job, summary);
  return unproven ? { kind: 'summary', summary, unproven } : { kind: 'summary', summary };
}

/**
 * Run Command shows standard error after standard output under this title, and the agent writes `failed to run
 * commands: exit status 1` there of its own: a summary that reports a failure never stands alone.
 */
const errorTitle = '\n----------ERROR-------\n';

function readSummary(output: string): Summary | undefined {
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

/** A missing, foreign or altered object proves nothing, and unverified is not fine. */
async function whyUnproven(
  objects: Objects,
  campaign: Campaign,
  phase: Phase,
  job: Job,
  summary: Summary,
): Promise<Reason | undefined> {
  const unproven = (detail: string): Reason => ({ code: 'result-unproven', detail: detail.slice(0, 400) });
  const { object } = summary;
  if (!object) return unproven('the server could not write its result object');
  const expected = `${serverPrefix(job.server, campaign.hybridRoleId)}/${campaign.id}/${phase}.gz`;
  if (object.key !== expected) return unproven(`the result object is ${object.key} instead of ${expected}`);
  const content = await objects.get(object.key);
  if (content === undefined) return unproven(`the result object ${object.key} is not in the bucket`);
  const hash = sha256Of(content);
  if (hash !== object.sha256)
    return unproven(`the result object hashes to ${hash}, the server said ${object.sha256}`);
  if (phase !== 'prepare' || summary.result !== 'planned') return undefined;
  try {
    const seal = planHash(job.server.id, planIn(unpackResult(content)));
    return seal === summary.plan?.sha256
      ? undefined
      : unproven(`the plan hashes to ${seal}, the server said ${summary.plan?.sha256}`);
  } catch (error) {
    return unproven(`the plan can not be read: ${String(error)}`);
  }
}
