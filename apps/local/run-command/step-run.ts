/** Owns one step of a document on a host, with its restarts, as the agent's aws:runShellScript does it. */
import type { LocalClock } from '../clock.ts';
import type { Host } from '../hosts/host.ts';
import type { AgentTask, StepReport, StepStatus } from './agent.ts';
import type { DocumentStep } from './document.ts';
import { isBack, pause } from './host-return.ts';
import { bindStep, type Interpolation } from './interpolation.ts';
import { combineOutput, OutputHead, stderrLimit, stdoutLimit } from './output.ts';
import { runScript, type ScriptEnd } from './script-run.ts';
import { stepTimeout } from './step-timeout.ts';

/** The exit code with which a script asks for a restart, after which the same step runs again from its top. */
const rebootCode = 194;
/** What the agent writes down for a script that it killed, and takes for a time-out when a script ends with it. */
const killedCode = 137;
/** CommandRetryLimit of the agent's configuration. */
const resumeLimit = 15;

export interface HostAgentOptions {
  readonly clock: LocalClock;
  readonly region: string;
  /** Seconds between exit 194 and the restart; the real agent calls `shutdown -r +1`. */
  readonly rebootDelay: number;
  readonly interpolation?: Interpolation;
}

/**
 * `lost`: the host went down under the script. `given-up`: nothing will ever be heard of the command, since the host
 * did not return from its restart, or asked for one too many, after which the agent puts the document aside.
 */
export type StepOutcome = StepReport | 'lost' | 'given-up';

export async function runStep(
  host: Host,
  options: HostAgentOptions,
  task: AgentTask,
  step: DocumentStep,
  cancelled: AbortSignal,
): Promise<StepOutcome> {
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
  if (cancelled.aborted) return report('Cancelled', 1);

  const bound = bindStep(task.document, step, task.parameters, options.interpolation ?? 'environment');
  const script = {
    path: `/var/lib/amazon/ssm/${host.id}/document/orchestration/${task.commandId}/${step.name}/_script.sh`,
    lines: bound.lines,
    env: {
      ...host.env,
      ...bound.env,
      AWS_SSM_REGION_NAME: options.region,
      AWS_SSM_INSTANCE_ID: host.id,
    },
    timeout: stepTimeout(bound.timeoutSeconds),
    stdout,
    stderr,
    cancelled,
  };
  for (let resumes = 0; resumes <= resumeLimit; resumes++) {
    const end = await clock.busy(() => runScript(host, clock, script));
    if (end.why === 'lost') return 'lost';
    if (end.why !== 'exited' || end.exit.code !== rebootCode) return conclude(end, stderr, report);
    await restart(host, options);
    if (!(await isBack(host, clock, task.expiresAt))) return 'given-up';
  }
  return 'given-up';
}

function conclude(
  end: Exclude<ScriptEnd, { why: 'lost' }>,
  stderr: OutputHead,
  report: (status: StepStatus, code: number) => StepReport,
): StepReport {
  if (end.why === 'timed-out') return report('TimedOut', killedCode);
  if (end.why === 'cancelled') return report('Cancelled', killedCode);
  const { code, signal } = end.exit;
  if (code === 0) return report('Success', 0);
  if (code === killedCode) return report('TimedOut', killedCode);
  // The agent adds this line to standard error, so the output of a failed step is never that of the script alone.
  stderr.write(
    Buffer.from(`failed to run commands: ${code === null ? `signal: ${signal}` : `exit status ${code}`}`),
  );
  return report('Failed', code ?? -1);
}

/**
 * That the step is to run again is written down before the host goes down, so it does not matter how it goes down and
 * who brings it up again. One that is off already is not switched on by the restart that it had planned.
 */
async function restart(host: Host, { clock, rebootDelay }: HostAgentOptions): Promise<void> {
  await pause(clock, rebootDelay);
  // A boot that fails leaves the host off, which is what the agent then waits upon.
  if (host.online()) await clock.busy(() => host.reboot().catch(() => {}));
}
