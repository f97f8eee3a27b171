/** Owns the seam between Run Command and whatever carries commands out on a server: a real host, or a function. */
import type { StatusDetails } from './api.ts';
import type { CommandDocument } from './document.ts';
import type { ResolvedParameters } from './parameters.ts';

/** What an agent is handed: one command for one server. */
export interface AgentTask {
  readonly commandId: string;
  readonly instanceId: string;
  readonly documentName: string;
  readonly document: CommandDocument;
  readonly parameters: ResolvedParameters;
  /** Epoch milliseconds from which on nobody waits for an answer. */
  readonly expiresAt: number;
}

export type StepStatus = 'Success' | 'Failed' | 'TimedOut' | 'Cancelled' | 'Skipped';

export interface StepReport {
  readonly name: string;
  readonly status: StepStatus;
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Both streams as ListCommandInvocations shows them. */
  readonly output: string;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly endedAt: number;
}

/** How a command ended on a server; `silent` when the agent never says, and only the service's time-out ends it. */
export type CommandEnd =
  | Exclude<StatusDetails, 'Pending' | 'In Progress' | 'Delayed' | 'Cancelling'>
  | 'silent';

export interface AgentLink {
  /** Reports a step as it ends; the same name again replaces what was reported of it. */
  report(step: StepReport): void;
  /** Aborts when somebody cancels the command. A command that merely expires is not stopped on the server. */
  readonly cancelled: AbortSignal;
}

export interface Agent {
  /** Whether it answers right now. */
  online(instanceId: string): boolean;
  execute(task: AgentTask, link: AgentLink): Promise<CommandEnd>;
}
