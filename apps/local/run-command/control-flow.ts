/** Owns how one step decides over the steps after it, and all of them over the command. */
import type { CommandEnd, StepReport } from './agent.ts';
import type { DocumentStep } from './document.ts';
import { combineOutput } from './output.ts';

/** Exit codes with which a script ends its document. */
const exitWithSuccess = 168;
const exitWithFailure = 169;

const flowNote: Readonly<Record<'success' | 'failure' | 'property', string>> = {
  success:
    '\nStep exited with code 168. Therefore, marking step as succeeded. Further document steps will be skipped.',
  failure:
    '\nStep exited with code 169. Therefore, marking step as Failed. Further document steps will be skipped.',
  property: '\nStep was found to have onFailure property. Further document steps will be skipped.',
};

/** What the agent makes of a step's own end; its notes do not show in `output`. */
export function judgeStep(step: DocumentStep, report: StepReport): StepReport {
  if (report.code === exitWithSuccess)
    return {
      ...report,
      status: 'Success',
      stdout: report.stdout + flowNote.success,
      stderr: '',
      output: combineOutput(report.stdout, ''),
    };
  if (report.code === exitWithFailure)
    return {
      ...report,
      stdout: report.stdout + flowNote.failure,
      stderr: report.stderr + flowNote.failure,
    };
  if (report.status !== 'Failed' || step.inputs.onFailure === undefined) return report;
  const noted = {
    ...report,
    stdout: report.stdout + flowNote.property,
    stderr: report.stderr + flowNote.property,
  };
  return step.inputs.onFailure === 'exit' ? noted : { ...noted, status: 'Success', code: exitWithSuccess };
}

/** A time-out is no failure in this: the steps after it run, whatever `onFailure` says. */
export function endsDocument(step: DocumentStep, report: StepReport): boolean {
  return (
    report.code === exitWithSuccess ||
    report.code === exitWithFailure ||
    (report.status === 'Failed' && step.inputs.onFailure === 'exit') ||
    (report.status === 'Success' && step.inputs.onSuccess === 'exit')
  );
}

/** Only the last step of a document can be its finally step. */
export function runsInAnyCase(step: DocumentStep, isLast: boolean): boolean {
  return isLast && String(step.inputs.finallyStep) === 'true';
}

/** The order of precedence that agent and service have agreed upon; a skipped step is a form of success. */
export function overallEnd(reports: readonly StepReport[]): CommandEnd {
  const statuses = new Set(reports.map(({ status }) => status));
  if (statuses.has('Failed')) return 'Failed';
  if (statuses.has('TimedOut')) return 'Execution Timed Out';
  return statuses.has('Cancelled') ? 'Cancelled' : 'Success';
}
