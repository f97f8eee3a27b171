/** Owns the local Run Command: commands from SendCommand to their last invocation, as SSM carries them through. */
import { randomUUID } from 'node:crypto';
import { instantOf } from '../../../core/instant.ts';
import type { Cancel, LocalClock } from '../clock.ts';
import type { Agent, CommandEnd } from './agent.ts';
import {
  type CancelCommandRequest,
  type Command,
  type DocumentDescription,
  type GetCommandInvocationRequest,
  type GetCommandInvocationResult,
  type InstanceInformation,
  type InvocationEvent,
  RunCommandError,
  type SendCommandRequest,
  type StatusDetails,
  statusOf,
} from './api.ts';
import {
  type CommandRecord,
  count,
  errorCount,
  type InvocationRecord,
  isOpen,
  showCommand,
  showOutput,
} from './command-record.ts';
import { DocumentRegistry } from './document-registry.ts';
import { bindStep } from './interpolation.ts';
import { acceptRequest } from './send-request.ts';
import { stepTimeout } from './step-timeout.ts';

export interface RunCommandOptions {
  readonly clock: LocalClock;
  readonly account: string;
  readonly region: string;
  /** Called with every status change of an invocation, before the call that caused it returns. */
  readonly emit: (event: InvocationEvent) => void;
  /** Seconds for which ended commands are remembered; AWS keeps about 30 days. */
  readonly memory?: number;
}

interface ManagedInstance {
  readonly agent: Agent;
  readonly computerName: string;
}

/** How often a server that did not answer is tried again; the real agent keeps a connection open. */
const redeliverySeconds = 5;

export class RunCommand {
  readonly #options: RunCommandOptions;
  readonly #documents = new DocumentRegistry();
  readonly #instances = new Map<string, ManagedInstance>();
  /** In the order of their requests. */
  readonly #commands = new Map<string, CommandRecord>();
  readonly #timers = new Map<CommandRecord, readonly Cancel[]>();
  readonly #undelivered = new Set<CommandRecord>();
  #redelivery: Cancel | undefined;

  constructor(options: RunCommandOptions) {
    this.#options = options;
  }

  registerDocument(name: string, content: string): DocumentDescription {
    return this.#documents.register(name, content, this.#options.clock.now());
  }

  describeDocument(request: { Name: string; DocumentVersion?: string }): DocumentDescription {
    return this.#documents.describe(request.Name, request.DocumentVersion);
  }

  registerInstance(instanceId: string, agent: Agent, computerName: string): void {
    this.#instances.set(instanceId, { agent, computerName });
  }

  /** As when an instance is terminated: it is not known any more, and what was not delivered to it never will be. */
  deregisterInstance(instanceId: string): void {
    this.#instances.delete(instanceId);
  }

  sendCommand(request: SendCommandRequest): { Command: Command } {
    const accepted = acceptRequest(request, this.#documents, (id) => this.#instances.has(id));
    const { clock } = this.#options;
    const now = clock.now();
    this.#forgetBefore(now - (this.#options.memory ?? 30 * 86_400) * 1000);
    const execution = accepted.version.document.mainSteps
      .map((step) => bindStep(accepted.version.document, step, accepted.parameters, 'text'))
      .reduce((sum, step) => sum + stepTimeout(step.timeoutSeconds), 0);
    const command: CommandRecord = {
      id: randomUUID(),
      request,
      version: accepted.version,
      parameters: accepted.parameters,
      requestedAt: now,
      deliverBefore: now + accepted.deliveryTimeout * 1000,
      expiresAt: now + (accepted.deliveryTimeout + execution) * 1000,
      concurrency: accepted.concurrency,
      errorBudget: accepted.errorBudget,
      invocations: new Map(
        request.InstanceIds.map((instanceId) => [
          instanceId,
          { instanceId, details: 'Pending', steps: new Map(), trace: '' },
        ]),
      ),
    };
    this.#commands.set(command.id, command);
    this.#timers.set(command, [
      // Delivery comes after the answer: that an event can come before the caller noted the id is bad enough.
      clock.at(now, () => this.#deliver(command)),
      clock.at(command.expiresAt, () => this.#expire(command)),
    ]);
    return { Command: showCommand(command) };
  }

  cancelCommand(request: CancelCommandRequest): void {
    const command = this.find(request.CommandId);
    for (const instanceId of request.InstanceIds ?? command.invocations.keys()) {
      const invocation = command.invocations.get(instanceId);
      if (!invocation)
        throw new RunCommandError('InvalidInstanceId', `command ${command.id} was not sent to ${instanceId}`);
      if (!isOpen(invocation) || invocation.details === 'Cancelling') continue;
      if (invocation.cancellation) {
        this.#change(command, invocation, 'Cancelling');
        invocation.cancellation.abort();
      } else this.#change(command, invocation, 'Cancelled');
    }
  }

  getCommandInvocation(request: GetCommandInvocationRequest): GetCommandInvocationResult {
    const invocation = this.#commands.get(request.CommandId)?.invocations.get(request.InstanceId);
    if (!invocation)
      throw new RunCommandError(
        'InvocationDoesNotExist',
        `command ${request.CommandId} was not sent to ${request.InstanceId}`,
      );
    return showOutput(this.find(request.CommandId), invocation, request.PluginName);
  }

  /** @throws RunCommandError `InvalidCommandId` */
  find(commandId: string): CommandRecord {
    const command = this.#commands.get(commandId);
    if (!command) throw new RunCommandError('InvalidCommandId', `there is no command ${commandId}`);
    return command;
  }

  /** Newest first. */
  commands(): readonly CommandRecord[] {
    return [...this.#commands.values()].reverse();
  }

  /** @param ids all when not given; those that are not known are left out */
  instances(ids: readonly string[] = [...this.#instances.keys()]): readonly InstanceInformation[] {
    const now = this.#options.clock.now() / 1000;
    const known = ids.flatMap((id) => {
      const instance = this.#instances.get(id);
      return instance ? [[id, instance] as const] : [];
    });
    return known.map(([instanceId, { agent, computerName }]) => ({
      InstanceId: instanceId,
      PingStatus: agent.online(instanceId) ? 'Online' : 'ConnectionLost',
      LastPingDateTime: now,
      AgentVersion: '3.3.3572.0',
      PlatformType: 'Linux',
      ResourceType: instanceId.startsWith('mi-') ? 'ManagedInstance' : 'EC2Instance',
      ComputerName: computerName,
    }));
  }

  #deliver(command: CommandRecord): void {
    this.#undelivered.delete(command);
    if (this.#options.clock.now() >= command.deliverBefore) return;
    let running = count(command, ({ cancellation }) => cancellation !== undefined);
    for (const invocation of command.invocations.values()) {
      if (invocation.details !== 'Pending' && invocation.details !== 'Delayed') continue;
      const instance = this.#instances.get(invocation.instanceId);
      if (!instance) this.#change(command, invocation, 'Undeliverable');
      else if (!instance.agent.online(invocation.instanceId)) {
        if (invocation.details === 'Pending') this.#change(command, invocation, 'Delayed');
        this.#undelivered.add(command);
      } else if (running < command.concurrency) {
        running++;
        this.#start(command, invocation, instance.agent);
      }
    }
    if (this.#undelivered.size > 0) this.#redeliverLater();
  }

  #redeliverLater(): void {
    const { clock } = this.#options;
    this.#redelivery ??= clock.at(clock.now() + redeliverySeconds * 1000, () => {
      this.#redelivery = undefined;
      for (const command of [...this.#undelivered]) this.#deliver(command);
    });
  }

  #start(command: CommandRecord, invocation: InvocationRecord, agent: Agent): void {
    const cancellation = new AbortController();
    invocation.cancellation = cancellation;
    this.#change(command, invocation, 'In Progress');
    const finish = (end: CommandEnd, trace = '') => {
      if (end === 'silent') return;
      delete invocation.cancellation;
      if (!isOpen(invocation)) return;
      invocation.trace = trace;
      this.#change(command, invocation, end);
      this.#next(command);
    };
    agent
      .execute(
        {
          commandId: command.id,
          instanceId: invocation.instanceId,
          documentName: command.version.name,
          document: command.version.document,
          parameters: command.parameters,
          expiresAt: command.expiresAt,
        },
        {
          // What comes after the time-out is dropped: nobody who saw the end would look again.
          report: (step) => {
            if (isOpen(invocation)) invocation.steps.set(step.name, step);
          },
          cancelled: cancellation.signal,
        },
      )
      .then(finish, (error: unknown) => finish('Failed', `the agent broke: ${error}`.slice(0, 2_500)));
  }

  /** A place became free, or the error limit was reached. */
  #next(command: CommandRecord): void {
    if (errorCount(command) > command.errorBudget) {
      for (const invocation of command.invocations.values())
        if (invocation.details === 'Pending' || invocation.details === 'Delayed')
          this.#change(command, invocation, 'Terminated');
    } else if (command.invocations.size > command.concurrency) this.#deliver(command);
  }

  /**
   * As the user guide has it, after the delivery and execution time-outs together: also for those that no agent took
   * in time. One that did may still be at it: Run Command stops waiting, not the server.
   */
  #expire(command: CommandRecord): void {
    for (const invocation of command.invocations.values())
      if (isOpen(invocation)) this.#change(command, invocation, 'Delivery Timed Out');
  }

  #change(command: CommandRecord, invocation: InvocationRecord, details: StatusDetails): void {
    invocation.details = details;
    if (count(command, isOpen) === 0) {
      for (const cancel of this.#timers.get(command) ?? []) cancel();
      this.#timers.delete(command);
      this.#undelivered.delete(command);
    }
    const { account, region, clock, emit } = this.#options;
    const kind = invocation.instanceId.startsWith('mi-') ? 'ssm' : 'ec2';
    const noun = kind === 'ssm' ? 'managed-instance' : 'instance';
    emit({
      id: randomUUID(),
      source: 'aws.ssm',
      'detail-type': 'EC2 Command Invocation Status-change Notification',
      account,
      region,
      time: wholeSeconds(clock.now()),
      resources: [`arn:aws:${kind}:${region}:${account}:${noun}/${invocation.instanceId}`],
      detail: {
        'command-id': command.id,
        'document-name': command.version.name,
        'instance-id': invocation.instanceId,
        'requested-date-time': wholeSeconds(command.requestedAt),
        status: statusOf[details],
      },
    });
  }

  #forgetBefore(limit: number): void {
    for (const [id, command] of this.#commands) {
      if (command.requestedAt >= limit || this.#timers.has(command)) return;
      this.#commands.delete(id);
    }
  }
}

function wholeSeconds(millis: number): string {
  return instantOf(millis).replace(/\.\d+Z$/, 'Z');
}
