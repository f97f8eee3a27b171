/** Owns the sending of commands: paced, never sent twice by the SDK, and found again by their comment. */
import {
  ListCommandsCommand,
  type ListCommandsCommandInput,
  type ListCommandsCommandOutput,
  SendCommandCommand,
  type SendCommandCommandInput,
  type SendCommandCommandOutput,
  SSMClient,
} from '@aws-sdk/client-ssm';
import { instantOf, millisOf } from '../../core/instant.ts';
import { type CommandRef, type CommandRequest, type Commands, PortError } from '../../core/ports.ts';
import type { Place } from '../../core/server.ts';
import { type ClientLocation, perPlace } from './place-clients.ts';
import { sendError } from './ssm-errors.ts';
import { createTokenBucket, type Pace } from './token-bucket.ts';

/** The calls of SSM that this adapter makes. */
export interface CommandCalls {
  sendCommand(input: SendCommandCommandInput): Promise<Pick<SendCommandCommandOutput, 'Command'>>;
  listCommands(
    input: ListCommandsCommandInput,
  ): Promise<Pick<ListCommandsCommandOutput, 'Commands' | 'NextToken'>>;
}

/** Long enough for Run Command on a bad day, and several times shorter than the lease of a dispatcher. */
const sendTimeout = 20_000;

/** @param timeout milliseconds in which a send must be answered */
export function createCommandCalls(location: ClientLocation, timeout = sendTimeout): CommandCalls {
  const reading = new SSMClient({ ...location, retryMode: 'adaptive', maxAttempts: 6 });
  // SendCommand has no client token: a retry of the SDK could run the command twice. Whoever calls looks first.
  const sending = new SSMClient({
    ...location,
    maxAttempts: 1,
    // Without the last the SDK only warns, and waits for ever.
    requestHandler: { connectionTimeout: 5000, requestTimeout: timeout, throwOnRequestTimeout: true },
  });
  return {
    sendCommand: (input) => sending.send(new SendCommandCommand(input)),
    listCommands: (input) => reading.send(new ListCommandsCommand(input)),
  };
}

/** More were once answered with ThrottlingException, which would be tried again for ever. */
const mostServers = 50;

/** How often may be sent is not published. Each process has its own bucket; the machine bounds how many there are. */
export const sendPace = { perSecond: 5, burst: 5 };

export interface SsmCommandsOptions {
  readonly callsIn: (place: Place) => CommandCalls;
  readonly pace: Pace;
}

export function createSsmCommands({ callsIn, pace }: SsmCommandsOptions): Pick<Commands, 'send' | 'find'> {
  const turnIn = perPlace(() => createTokenBucket(pace));
  return {
    async send(place, request) {
      const count = request.serverIds.length;
      if (count === 0 || count > mostServers)
        throw new PortError(
          'refused',
          `a command goes to 1 to ${mostServers} servers, and these are ${count}`,
        );
      const calls = locate(callsIn, place);
      await turnIn(place)();
      try {
        const { Command } = await calls.sendCommand(inputOf(request));
        if (Command?.CommandId !== undefined) return Command.CommandId;
      } catch (error) {
        throw sendError(error);
      }
      throw new PortError('ambiguous', 'SendCommand answered without a command id');
    },

    async find(place, comment, since) {
      const found: CommandRef[] = [];
      let NextToken: string | undefined;
      do {
        const page = await callsIn(place).listCommands({
          // Whole seconds are what the service documents; what that lets in too early is left out below.
          Filters: [{ key: 'InvokedAfter', value: since.replace(/\.\d+Z$/, 'Z') }],
          MaxResults: 50,
          ...(NextToken !== undefined && { NextToken }),
        });
        found.push(...(page.Commands ?? []).flatMap((command) => refOf(command, comment, since)));
        NextToken = page.NextToken;
      } while (NextToken !== undefined && NextToken !== '');
      return found.toSorted((a, b) => millisOf(a.requestedAt) - millisOf(b.requestedAt));
    },
  };
}

/** Nothing was sent when there is not even a client to send with. */
function locate(callsIn: SsmCommandsOptions['callsIn'], place: Place): CommandCalls {
  try {
    return callsIn(place);
  } catch (error) {
    throw new PortError('refused', error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function inputOf(request: CommandRequest): SendCommandCommandInput {
  const { document, serverIds, parameters, comment, deliveryTimeout } = request;
  return {
    DocumentName: document.name,
    DocumentVersion: document.version,
    DocumentHash: document.hash,
    DocumentHashType: 'Sha256',
    InstanceIds: [...serverIds],
    Parameters: Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, [value]])),
    Comment: comment,
    TimeoutSeconds: deliveryTimeout,
    MaxConcurrency: '50',
    // Failures are judged by the error budget, not by Run Command.
    MaxErrors: '100%',
  };
}

function refOf(
  { CommandId, Comment, RequestedDateTime }: NonNullable<ListCommandsCommandOutput['Commands']>[number],
  comment: string,
  since: string,
): CommandRef[] {
  if (CommandId === undefined || Comment !== comment || RequestedDateTime === undefined) return [];
  const requestedAt = instantOf(RequestedDateTime.getTime());
  return requestedAt >= since ? [{ commandId: CommandId, comment, requestedAt }] : [];
}
