/** Owns what Run Command remembers of a command and its invocations, and how it shows them. */

import { instantOf } from '../../../core/instant.ts';
import type { StepReport } from './agent.ts';
import {
  type Command,
  type CommandInvocation,
  type GetCommandInvocationResult,
  RunCommandError,
  type SendCommandRequest,
  type StatusDetails,
  statusOf,
} from './api.ts';
import type { DocumentVersion } from './document-registry.ts';
import type { ResolvedParameters } from './parameters.ts';

export interface InvocationRecord {
  readonly instanceId: string;
  details: StatusDetails;
  readonly steps: Map<string, StepReport>;
  /** There while the agent is at work. */
  cancellation?: AbortController;
  /** Why the service itself ended it. */
  trace: string;
}

export interface CommandRecord {
  readonly id: string;
  readonly request: SendCommandRequest;
  readonly version: DocumentVersion;
  readonly parameters: ResolvedParameters;
  /** Epoch milliseconds. */
  readonly requestedAt: number;
  readonly deliverBefore: number;
  readonly expiresAt: number;
  readonly concurrency: number;
  readonly errorBudget: number;
  readonly invocations: ReadonlyMap<string, InvocationRecord>;
}

const openDetails: ReadonlySet<StatusDetails> = new Set(['Pending', 'In Progress', 'Delayed', 'Cancelling']);
/** What counts against MaxErrors: what a server was really given and did not do. */
const errorDetails: ReadonlySet<StatusDetails> = new Set(['Failed', 'Execution Timed Out']);

export function isOpen(invocation: InvocationRecord): boolean {
  return openDetails.has(invocation.details);
}

export function count(command: CommandRecord, which: (invocation: InvocationRecord) => boolean): number {
  let found = 0;
  for (const invocation of command.invocations.values()) if (which(invocation)) found++;
  return found;
}

export function errorCount(command: CommandRecord): number {
  return count(command, ({ details }) => errorDetails.has(details));
}

export function showCommand(command: CommandRecord): Command {
  const { request } = command;
  const details = overall(command);
  return {
    CommandId: command.id,
    DocumentName: command.version.name,
    DocumentVersion: command.version.version,
    Comment: request.Comment ?? '',
    ExpiresAfter: command.expiresAt / 1000,
    Parameters: request.Parameters ?? {},
    InstanceIds: request.InstanceIds,
    RequestedDateTime: command.requestedAt / 1000,
    Status: details === 'Incomplete' ? 'Failed' : statusOf[details],
    StatusDetails: details,
    OutputS3BucketName: request.OutputS3BucketName ?? '',
    OutputS3KeyPrefix: request.OutputS3KeyPrefix ?? '',
    MaxConcurrency: request.MaxConcurrency ?? '50',
    MaxErrors: request.MaxErrors ?? '0',
    TargetCount: command.invocations.size,
    CompletedCount: count(command, (invocation) => !isOpen(invocation)),
    ErrorCount: errorCount(command),
    DeliveryTimedOutCount: count(command, ({ details }) => details === 'Delivery Timed Out'),
    TimeoutSeconds: (command.deliverBefore - command.requestedAt) / 1000,
  };
}

/** The command's own status says little of its servers, which is why nothing but a person should read it. */
function overall(command: CommandRecord): StatusDetails | 'Incomplete' {
  const all = [...command.invocations.values()];
  if (all.some(({ details }) => details === 'Cancelling')) return 'Cancelling';
  if (all.every(({ details }) => details === 'Pending' || details === 'Delayed')) return 'Pending';
  if (all.some(isOpen)) return 'In Progress';
  if (all.every(({ details }) => details === 'Success')) return 'Success';
  if (errorCount(command) > command.errorBudget) return 'Failed';
  if (all.some(({ details }) => details === 'Cancelled')) return 'Cancelled';
  return all.every(({ details }) => details === 'Delivery Timed Out') ? 'Delivery Timed Out' : 'Incomplete';
}

export function showInvocation(
  command: CommandRecord,
  invocation: InvocationRecord,
  withSteps: boolean,
): CommandInvocation {
  return {
    CommandId: command.id,
    InstanceId: invocation.instanceId,
    InstanceName: '',
    Comment: command.request.Comment ?? '',
    DocumentName: command.version.name,
    DocumentVersion: command.version.version,
    RequestedDateTime: command.requestedAt / 1000,
    Status: statusOf[invocation.details],
    StatusDetails: invocation.details,
    TraceOutput: invocation.trace,
    CommandPlugins: withSteps
      ? [...invocation.steps.values()].map((step) => ({
          Name: step.name,
          Status: step.status === 'Skipped' ? 'Success' : step.status,
          StatusDetails: step.status,
          ResponseCode: step.code,
          ResponseStartDateTime: step.startedAt / 1000,
          ResponseFinishDateTime: step.endedAt / 1000,
          Output: step.output,
        }))
      : [],
  };
}

/** The output of one step, which has to be named unless the document has just one. */
export function showOutput(
  command: CommandRecord,
  invocation: InvocationRecord,
  pluginName: string | undefined,
): GetCommandInvocationResult {
  const names = command.version.document.mainSteps.map(({ name }) => name);
  const name = pluginName ?? (names.length === 1 ? names[0] : undefined);
  if (name === undefined || !names.includes(name))
    throw new RunCommandError(
      'InvalidPluginName',
      `name one of the steps ${names.join(', ')} of document ${command.version.name}, not ${pluginName}`,
    );
  const step = invocation.steps.get(name);
  return {
    CommandId: command.id,
    InstanceId: invocation.instanceId,
    Comment: command.request.Comment ?? '',
    DocumentName: command.version.name,
    DocumentVersion: command.version.version,
    PluginName: name,
    ResponseCode: step?.code ?? -1,
    ExecutionStartDateTime: step ? instantOf(step.startedAt) : '',
    ExecutionEndDateTime: step ? instantOf(step.endedAt) : '',
    Status: statusOf[invocation.details],
    StatusDetails: invocation.details,
    StandardOutputContent: step?.stdout ?? '',
    StandardErrorContent: step?.stderr ?? '',
  };
}
