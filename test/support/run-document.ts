/** Runs an assembled document on a host as the SSM agent does: step after step, exit 194 as a reboot. */
import { text } from 'node:stream/consumers';
import type { Host, HostExit } from '../../apps/local/hosts/host.ts';
import { substitute } from '../../apps/local/run-command/interpolation.ts';
import { type Summary, summarySchema } from '../../core/summary.ts';
import type { DocumentContent } from '../../ssm-documents/assemble.ts';

/** Whether parameters reach the scripts as environment variables, or as text in place of `{{ }}`. */
export type Interpolation = 'environment' | 'text';

export interface DocumentRun {
  readonly summary: Summary;
  /** Exit of the last step: what Run Command sees. */
  readonly exit: number | null;
  /** Bytes of the line that the last step printed. */
  readonly summaryBytes: number;
  readonly workExits: readonly (number | null)[];
  readonly log: string;
}

interface StepExit extends HostExit {
  readonly stdout: string;
  readonly stderr: string;
}

export interface StartedStep {
  readonly exit: Promise<StepExit>;
  kill(): void;
}

export function startStep(
  host: Host,
  content: DocumentContent,
  stepName: string,
  parameters: Readonly<Record<string, string>>,
  interpolation: Interpolation = 'environment',
): StartedStep {
  const step = content.mainSteps.find(({ name }) => name === stepName);
  if (!step) throw new Error(`document has no step ${stepName}`);
  const values = { ...defaultsOf(content), ...parameters };
  const script = step.inputs.runCommand
    .map((line) => (interpolation === 'text' ? substitute(line, values) : line))
    .join('\n');
  const environment =
    interpolation === 'text'
      ? {}
      : Object.fromEntries(Object.entries(values).map(([name, value]) => [`SSM_${name}`, value]));
  const started = host.run({
    argv: ['bash', '-c', 'exec bash /dev/fd/3 3<<<"$(cat)" </dev/null'],
    stdin: `${script}\n`,
    env: { ...host.env, ...environment, AWS_SSM_INSTANCE_ID: host.id },
  });
  const exit = Promise.all([text(started.stdout), text(started.stderr), started.done]).then(
    ([stdout, stderr, end]) => ({ ...end, stdout, stderr }),
  );
  return { exit, kill: () => started.kill() };
}

function defaultsOf(content: DocumentContent): Record<string, string> {
  return Object.fromEntries(
    Object.entries(content.parameters).flatMap(([name, parameter]) =>
      parameter.default === undefined ? [] : [[name, parameter.default]],
    ),
  );
}

export async function runDocument(
  host: Host,
  content: DocumentContent,
  parameters: Readonly<Record<string, string>>,
  interpolation: Interpolation = 'environment',
): Promise<DocumentRun> {
  const workExits: (number | null)[] = [];
  let log = '';
  do {
    if (workExits.length > 0) await host.reboot();
    const work = await startStep(host, content, 'work', parameters, interpolation).exit;
    workExits.push(work.code);
    log += work.stderr;
    if (work.stdout !== '') throw new Error(`the work step wrote to stdout: ${work.stdout.slice(0, 400)}`);
  } while (workExits.at(-1) === 194 && workExits.length < 15);
  return { ...(await readSummary(host, content, parameters, interpolation)), workExits, log };
}

export async function readSummary(
  host: Host,
  content: DocumentContent,
  parameters: Readonly<Record<string, string>>,
  interpolation: Interpolation = 'environment',
): Promise<Pick<DocumentRun, 'summary' | 'exit' | 'summaryBytes'>> {
  const last = await startStep(host, content, 'summary', parameters, interpolation).exit;
  if (last.stderr !== '') throw new Error(`the summary step wrote to stderr: ${last.stderr.slice(0, 400)}`);
  const lines = last.stdout.trimEnd().split('\n');
  if (lines.length !== 1)
    throw new Error(`the summary step printed ${lines.length} lines: ${last.stdout.slice(0, 400)}`);
  return {
    summary: summarySchema.parse(JSON.parse(last.stdout)),
    exit: last.code,
    summaryBytes: Buffer.byteLength(last.stdout),
  };
}
