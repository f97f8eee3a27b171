/** Owns what Run Command says of the servers of a command. */
import {
  ListCommandInvocationsCommand,
  type ListCommandInvocationsCommandInput,
  type ListCommandInvocationsCommandOutput,
  SSMClient,
} from '@aws-sdk/client-ssm';
import { readInvocationStatus } from '../../core/invocation-status.ts';
import type { Commands } from '../../core/ports.ts';
import type { Place } from '../../core/server.ts';
import type { ClientLocation } from './place-clients.ts';
import { isNamed } from './ssm-errors.ts';

/** The call of SSM that this adapter makes. */
export interface InvocationCalls {
  listCommandInvocations(
    input: ListCommandInvocationsCommandInput,
  ): Promise<Pick<ListCommandInvocationsCommandOutput, 'CommandInvocations' | 'NextToken'>>;
}

export function createInvocationCalls(location: ClientLocation): InvocationCalls {
  const client = new SSMClient({ ...location, retryMode: 'adaptive', maxAttempts: 6 });
  return { listCommandInvocations: (input) => client.send(new ListCommandInvocationsCommand(input)) };
}

export function createSsmInvocations(
  callsIn: (place: Place) => InvocationCalls,
): Pick<Commands, 'invocations'> {
  return {
    async invocations(place, commandId) {
      const listed = await pages(callsIn(place), commandId);
      return listed.flatMap(({ InstanceId, Status = '', StatusDetails, CommandPlugins = [] }) =>
        InstanceId === undefined
          ? []
          : [
              {
                serverId: InstanceId,
                ...readInvocationStatus(Status, StatusDetails),
                summary: CommandPlugins.at(-1)?.Output ?? '',
              },
            ],
      );
    },
  };
}

/** A command has 50 servers and so one page; a service that cuts it shorter is not a reason to lose servers. */
async function pages(calls: InvocationCalls, commandId: string) {
  const listed: NonNullable<ListCommandInvocationsCommandOutput['CommandInvocations']> = [];
  let NextToken: string | undefined;
  do {
    try {
      const page = await calls.listCommandInvocations({
        CommandId: commandId,
        Details: true,
        MaxResults: 50,
        ...(NextToken !== undefined && { NextToken }),
      });
      listed.push(...(page.CommandInvocations ?? []));
      NextToken = page.NextToken;
    } catch (error) {
      // Not listed yet, or not any more: the deadline of the batch ends the wait for it.
      if (isNamed(error, 'InvalidCommandId')) return [];
      throw error;
    }
  } while (NextToken !== undefined && NextToken !== '');
  return listed;
}
