/** Owns the agent of one real host: carries a document out step by step, as the SSM agent does. */

import type { LocalClock } from '../clock.ts';
import type { Host, HostExit } from '../hosts/host.ts';
import type { Agent, AgentLink, AgentTask, CommandEnd, StepReport, StepStatus } from './agent.ts';
import type { DocumentStep } from './document.ts';
import { bindStep, type Interpolation } from './interpolation.ts';
import { combineOutput, OutputHead, stderrLimit, stdoutLimit } from './output.ts';
import { admit } from './precondition.ts';
import { stepTimeout } from './step-timeout.ts';

/** The exit code with which a script asks for a restart, after which the same step runs again. */
const rebootCode = 194;
/** What a script killed with SIGKILL ends with. */
const killedCode = 137;
/** The agent takes a step up again after a restart this often. */
const resumeLimit = 15;

export interface HostAgentOptions {
  readonly clock: LocalClock;
  readonly region: string;
  /** Seconds between exit 194 and the restart: the agent calls `shutdown -r +1`. */
  readonly rebootDelay: number;
  readonly interpolation?: Interpolation;
}

export function createHostAgent(host: Host, options: HostAgentOptions): Agent {
  return {
    online: () => host.online(),
    execute: (task, link) => options.clock.busy(() => runDocument(host, options, task, link)),
  };
}

async function runDocument(
  host: Host,
  options: HostAgentOptions,
  task: AgentTask,
  link: AgentLink,
): Promise<CommandEnd> {
  let end: CommandEnd = 'Success';
  for (const step of task.document.mainSteps) {
    const report = await runStep(host, options, task, step, link.cancelled);
    if (report === 'host-died') return 'Failed';
    link.report(report);
    if (report.status === 'Cancelled') return 'Cancelled';
    if (report.status === 'TimedOut' && end === 'Success') end = 'Execution Timed Out';
    if (report.status === 'Failed') end = 'Failed';
    const failed = report.status === 'Failed' || report.status === 'TimedOut';
    if (failed && step.inputs.onFailure !== undefined)
      return step.inputs.onFailure === 'exit' ? end : 'Success';
    if (!failed && step.inputs.onSuccess === 'exit') return end;
  }
  return end;
}

/** @returns `host-died` when the host went down under the step: the agent, back again, only finds its worker gone */
async function runStep(
  host: Host,
  options: HostAgentOptions,
  task: AgentTask,
  step: DocumentStep,
  cancelled: AbortSignal,
): Promise<StepReport | 'host-died'> {
  const { clock } = options;
  const startedAt = clock.now();
  const stdout = new OutputHead(stdoutLimit);
  const stderr = new OutputHead(stderrLimit);
  const report = (status: StepStatus, code: number): StepReport => ({
    name: step.name,
    status,
    code,
    stdout: stdout.text(),
    stderr: stderr.text(),
    output: combineOutput(stdout.text(), stderr.text()),
    startedAt,
    endedAt: clock.now(),
  });
  const admission = admit(step, task.parameters);
  if (admission.verdict !== 'run') {
    stdout.write(Buffer.from(admission.reason));
    return admission.verdict === 'skip' ? report('Skipped', 0) : report('Failed', 1);
  }
  const bound = bindStep(task.document, step, task.parameters, options.interpolation ?? 'environment');
  const folder = `/var/lib/amazon/ssm/${host.id}/document/orchestration/${task.commandId}/${step.name}`;
  const script = `${folder}/_script.sh`;
  const env = {
    ...host.env,
    ...bound.env,
    AWS_SSM_REGION_NAME: options.region,
    AWS_SSM_INSTANCE_ID: host.id,
  };
  for (let resumes = 0; resumes <= resumeLimit; resumes++) {
    await host.writeFile(script, `${bound.lines.join('\n')}\n`, 0o700);
    const ended = await runScript(host, clock, {
      argv: bound.lines[0]?.startsWith('#!') ? [script] : ['sh', script],
      env,
      seconds: stepTimeout(bound.timeoutSeconds),
      stdout,
      stderr,
      cancelled,
    });
    if (ended.why === 'timed-out') return report('TimedOut', killedCode);
    if (ended.why === 'cancelled') return report('Cancelled', killedCode);
    if (!host.online()) return 'host-died';
    if (ended.exit.code === null) return report('Failed', killedCode);
    if (ended.exit.code !== rebootCode)
      return report(ended.exit.code === 0 ? 'Success' : 'Failed', ended.exit.code);
    await new Promise<void>((resolve) => clock.at(clock.now() + options.rebootDelay * 1000, resolve));
    try {
      await host.reboot();
    } catch {
      return 'host-died';
    }
  }
  return report('Failed', rebootCode);
}

interface Script {
  readonly argv: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  readonly seconds: number;
  readonly stdout: OutputHead;
  readonly stderr: OutputHead;
  readonly cancelled: AbortSignal;
}

interface Ended {
  readonly why: 'exited' | 'timed-out' | 'cancelled';
  readonly exit: HostExit;
}

async function runScript(host: Host, clock: LocalClock, script: Script): Promise<Ended> {
  const process = host.run({ argv: script.argv, env: script.env });
  let why: Ended['why'] = 'exited';
  const kill = (reason: Ended['why']) => {
    why = reason;
    process.kill();
  };
  process.stdout.on('data', (chunk: Buffer) => script.stdout.write(chunk));
  process.stderr.on('data', (chunk: Buffer) => script.stderr.write(chunk));
  const cancelTimer = clock.at(clock.now() + script.seconds * 1000, () => kill('timed-out'));
  const onCancel = () => kill('cancelled');
  script.cancelled.addEventListener('abort', onCancel);
  try {
    return { exit: await process.done, why };
  } finally {
    cancelTimer();
    script.cancelled.removeEventListener('abort', onCancel);
  }
}
