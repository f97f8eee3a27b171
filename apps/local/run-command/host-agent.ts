/** Owns the agent of one real host: carries a document out step by step, as the SSM agent does. */
import type { Host } from '../hosts/host.ts';
import type { Agent, AgentLink, AgentTask, CommandEnd, StepReport } from './agent.ts';
import { endsDocument, judgeStep, overallEnd, runsInAnyCase } from './control-flow.ts';
import type { DocumentStep } from './document.ts';
import { isBack, pause } from './host-return.ts';
import { admit } from './precondition.ts';
import { type HostAgentOptions, runStep, type StepOutcome } from './step-run.ts';

/** For so long the agent, back again, waits for the worker of a document to speak. */
const workerGraceSeconds = 3;

export function createHostAgent(host: Host, options: HostAgentOptions): Agent {
  return {
    online: () => host.online(),
    execute: (task, link) => runDocument(host, options, task, link),
  };
}

async function runDocument(
  host: Host,
  options: HostAgentOptions,
  task: AgentTask,
  link: AgentLink,
): Promise<CommandEnd> {
  const { clock } = options;
  const steps = task.document.mainSteps;
  const reports: StepReport[] = [];
  let isOver = false;
  for (const [index, step] of steps.entries()) {
    const isKept = !isOver || runsInAnyCase(step, index === steps.length - 1);
    const outcome = isKept
      ? await admitted(host, options, task, step, link.cancelled)
      : unrun(
          step,
          'Skipped',
          `Step ${step.name} skipped due to prior step with an exit condition`,
          clock.now(),
        );
    if (outcome === 'given-up') return 'silent';
    if (outcome === 'lost') {
      if (!(await isBack(host, clock, task.expiresAt))) return 'silent';
      await pause(clock, workerGraceSeconds);
      link.report(workerLost(steps[0] as DocumentStep, reports[0], clock.now()));
      return 'Failed';
    }
    const report = judgeStep(step, outcome);
    reports.push(report);
    link.report(report);
    isOver ||= endsDocument(step, report);
  }
  return overallEnd(reports);
}

async function admitted(
  host: Host,
  options: HostAgentOptions,
  task: AgentTask,
  step: DocumentStep,
  cancelled: AbortSignal,
): Promise<StepOutcome> {
  const admission = admit(step, task.parameters);
  if (admission.verdict === 'run') return runStep(host, options, task, step, cancelled);
  const status = admission.verdict === 'skip' ? 'Skipped' : 'Failed';
  return unrun(step, status, admission.reason, options.clock.now());
}

function unrun(step: DocumentStep, status: 'Skipped' | 'Failed', output: string, at: number): StepReport {
  const code = status === 'Skipped' ? 0 : 1;
  return { name: step.name, status, code, stdout: '', stderr: '', output, startedAt: at, endedAt: at };
}

/**
 * An agent that starts again does not run the script again, unless that had asked for a restart. It finds the
 * document's worker gone and calls the document failed, in words that it books on the first step, whichever step the
 * host died under (agent/framework/processor/executer/outofproc/master.go of amazon-ssm-agent).
 */
function workerLost(first: DocumentStep, reported: StepReport | undefined, at: number): StepReport {
  const known = reported ?? unrun(first, 'Failed', '', at);
  return {
    ...known,
    status: 'Failed',
    code: 1,
    output:
      'document process failed unexpectedly: document worker timed out , check ' +
      '[ssm-document-worker]/[ssm-session-worker] log for crash reason',
    endedAt: at,
  };
}
