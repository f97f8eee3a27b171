/** Owns the starting of campaign executions. */
import {
  ExecutionAlreadyExists,
  SFNClient,
  StartExecutionCommand,
  type StartExecutionCommandInput,
} from '@aws-sdk/client-sfn';
import type { Executions } from '../../core/ports.ts';
import type { ClientLocation } from './place-clients.ts';

/** The call of Step Functions that this adapter makes. */
export interface ExecutionCalls {
  startExecution(input: StartExecutionCommandInput): Promise<unknown>;
}

export function createExecutionCalls(location: ClientLocation): ExecutionCalls {
  const client = new SFNClient({ ...location, retryMode: 'adaptive', maxAttempts: 6 });
  return { startExecution: (input) => client.send(new StartExecutionCommand(input)) };
}

/** @param stateMachineArn of the alias: what is deployed later changes no campaign under way */
export function createSfnExecutions(stateMachineArn: string, calls: ExecutionCalls): Executions {
  return {
    async start(name, input) {
      try {
        await calls.startExecution({ stateMachineArn, name, input: JSON.stringify(input) });
      } catch (error) {
        // Started before, and ended by now. The name is the campaign's id, so it was for the same campaign.
        if (!(error instanceof ExecutionAlreadyExists)) throw error;
      }
    },
  };
}
