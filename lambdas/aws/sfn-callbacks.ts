/** Owns the answers to waiting states of the state machine. */
import {
  SendTaskFailureCommand,
  type SendTaskFailureCommandInput,
  SendTaskSuccessCommand,
  type SendTaskSuccessCommandInput,
  SFNClient,
} from '@aws-sdk/client-sfn';
import type { Callbacks } from '../../core/ports.ts';
import type { ClientLocation } from './place-clients.ts';

/** The calls of Step Functions that this adapter makes. */
export interface CallbackCalls {
  sendTaskSuccess(input: SendTaskSuccessCommandInput): Promise<unknown>;
  sendTaskFailure(input: SendTaskFailureCommandInput): Promise<unknown>;
}

export function createCallbackCalls(location: ClientLocation): CallbackCalls {
  const client = new SFNClient({ ...location, retryMode: 'adaptive', maxAttempts: 6 });
  return {
    sendTaskSuccess: (input) => client.send(new SendTaskSuccessCommand(input)),
    sendTaskFailure: (input) => client.send(new SendTaskFailureCommand(input)),
  };
}

/** The state has ended or was answered already, also by an attempt of ours whose answer was lost. */
const gone: ReadonlySet<string> = new Set(['TaskTimedOut', 'TaskDoesNotExist', 'InvalidToken']);

export function createSfnCallbacks(calls: CallbackCalls): Callbacks {
  return {
    succeed: (taskToken, output) =>
      delivered(calls.sendTaskSuccess({ taskToken, output: JSON.stringify(output ?? null) })),
    fail: (taskToken, error, cause) =>
      delivered(
        calls.sendTaskFailure({ taskToken, error: error.slice(0, 256), cause: cause.slice(0, 32_768) }),
      ),
  };
}

async function delivered(call: Promise<unknown>): Promise<'delivered' | 'gone'> {
  try {
    await call;
    return 'delivered';
  } catch (error) {
    if (error instanceof Error && gone.has(error.name)) return 'gone';
    throw error;
  }
}
