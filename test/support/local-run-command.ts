/** Owns a local Run Command in virtual time, with one document and servers that are functions. */
import { createClock, type LocalClock } from '../../apps/local/clock.ts';
import type { AgentTask } from '../../apps/local/run-command/agent.ts';
import type { InvocationEvent, SendCommandRequest } from '../../apps/local/run-command/api.ts';
import { listCommandInvocations } from '../../apps/local/run-command/listing.ts';
import { RunCommand } from '../../apps/local/run-command/service.ts';
import { type Answer, createFunctionAgent, type FunctionAgent } from './function-agent.ts';
import { frankfurt, serverId } from './samples.ts';

export const epoch = Date.UTC(2026, 10, 20);
export const documentName = 'Quarterdeck-Test';

export interface LocalRunCommand {
  readonly clock: LocalClock;
  readonly service: RunCommand;
  readonly agent: FunctionAgent;
  readonly events: readonly InvocationEvent[];
  /** Command id. */
  send(request?: Partial<SendCommandRequest>): string;
  /** Resolves at this many seconds after the start. */
  until(seconds: number): Promise<void>;
  /** `StatusDetails` of every server, in the order of the request. */
  details(commandId: string): string[];
}

export interface LocalRunCommandOptions {
  readonly servers?: number;
  readonly answer?: (task: AgentTask) => Answer;
  /** Of the document; one step by default. */
  readonly steps?: readonly object[];
  readonly parameters?: Record<string, object>;
  readonly memory?: number;
}

export function shellStep(name: string, ...runCommand: string[]) {
  return { action: 'aws:runShellScript', name, inputs: { timeoutSeconds: '600', runCommand } };
}

export function createLocalRunCommand(options: LocalRunCommandOptions = {}): LocalRunCommand {
  const { servers = 2, answer, steps = [shellStep('only', 'true')], parameters = {} } = options;
  const clock = createClock(epoch, () => 0);
  const events: InvocationEvent[] = [];
  const service = new RunCommand({
    clock,
    ...frankfurt,
    emit: (event) => events.push(event),
    ...(options.memory !== undefined && { memory: options.memory }),
  });
  const agent = createFunctionAgent(clock, answer);
  const ids = Array.from({ length: servers }, (_, index) => serverId(index + 1));
  for (const id of ids) service.registerInstance(id, agent, `host of ${id}`);
  service.registerDocument(
    documentName,
    JSON.stringify({ schemaVersion: '2.2', parameters, mainSteps: steps }),
  );
  return {
    clock,
    service,
    agent,
    events,
    send: (request = {}) =>
      service.sendCommand({ DocumentName: documentName, InstanceIds: ids, ...request }).Command.CommandId,
    until: (seconds) => new Promise((resolve) => clock.at(epoch + seconds * 1000, resolve)),
    details: (CommandId) =>
      listCommandInvocations(service, { CommandId }).CommandInvocations.map(
        ({ StatusDetails }) => StatusDetails,
      ),
  };
}
