/** Owns the local Run Command as the ports that use-cases know. */
import { instantOf, millisOf } from '../../../core/instant.ts';
import { readInvocationStatus } from '../../../core/invocation-status.ts';
import { type CommandRef, type Commands, type Fleet, PortError, type Presence } from '../../../core/ports.ts';
import { type CommandInvocation, type InstanceInformation, pageLimit, RunCommandError } from './api.ts';
import { describeInstanceInformation, listCommandInvocations, listCommands } from './listing.ts';
import type { RunCommand } from './service.ts';

/** Whatever it refuses for, nothing ran. */
function portError(error: unknown): unknown {
  if (!(error instanceof RunCommandError)) return error;
  const code = error.name === 'InvalidInstanceId' ? 'invalid-servers' : 'refused';
  return new PortError(code, `${error.name}: ${error.message}`, { cause: error });
}

export function createCommands(service: RunCommand): Commands {
  return {
    async pin(_place, name) {
      try {
        const { DocumentVersion, Hash } = service.describeDocument({
          Name: name,
          DocumentVersion: '$LATEST',
        });
        return { name, version: DocumentVersion, hash: Hash };
      } catch (error) {
        if (error instanceof RunCommandError && error.name === 'InvalidDocument') {
          throw new PortError('document-missing', `there is no document ${name}`, { cause: error });
        }
        throw error;
      }
    },
    async send(_place, { document, serverIds, parameters, comment, deliveryTimeout }) {
      try {
        const { Command } = service.sendCommand({
          DocumentName: document.name,
          DocumentVersion: document.version,
          DocumentHash: document.hash,
          DocumentHashType: 'Sha256',
          InstanceIds: serverIds,
          Parameters: Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, [value]])),
          Comment: comment,
          TimeoutSeconds: deliveryTimeout,
          MaxConcurrency: '50',
          MaxErrors: '100%',
        });
        return Command.CommandId;
      } catch (error) {
        throw portError(error);
      }
    },
    async find(_place, comment, since) {
      const found: CommandRef[] = [];
      let NextToken: string | undefined;
      do {
        const page = listCommands(service, {
          Filters: [{ key: 'InvokedAfter', value: since }],
          ...(NextToken !== undefined && { NextToken }),
        });
        for (const command of page.Commands) {
          if (command.Comment !== comment) continue;
          found.push({
            commandId: command.CommandId,
            comment,
            requestedAt: instantOf(command.RequestedDateTime * 1000),
          });
        }
        NextToken = page.NextToken;
      } while (NextToken !== undefined);
      return found.toSorted((a, b) => millisOf(a.requestedAt) - millisOf(b.requestedAt));
    },
    async invocations(_place, commandId) {
      return listed(service, commandId).map(({ InstanceId, Status, StatusDetails, CommandPlugins }) => ({
        serverId: InstanceId,
        ...readInvocationStatus(Status, StatusDetails),
        summary: CommandPlugins.at(-1)?.Output ?? '',
      }));
    },
  };
}

/** A command that is not listed yet, or not any more, has no invocations: its deadline ends the wait for them. */
function listed(service: RunCommand, commandId: string): readonly CommandInvocation[] {
  try {
    return listCommandInvocations(service, { CommandId: commandId, Details: true, MaxResults: pageLimit })
      .CommandInvocations;
  } catch (error) {
    if (error instanceof RunCommandError && error.name === 'InvalidCommandId') return [];
    throw error;
  }
}

export function createFleet(service: RunCommand): Fleet {
  return {
    async presence(_place, serverIds) {
      const answered = new Map<string, InstanceInformation['PingStatus']>();
      let NextToken: string | undefined;
      do {
        const page = describeInstanceInformation(service, {
          Filters: [{ Key: 'InstanceIds', Values: serverIds }],
          ...(NextToken !== undefined && { NextToken }),
        });
        for (const { InstanceId, PingStatus } of page.InstanceInformationList)
          answered.set(InstanceId, PingStatus);
        NextToken = page.NextToken;
      } while (NextToken !== undefined);
      const presenceOf = (id: string): Presence => {
        const ping = answered.get(id);
        return ping === undefined ? 'gone' : ping === 'Online' ? 'online' : 'offline';
      };
      return new Map(serverIds.map((id) => [id, presenceOf(id)]));
    },
  };
}
